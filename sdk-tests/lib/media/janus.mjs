// Janus with signed tokens, and a client of its REST API.

import assert from 'node:assert/strict';

import { request } from '../http.mjs';
import { Daemon, freePort } from './daemon.mjs';

/** The plug-ins that run; the others of the package are of no use here. */
const PLUGINS = ['videoroom', 'echotest'];
const OTHERS = ['audiobridge', 'duktape', 'lua', 'nosip', 'recordplay', 'sip', 'streaming', 'textroom', 'videocall'];
const files = (names) => names.map((name) => `libjanus_${name}.so`).join(',');

/** The code with which a request without the right token is refused. */
export const UNAUTHORIZED = 403;
/** The code for a plug-in that the token does not name. */
export const NO_PLUGIN = 405;
/** The VideoRoom's code for a join without the right token. */
export const NO_ROOM = 433;

export class Janus {
  #daemon;

  /**
   * @param {string} secret
   * @param {number[]} rooms each needs a token of its own
   */
  static async start(secret, rooms) {
    const janus = new Janus();
    const port = await freePort();
    janus.url = `http://127.0.0.1:${port}/janus`;
    janus.#daemon = await Daemon.start((folder) => ({
      words: ['janus', `--config=${folder}/janus.jcfg`, `--configs-folder=${folder}`, '--interface=127.0.0.1'],
      files: {
        'janus.jcfg': `
          general: { log_to_stdout = true, debug_colors = false, token_auth = true, token_auth_secret = "${secret}" }
          plugins: { disable = "${files([...OTHERS, 'voicemail'])}" }
          transports: { disable = "${files(['mqtt', 'nanomsg', 'pfunix', 'rabbitmq', 'websockets'])}" }
        `,
        'janus.transport.http.jcfg': `general: { http = true, ip = "127.0.0.1", port = ${port}, https = false }`,
        'janus.plugin.videoroom.jcfg': rooms.map((id) => `room-${id}: { signed_tokens = true }`).join('\n'),
        ...Object.fromEntries(PLUGINS.slice(1).map((name) => [`janus.plugin.${name}.jcfg`, ''])),
      },
      ready: /^JANUS REST \(HTTP\/HTTPS\) transport plugin initialized!/,
    }));
    return janus;
  }

  get log() {
    return this.#daemon.log;
  }

  stop() {
    return this.#daemon?.stop();
  }

  /** Opens a session; the error's code when that is refused. */
  async session(token) {
    const reply = await this.#ask('', { janus: 'create' }, token);
    return reply.error?.code ?? { path: `/${reply.data.id}`, token };
  }

  /** Takes a plug-in into use; the error's code when that is refused. */
  async attach({ path, token }, plugin) {
    const reply = await this.#ask(path, { janus: 'attach', plugin }, token);
    return reply.error?.code ?? { path: `${path}/${reply.data.id}`, session: path, token };
  }

  /** Joins a video room: `joined`, or the error's code. */
  async join(handle, room, roomToken) {
    const body = { request: 'join', ptype: 'publisher', room, token: roomToken };
    const reply = await this.#ask(handle.path, { janus: 'message', body }, handle.token);
    assert.equal(reply.janus, 'ack', JSON.stringify(reply));
    const { plugindata } = await this.#event(handle);
    return plugindata.data.error_code ?? plugindata.data.videoroom;
  }

  /** The next event of a session, when it comes. */
  async #event({ session, token }) {
    for (;;) {
      const answer = await request('GET', `${this.url}${session}?token=${encodeURIComponent(token)}`);
      const event = JSON.parse(answer.body.toString('utf8'));
      if (event.janus === 'event') return event;
      assert.equal(event.janus, 'keepalive', JSON.stringify(event));
    }
  }

  async #ask(path, what, token) {
    const body = JSON.stringify({ ...what, transaction: 't', token });
    const answer = await request('POST', `${this.url}${path}`, { body });
    return JSON.parse(answer.body.toString('utf8'));
  }
}
