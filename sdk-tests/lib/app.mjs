// One app on a server, and what its backend would call: the REST API with the app's rights.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import { request } from './http.mjs';
import { Rooms } from './rooms.mjs';

/** The password of everybody in the tests. */
export const passwordOf = (name) => `pw-${name}`;

export class App {
  #token = '';

  /**
   * @param {import('./server.mjs').Server} server
   * @param {{app_key: string, org: string, app: string, easemob: {client_id: string, client_secret: string},
   *   netease: {app_key: string, app_secret: string, perm_secret: string}, lanying: {app_id: string}}} made
   */
  constructor(server, made) {
    this.server = server;
    this.appKey = made.app_key;
    this.path = `/${made.org}/${made.app}`;
    this.clientId = made.easemob.client_id;
    this.clientSecret = made.easemob.client_secret;
    this.rooms = new Rooms(server, made.netease);
    this.lanying = made.lanying;
  }

  /** The base of all REST calls. */
  get url() {
    return `${this.server.url}${this.path}`;
  }

  /**
   * Calls the API and expects success.
   * @param {string} method
   * @param {string} path below the app's
   * @param {unknown} [body] sent as JSON
   * @param {string} [token] instead of the app's own
   */
  async call(method, path, body, token) {
    const answer = await this.attempt(method, path, body, token ?? (await this.token()));
    assert.equal(answer.status, 200, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Calls the API; whatever it answers. No token, no header. */
  async attempt(method, path, body, token) {
    const headers = { 'Content-Type': 'application/json' };
    if (token) headers.Authorization = `Bearer ${token}`;
    const options = { headers, body: body === undefined ? undefined : JSON.stringify(body) };
    const answer = await request(method, `${this.url}${path}`, options);
    const text = answer.body.toString('utf8');
    return { status: answer.status, headers: answer.headers, body: text === '' ? null : JSON.parse(text) };
  }

  async token() {
    if (!this.#token) {
      const credentials = { client_id: this.clientId, client_secret: this.clientSecret };
      const { status, body } = await this.attempt('POST', '/token', {
        grant_type: 'client_credentials',
        ...credentials,
      });
      assert.equal(status, 200);
      this.#token = body.access_token;
    }
    return this.#token;
  }

  // Tokens of users

  /** What a backend fetches for a user who has logged in to the backend itself. */
  async tokenOf(username, ttl = 3600) {
    const body = { grant_type: 'inherit', username, autoCreateUser: false, ttl };
    return (await this.call('POST', '/token', body)).access_token;
  }

  /**
   * What a backend computes without asking anybody.
   * @param {string} userId
   * @param {{ttl?: number, curTime?: number, clientSecret?: string}} [options] seconds
   */
  dynamicTokenOf(
    userId,
    { ttl = 3600, curTime = Math.floor(Date.now() / 1000), clientSecret = this.clientSecret } = {},
  ) {
    const signed = `${this.clientId}${this.appKey}${userId}${curTime}${ttl}${clientSecret}`;
    const signature = createHash('sha256').update(signed).digest('hex');
    const body = JSON.stringify({ signature, appkey: this.appKey, userId, curTime, ttl });
    return Buffer.from(`dt-${body}`).toString('base64url');
  }

  // Users

  async register(...usernames) {
    await this.call(
      'POST',
      '/users',
      usernames.map((username) => ({ username, password: passwordOf(username) })),
    );
  }

  setPassword = (name, newpassword) => this.call('PUT', `/users/${name}/password`, { newpassword });
  delete = (name) => this.call('DELETE', `/users/${name}`);
  ban = (name) => this.call('POST', `/users/${name}/deactivate`);
  liftBan = (name) => this.call('POST', `/users/${name}/activate`);
  kick = (name) => this.call('GET', `/users/${name}/disconnect`);
  kickDevice = (name, resource) => this.call('DELETE', `/users/${name}/disconnect/${resource}`);

  // Whom they know

  befriend = (name, other) => this.call('POST', `/users/${name}/contacts/users/${other}`);
  unfriend = (name, other) => this.call('DELETE', `/users/${name}/contacts/users/${other}`);
  block = (owner, other) => this.call('POST', `/users/${owner}/blocks/users`, { usernames: [other] });
  unblock = (owner, other) => this.call('DELETE', `/users/${owner}/blocks/users/${other}`);

  async contactsOf(name) {
    return (await this.call('GET', `/users/${name}/contacts/users`)).data;
  }

  // Where they are

  /** `online` or `offline`. */
  async statusOf(name) {
    return (await this.call('GET', `/users/${name}/status`)).data[name];
  }

  /** The same for many: `{alice: 'online', …}`. */
  async statusesOf(...usernames) {
    return Object.assign({}, ...(await this.call('POST', '/users/batch/status', { usernames })).data);
  }

  /** The resources of the devices that are connected. */
  async devicesOf(name) {
    return (await this.call('GET', `/users/${name}/resources`)).data.map((device) => device.res);
  }

  // Messages

  async undeliveredTo(name) {
    return (await this.call('GET', `/users/${name}/offline_msg_count`)).data[name];
  }

  /** `delivered` or `undelivered`. */
  async deliveryOf(name, messageId) {
    return (await this.call('GET', `/users/${name}/offline_msg_status/${messageId}`)).data[messageId];
  }

  /**
   * A message from the backend; the ids by receiver.
   * @param {{from?: string, to: string[], type: string, body: object, ext?: object}} message
   * @returns {Promise<Record<string, string>>}
   */
  async send(message) {
    return (await this.call('POST', '/messages/users', message)).data;
  }

  /** A text from the backend; its id. */
  async sendText(from, to, msg) {
    return (await this.send({ from, to: [to], type: 'txt', body: { msg } }))[to];
  }
}
