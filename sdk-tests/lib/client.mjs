// A user of the SDK: one browser, one connection, and everything the SDK tells as queues that a test can await.

import { Browser } from './browser.mjs';
import { passwordOf } from './app.mjs';
import { DEADLINE_MS, within } from './wait.mjs';

/** The SDK's own deadline for the answer to a message is 15 s; ours for its promises must be later. */
const CALL_DEADLINE_MS = 20_000;

const EVENTS = [
  'onAudioMessage',
  'onChannelMessage',
  'onCmdMessage',
  'onCombineMessage',
  'onConnected',
  'onContactAdded',
  'onContactAgreed',
  'onContactDeleted',
  'onContactInvited',
  'onContactRefuse',
  'onCustomMessage',
  'onDeliveredMessage',
  'onDisconnected',
  'onError',
  'onFileMessage',
  'onImageMessage',
  'onLocationMessage',
  'onMessagePinEvent',
  'onModifiedMessage',
  'onMultiDeviceEvent',
  'onOffline',
  'onOfflineMessageSyncFinish',
  'onOfflineMessageSyncStart',
  'onOnline',
  'onPresenceStatusChange',
  'onReactionChange',
  'onReadMessage',
  'onRecallMessage',
  'onReceivedMessage',
  'onReconnecting',
  'onStatisticMessage',
  'onTextMessage',
  'onTokenExpired',
  'onTokenWillExpire',
  'onVideoMessage',
];

/** A promise of the SDK that was rejected, with the SDK's own number in `type`. */
export class SdkError extends Error {
  constructor(method, told) {
    super(`${method}: ${told?.type ?? '?'} ${told?.message ?? told}`);
    this.type = told?.type;
    this.told = plain(told);
  }
}

/**
 * @typedef {object} How
 * @property {string} [pwd] instead of everybody's password
 * @property {string} [token] instead of a password
 * @property {Map<string, string>} [storage] an earlier page's: then it is the same device, otherwise a new one
 * @property {string} [loginExt] what a device learns that is replaced by this one
 * @property {string} [sdk] another SDK's package
 * @property {object} [options] the SDK's own
 */

export class Client {
  /** Everything told so far, in order: `[event, what]`. */
  told = [];
  /** The token of the last login. */
  accessToken = '';
  #queues = new Map();
  #waiting = new Map();

  /**
   * @param {import('./app.mjs').App} app
   * @param {string} user
   * @param {How} [how]
   */
  constructor(app, user, { storage, sdk, loginExt, options = {} } = {}) {
    this.app = app;
    this.user = user;
    this.browser = new Browser({ storage, sdk });
    this.sdk = this.browser.sdk;
    const where = {
      appKey: app.appKey,
      isHttpDNS: false,
      https: false,
      apiUrl: app.server.url,
      url: app.server.socketUrl,
    };
    this.conn = new this.sdk.connection(this.browser.own({ ...where, ...options }));
    if (loginExt) this.conn.setLoginInfoCustomExt(loginExt);
    const handler = (name) => [name, (what) => this.#hear(name, plain(what))];
    this.conn.addEventHandler('test', Object.fromEntries(EVENTS.map(handler)));
  }

  /** What the device calls itself; REST names it the same. */
  get resource() {
    return this.conn.clientResource;
  }

  /**
   * Logs in; resolves when the SDK says so.
   * @param {How} [how]
   */
  async open({ pwd, token } = {}) {
    const proof = token === undefined ? { pwd: pwd ?? passwordOf(this.user) } : { accessToken: token };
    const { accessToken } = await this.call('open', { user: this.user, ...proof });
    this.accessToken = accessToken;
  }

  /** Calls a method of the SDK's connection; a rejection is an {@link SdkError}. */
  async call(method, ...parameters) {
    try {
      const asked = Promise.resolve(this.conn[method](...this.browser.own(parameters)));
      return plain(await within(CALL_DEADLINE_MS, asked, `the SDK's ${method}`));
    } catch (told) {
      throw told instanceof Error ? told : new SdkError(method, told);
    }
  }

  /**
   * Sends a message to one user; `{serverMsgId, localMsgId, message}` once the server has it.
   * @param {string} to
   * @param {object} message as `message.create` of the SDK takes it
   */
  send(to, message) {
    return this.call('send', this.sdk.message.create(this.browser.own({ chatType: 'singleChat', to, ...message })));
  }

  /**
   * Changes a message of one's own.
   * @param {string} messageId
   * @param {string} to the receiver of the message
   * @param {object} message what it is to be, as `message.create` of the SDK takes it
   */
  modify(messageId, to, message) {
    const modifiedMessage = this.sdk.message.create(this.browser.own({ chatType: 'singleChat', to, ...message }));
    return this.call('modifyMessage', { messageId, modifiedMessage });
  }

  /** Sends a text; its id. */
  async text(to, msg, more = {}) {
    return (await this.send(to, { type: 'txt', msg, ...more })).serverMsgId;
  }

  /**
   * The first event of that name that no one has taken yet, or the first to come.
   * @param {string} event
   * @param {string} [what] for the error
   */
  next(event, what = event) {
    const queue = this.#queues.get(event) ?? [];
    if (queue.length > 0) return Promise.resolve(queue.shift());
    const comes = new Promise((resolve) => {
      this.#waiting.set(event, [...(this.#waiting.get(event) ?? []), resolve]);
    });
    return within(DEADLINE_MS, comes, `${this.user}'s ${what}; so far ${this.toldNames()}`);
  }

  /** As many events of that name. */
  async take(event, count) {
    const all = [];
    while (all.length < count) all.push(await this.next(event, `${event} ${all.length + 1} of ${count}`));
    return all;
  }

  /** All events of that name until now, taken or not. */
  seen(event) {
    return this.told.filter(([name]) => name === event).map(([, what]) => what);
  }

  /** What was told so far, for people. */
  toldNames() {
    const counts = new Map();
    for (const [name, what] of this.told) {
      const key = what?.type === undefined ? name : `${name}(${what.type})`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return [...counts].map(([key, count]) => (count > 1 ? `${count} x ${key}` : key)).join(', ') || 'nothing';
  }

  /** Logs out, and waits until the line is closed. */
  async logout() {
    const socket = this.browser.sockets.at(-1);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    this.conn.close();
    await within(DEADLINE_MS, closed, 'the socket to close');
    this.closeTab();
  }

  /** The tab is gone without a word; nothing of this client runs on. */
  closeTab() {
    this.browser.close();
  }

  /** The line drops; the SDK will come back by itself. */
  cutLine() {
    this.browser.cutLine();
  }

  #hear(event, what) {
    this.told.push([event, what]);
    const [first, ...others] = this.#waiting.get(event) ?? [];
    this.#waiting.set(event, others);
    if (first) first(what);
    else this.#queues.set(event, [...(this.#queues.get(event) ?? []), what]);
  }
}

/** A copy in this realm, data only: what comes out of a page's realm is equal to nothing in ours. */
function plain(value, depth = 0) {
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? undefined : value;
  if (depth > 6) return undefined;
  if (Array.isArray(value)) return Array.from(value, (one) => plain(one, depth + 1));
  const entries = Object.entries(value).filter(([, one]) => typeof one !== 'function');
  return Object.fromEntries(entries.map(([key, one]) => [key, plain(one, depth + 1)]));
}
