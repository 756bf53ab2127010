// A user of the Lanying SDK: one browser, one login, and everything the SDK tells as queues that a test can await.

import { Browser } from './browser.mjs';
import { passwordOf } from './app.mjs';
import { request } from './http.mjs';
import { Told, plain } from './told.mjs';
import { DEADLINE_MS, within } from './wait.mjs';

const EVENTS = [
  'flooError',
  'flooNotice',
  'loginFail',
  'loginSuccess',
  'onInputStatusMessage',
  'onMessageCanceled',
  'onMessageDeleted',
  'onMessageRecalled',
  'onMessageStatusChanged',
  'onReceiveHistoryMsg',
  'onRosterListUpdate',
  'onRosterMessage',
  'onSendingMessageStatusChanged',
  'userKicked',
];

export class LanyingClient extends Told {
  /** The user's number, once it is known. */
  uid = 0;

  /**
   * @param {import('./app.mjs').App} app
   * @param {string} user
   * @param {{storage?: Map<string, string>}} [how] `storage` is an earlier page's: then it is the same device
   */
  constructor(app, user, { storage } = {}) {
    super(user);
    this.app = app;
    this.browser = new Browser({ storage, sdk: 'qnweb-im' });
    const dnsServer = `${app.server.url}/v2/app_dns`;
    const options = { appid: app.lanying.app_id, ws: false, autoLogin: false, dnsServer };
    this.im = this.browser.sdk.init(this.browser.own(options));
    for (const name of EVENTS) this.im.on(name, (what) => this.hear(name, plain(what)));
  }

  /** Logs in by name; resolves when the SDK says so, and throws what it says instead. */
  login(password = passwordOf(this.user)) {
    return this.#login('login', { name: this.user, password });
  }

  /** The same by number. */
  loginById(uid, password = passwordOf(this.user)) {
    return this.#login('idLogin', { user_id: uid, password });
  }

  /** The same with a token that was given before. */
  loginByToken(uid, token) {
    return this.#login('tokenLogin', uid, token);
  }

  /** The token that the SDK keeps. */
  get token() {
    return this.im.userManage.getToken();
  }

  /** Sends a text, or what else the message says; resolves with the SDK's own copy when the server has it. */
  async send(to, message) {
    this.im.sysManage.sendRosterMessage(this.browser.own({ uid: to.uid ?? to, ...message }));
    const status = await this.status((one) => one.status !== 'sending');
    if (status.status !== 'sent') throw Object.assign(new Error(`not sent: ${status.status}`), { status });
    return this.next('onRosterMessage', 'own message');
  }

  /** The next change of a message that is being sent that is as wanted. */
  async status(isWanted) {
    for (;;) {
      const status = await this.next('onSendingMessageStatusChanged');
      if (isWanted(status)) return status;
    }
  }

  /** The next notice of the SDK of that category. */
  async notice(category, what = `a notice ${category}`) {
    for (;;) {
      const notice = await this.next('flooNotice', what);
      if (notice.category === category) return notice.desc;
    }
  }

  /** Calls something of the SDK's, such as `rosterManage.readRosterMessage`. */
  call(path, ...parameters) {
    const [part, method] = path.split('.');
    return plain(this.im[part][method](...this.browser.own(parameters)));
  }

  /** Uploads a file as a page does; resolves with its address. */
  async upload(file, how) {
    const given = Object.assign(this.browser.own(how), { file });
    const uploaded = this.im.sysManage.asyncFileUpload(given);
    return (await within(DEADLINE_MS, uploaded, `${this.user}'s upload`)).url;
  }

  /** A call of REST with the user's token, which must succeed; its data. */
  async rest(method, path, body) {
    const headers = { app_id: this.app.lanying.app_id, 'access-token': this.token, 'Content-Type': 'application/json' };
    const options = { headers, body: body && JSON.stringify(body) };
    const { code, message, data } = JSON.parse((await request(method, `${this.app.server.url}${path}`, options)).body);
    if (code !== 200) throw new Error(`${method} ${path}: ${code} ${message}`);
    return data;
  }

  /** Logs out, and waits until the line is closed. */
  async logout() {
    const socket = this.browser.sockets.at(-1);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    this.im.disConnect();
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

  async #login(method, ...parameters) {
    await this.#ready();
    this.im[method](...this.browser.own(parameters));
    const refused = this.next('loginFail', 'refusal').then((why) => {
      throw new Error(why);
    });
    // Only one of the two comes.
    refused.catch(() => {});
    await Promise.race([this.next('loginSuccess', 'login'), refused]);
    this.uid = this.im.userManage.getUid();
  }

  /** The SDK asks where the servers are before it can log in, and does not tell when it knows. */
  async #ready() {
    const isReady = async () => {
      while (!this.im.isReady()) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await within(DEADLINE_MS, isReady(), 'the address book');
  }
}
