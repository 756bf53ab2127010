// An app's backend as hooks see it: a server on this machine that checks every call with the official library of
// Standard Webhooks, and answers as the test says.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';

import { Webhook } from 'standardwebhooks';

import { DEADLINE_MS, within } from './wait.mjs';

/** Longer than the first pause between two attempts, which is up to 5.5 s. */
const RETRY_DEADLINE_MS = DEADLINE_MS + 10_000;

/**
 * @typedef {{id: string, type: string, data: any, timestamp: string, signature: string, answer: (status: number, body?: unknown) => void}} Call
 */

export class Backend {
  /** All calls so far. */
  calls = [];
  /** Answers a call; a test may replace it. */
  react = (call) => call.answer(200);
  #secret;
  #fault;
  #untaken = [];
  #waiting = [];
  #server = createServer((request, response) => void this.#receive(request, response));

  static async start() {
    const backend = new Backend();
    backend.#server.listen(0, '127.0.0.1');
    await once(backend.#server, 'listening');
    return backend;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}/hook`;
  }

  /**
   * Makes a hook of the app that calls this backend; gives what the command line prints.
   * @param {import('./app.mjs').App} app
   * @param {...string} flags of `yinxin hook add`
   */
  async hook(app, ...flags) {
    const made = await app.server.cli('hook', 'add', app.path.slice(1), this.url, ...flags);
    this.#secret = made.secret;
    return made;
  }

  /** What calls are signed with from now on. */
  set secret(secret) {
    this.#secret = secret;
  }

  /**
   * The first call of that type that no one has taken yet, or the first to come.
   * @param {string} type
   * @returns {Promise<Call>}
   */
  async next(type) {
    if (this.#fault) throw this.#fault;
    const at = this.#untaken.findIndex((call) => call.type === type);
    if (at >= 0) return this.#untaken.splice(at, 1)[0];
    const comes = new Promise((resolve, reject) => this.#waiting.push({ type, resolve, reject }));
    return within(RETRY_DEADLINE_MS, comes, `a call ${type}; so far ${this.calls.map((call) => call.type)}`);
  }

  /** As many calls of that type. */
  async take(type, count) {
    const all = [];
    while (all.length < count) all.push(await this.next(type));
    return all;
  }

  stop() {
    this.#server.close();
    this.#server.closeAllConnections();
    if (this.#fault) throw this.#fault;
  }

  async #receive(request, response) {
    try {
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) body += chunk;
      const { type, timestamp, data } = new Webhook(this.#secret).verify(body, request.headers);
      assert.equal(request.method, 'POST');
      assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      const answer = (status, said) => response.writeHead(status).end(said === undefined ? '' : JSON.stringify(said));
      const { 'webhook-id': id, 'webhook-signature': signature } = request.headers;
      const call = { id, type, timestamp, data, signature, answer };
      this.calls.push(call);
      this.react(call);
      const at = this.#waiting.findIndex((one) => one.type === type);
      if (at >= 0) this.#waiting.splice(at, 1)[0].resolve(call);
      else this.#untaken.push(call);
    } catch (fault) {
      // A connection that broke off is the server's that was killed.
      if (request.destroyed && !request.complete) return;
      this.#fault ??= fault;
      this.#waiting.forEach(({ reject }) => reject(fault));
      response.writeHead(500).end();
    }
  }
}
