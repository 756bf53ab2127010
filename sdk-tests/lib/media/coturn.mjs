// coturn with a shared secret, and as much of a TURN client as asks it for a relay.

import { createHash, createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';

import { DEADLINE_MS, within } from '../wait.mjs';
import { Daemon, freePort } from './daemon.mjs';

const REALM = 'yinxin.test';
/** Types of messages and attributes, RFC 5389 and 5766. */
const ALLOCATE = 0x0003;
const ALLOCATED = 0x0103;
const USERNAME = 0x0006;
const INTEGRITY = 0x0008;
const ERROR_CODE = 0x0009;
const REALM_OF = 0x0014;
const NONCE = 0x0015;
const TRANSPORT = 0x0019;
const COOKIE = 0x2112a442;
const UDP = Buffer.from([17, 0, 0, 0]);
const HEADER_BYTES = 20;

export class Coturn {
  #daemon;

  static async start(secret) {
    const coturn = new Coturn();
    coturn.port = await freePort();
    const relay = await freePort();
    coturn.#daemon = await Daemon.start((folder) => ({
      words: ['turnserver', '-c', `${folder}/turn.conf`],
      files: {
        'turn.conf': [
          ...['listening-ip=127.0.0.1', 'relay-ip=127.0.0.1', `listening-port=${coturn.port}`],
          ...[`min-port=${relay}`, `max-port=${relay + 10}`, 'no-tls', 'no-dtls', 'no-udp', 'no-cli'],
          ...['use-auth-secret', `static-auth-secret=${secret}`, `realm=${REALM}`],
          ...[`userdb=${folder}/turndb`, `pidfile=${folder}/pid`, 'log-file=stdout', 'simple-log', ''],
        ].join('\n'),
      },
      ready: /Total General servers/,
    }));
    return coturn;
  }

  /** What a browser is told. */
  get url() {
    return `turn:127.0.0.1:${this.port}?transport=tcp`;
  }

  get log() {
    return this.#daemon.log;
  }

  stop() {
    return this.#daemon?.stop();
  }

  /** Asks for a relay: `allocated`, or the error's code. */
  async allocate({ username, credential }) {
    const socket = connect(this.port, '127.0.0.1');
    try {
      await within(DEADLINE_MS, once(socket, 'connect'), 'coturn to accept');
      const replies = messages(socket);
      const ask = async (attributes, key) => {
        socket.write(message(attributes, key));
        return read((await within(DEADLINE_MS, replies.next(), 'an answer of coturn')).value);
      };
      // The first answer says under which realm and nonce to ask again.
      const first = await ask([[TRANSPORT, UDP]]);
      const [realm, nonce] = [first.attributes.get(REALM_OF), first.attributes.get(NONCE)];
      const key = createHash('md5').update(`${username}:${realm}:${credential}`).digest();
      const named = [
        [USERNAME, Buffer.from(username)],
        [REALM_OF, realm],
        [NONCE, nonce],
      ];
      return outcome(await ask([[TRANSPORT, UDP], ...named], key));
    } finally {
      socket.destroy();
    }
  }
}

function message(attributes, key) {
  const parts = attributes.map(([type, value]) => attribute(type, value));
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt16BE(ALLOCATE, 0);
  // With the seal that follows, which is 24 bytes.
  head.writeUInt16BE(body.length + (key ? 24 : 0), 2);
  head.writeUInt32BE(COOKIE, 4);
  randomBytes(12).copy(head, 8);
  const whole = Buffer.concat([head, body]);
  if (!key) return whole;
  return Buffer.concat([whole, attribute(INTEGRITY, createHmac('sha1', key).update(whole).digest())]);
}

function attribute(type, value) {
  const padded = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  padded.writeUInt16BE(type, 0);
  padded.writeUInt16BE(value.length, 2);
  value.copy(padded, 4);
  return padded;
}

/** The messages that come, one by one. */
async function* messages(socket) {
  let rest = Buffer.alloc(0);
  for await (const chunk of socket) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= HEADER_BYTES && rest.length >= HEADER_BYTES + rest.readUInt16BE(2)) {
      const length = HEADER_BYTES + rest.readUInt16BE(2);
      yield rest.subarray(0, length);
      rest = rest.subarray(length);
    }
  }
}

function read(bytes) {
  const attributes = new Map();
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const length = bytes.readUInt16BE(at + 2);
    attributes.set(bytes.readUInt16BE(at), bytes.subarray(at + 4, at + 4 + length));
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return { type: bytes.readUInt16BE(0), attributes };
}

function outcome({ type, attributes }) {
  if (type === ALLOCATED) return 'allocated';
  const code = attributes.get(ERROR_CODE);
  return code[2] * 100 + code[3];
}
