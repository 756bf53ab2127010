// The Lanying SDK in a page of headless Chromium, whose origin is not the API's.

import { passwordOf } from './app.mjs';
import { Site } from './site.mjs';
import { DEADLINE_MS, within } from './wait.mjs';

const PAGE = `<!doctype html><meta charset="utf-8"><title>chat</title>
<script src="/qnweb-im.js"></script>
<script>
  const told = {}, waiting = {};
  function hear(name, what) {
    const first = (waiting[name] ||= []).shift();
    first ? first(what) : (told[name] ||= []).push(what);
  }
  window.next = (name) => told[name]?.length ? told[name].shift()
    : new Promise((resolve) => (waiting[name] ||= []).push(resolve));
  window.start = async (options, events) => {
    window.im = QNIM.init(options);
    for (const name of events) im.on(name, (what) => hear(name, what));
    while (!im.isReady()) await new Promise((resolve) => setTimeout(resolve, 5));
  };
</script>`;

const EVENTS = ['loginFail', 'loginSuccess', 'onRosterMessage'];

export class LanyingPages {
  #site;

  static async start() {
    const pages = new LanyingPages();
    pages.#site = await Site.start({ pages: { '/': PAGE }, packages: ['qnweb-im'] });
    return pages;
  }

  /** A page of a browser of its own, where the SDK knows where the servers are. */
  async open(app) {
    const context = await this.#site.profile();
    const page = await context.newPage();
    await page.goto(this.#site.url);
    const dnsServer = `${app.server.url}/v2/app_dns`;
    const options = { appid: app.lanying.app_id, ws: false, autoLogin: false, dnsServer };
    const started = page.evaluate(([given, events]) => window.start(given, events), [options, EVENTS]);
    await within(DEADLINE_MS, started, 'the address book');
    return new Page(page);
  }

  stop() {
    return this.#site.stop();
  }
}

class Page {
  #page;

  constructor(page) {
    this.#page = page;
  }

  /** Logs in; the user's number. */
  async login(user) {
    await this.#page.evaluate((given) => window.im.login(given), { name: user, password: passwordOf(user) });
    await this.next('loginSuccess');
    return this.#page.evaluate(() => window.im.userManage.getUid());
  }

  /** Tries another password; what the SDK says. */
  async refused(user) {
    await this.#page.evaluate((given) => window.im.login(given), { name: user, password: 'wrong' });
    return this.next('loginFail');
  }

  send(uid, content) {
    return this.#page.evaluate((given) => void window.im.sysManage.sendRosterMessage(given), { uid, content });
  }

  next(event) {
    const told = this.#page.evaluate(async (name) => JSON.parse(JSON.stringify(await window.next(name))), event);
    return within(DEADLINE_MS, told, `the page's ${event}`);
  }
}
