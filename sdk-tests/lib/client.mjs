// A user of the SDK: one browser, one connection, and everything the SDK tells as queues that a test can await.

import { Browser } from './browser.mjs';
import { passwordOf } from './app.mjs';
import { Told, plain } from './told.mjs';
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

export class Client extends Told {
  /** The token of the last login. */
  accessToken = '';

  /**
   * @param {import('./app.mjs').App} app
   * @param {string} user
   * @param {How} [how]
   */
  constructor(app, user, { storage, sdk, loginExt, options = {} } = {}) {
    super(user);
    this.app = app;
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
    const handler = (name) => [name, (what) => this.hear(name, plain(what))];
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
}
