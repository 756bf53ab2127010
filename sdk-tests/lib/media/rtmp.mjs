// nginx with its RTMP module, and as much of an RTMP client as asks to publish or to play a stream.

import { connect } from 'node:net';
import { once } from 'node:events';

import { DEADLINE_MS, within } from '../wait.mjs';
import { Daemon, freePort } from './daemon.mjs';

const MODULE = '/usr/lib/nginx/modules/ngx_rtmp_module.so';
const HANDSHAKE_BYTES = 1536;
const CHUNK_BYTES = 128;
/** Type of a message that holds a command. */
const COMMAND = 20;
/** The stream that nginx makes first. */
const STREAM = 1;

export class NginxRtmp {
  #daemon;

  /** @param {string} hook the URL that is asked */
  static async start(hook) {
    const nginx = new NginxRtmp();
    nginx.port = await freePort();
    nginx.#daemon = await Daemon.start((folder) => ({
      words: ['nginx', '-p', folder, '-c', `${folder}/nginx.conf`, '-e', 'stderr'],
      files: {
        'nginx.conf': `
          load_module ${MODULE};
          daemon off;
          master_process off;
          pid ${folder}/pid;
          error_log stderr notice;
          events {}
          rtmp {
            server {
              listen 127.0.0.1:${nginx.port};
              application live { live on; on_publish ${hook}; on_play ${hook}; }
            }
          }
        `,
      },
      ready: /nginx\/[0-9.]+$/,
    }));
    return nginx;
  }

  get log() {
    return this.#daemon.log;
  }

  stop() {
    return this.#daemon?.stop();
  }

  /**
   * Publishes or plays: `started`, or `closed` when it is refused.
   * @param {'publish' | 'play'} verb
   * @param {string} stream with its parameters
   * @param {string} [player] what the client says it is
   */
  async attempt(verb, stream, player = 'test') {
    const socket = connect(this.port, '127.0.0.1');
    try {
      return await within(DEADLINE_MS, converse(socket, verb, stream, player), `nginx to answer ${verb}`);
    } finally {
      socket.destroy();
    }
  }
}

async function converse(socket, verb, stream, player) {
  const app = { app: 'live', flashVer: player, tcUrl: 'rtmp://127.0.0.1/live' };
  await once(socket, 'connect');
  socket.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(HANDSHAKE_BYTES)]));
  let heard = Buffer.alloc(0);
  let isGreeted = false;
  for await (const chunk of socket) {
    heard = Buffer.concat([heard, chunk]);
    if (!isGreeted && heard.length > 2 * HANDSHAKE_BYTES) {
      isGreeted = true;
      socket.write(heard.subarray(1, 1 + HANDSHAKE_BYTES));
      socket.write(command(0, 'connect', 1, app));
      socket.write(command(0, 'createStream', 2, null));
      socket.write(verb === 'publish' ? command(STREAM, verb, 3, null, stream, 'live') : command(STREAM, verb, 3, null, stream));
    }
    if (/NetStream\.(Publish|Play)\.Start/.test(heard.toString('latin1'))) return 'started';
  }
  return 'closed';
}

/** A command on that stream, in chunks. */
function command(stream, ...values) {
  const body = Buffer.concat(values.map(amf));
  const head = Buffer.alloc(12);
  head[0] = 3;
  head.writeUIntBE(body.length, 4, 3);
  head[7] = COMMAND;
  head.writeUInt32LE(stream, 8);
  const chunks = [head];
  for (let at = 0; at < body.length; at += CHUNK_BYTES) {
    if (at > 0) chunks.push(Buffer.from([0xc3]));
    chunks.push(body.subarray(at, at + CHUNK_BYTES));
  }
  return Buffer.concat(chunks);
}

/** A value as AMF0. */
function amf(value) {
  if (value === null) return Buffer.from([5]);
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(9);
    bytes.writeDoubleBE(value, 1);
    return bytes;
  }
  if (typeof value === 'string') return Buffer.concat([Buffer.from([2]), text(value)]);
  const fields = Object.entries(value).flatMap(([name, field]) => [text(name), amf(field)]);
  return Buffer.concat([Buffer.from([3]), ...fields, Buffer.from([0, 0, 9])]);
}

function text(value) {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
