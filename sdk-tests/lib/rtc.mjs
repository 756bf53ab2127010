// The vendor's RTC SDK where it is at home: pages in headless Chromium with a microphone that is not there.

import { Site } from './site.mjs';
import { DEADLINE_MS, within } from './wait.mjs';

const SDK = 'nertc-web-sdk';
const FLAGS = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

/** An app's page: it keeps the SDK's client, and what the SDK tells. Reports and the vendor's own hosts are switched off. */
const HTML = `<!doctype html><meta charset="utf-8"><title>room</title>
<script src="/${SDK}.js"></script>
<script>
  const told = {}, waiting = {};
  window.seen = [];
  function hear(name, what) {
    const told_now = what === undefined ? null : JSON.parse(JSON.stringify(what));
    window.seen.push([name, told_now]);
    const first = (waiting[name] ||= []).shift();
    first ? first(told_now) : (told[name] ||= []).push(told_now);
  }
  window.next = (name) => told[name]?.length ? told[name].shift()
    : new Promise((resolve) => (waiting[name] ||= []).push(resolve));
  window.start = (appkey, events) => {
    Object.assign(NERTC.getParameters(), { disableAllReports: true, disableLBSService: true });
    window.client = NERTC.createClient({ appkey });
    for (const name of events) client.on(name, (what) => hear(name, what));
  };
</script>`;

const EVENTS = [
  'channel-closed',
  'client-banned',
  'connection-state-change',
  'custom-data',
  'error',
  'peer-leave',
  'peer-online',
  'permkey-timeout',
  'permkey-will-expire',
  'uid-duplicate',
  'warning',
];

/** Chromium, and the site that the pages come from. */
export class RtcSite {
  #site;

  static async start() {
    const rtc = new RtcSite();
    rtc.#site = await Site.start({ pages: { '/': HTML }, packages: [SDK], flags: FLAGS });
    return rtc;
  }

  /** A page of its own, with the SDK loaded for that app. */
  async page(app, appKey = app.rooms.appKey) {
    const context = await this.#site.profile();
    const page = new RtcPage(await context.newPage(), app);
    await page.load(this.#site.url, appKey);
    return page;
  }

  stop() {
    return this.#site.stop();
  }
}

class RtcPage {
  /** The hosts that the page has talked to. */
  hosts = new Set();
  #page;
  #app;

  constructor(page, app) {
    this.#page = page;
    this.#app = app;
    page.on('request', (request) => this.hosts.add(new URL(request.url()).host));
    page.on('websocket', (socket) => this.hosts.add(new URL(socket.url()).host));
  }

  async load(url, appKey) {
    this.home = new URL(url).host;
    await this.#page.goto(url);
    await this.#page.evaluate(([key, events]) => window.start(key, events), [appKey, EVENTS]);
  }

  /**
   * Joins a room, or throws what the SDK says, with its `code` and `extraCode`.
   * @param {{uid: number | string, token?: string, permKey?: string, customData?: string}} options
   */
  async join(channelName, options) {
    const channelServer = `${this.#app.server.url}/nrtc/getChannelInfos.action`;
    const given = { channelName, ...options, neRtcServerAddresses: { channelServer } };
    await this.call('join', given);
  }

  leave = () => this.call('leave');

  /** Calls the client of the SDK. */
  async call(method, ...parameters) {
    const fault = await this.#page.evaluate(
      async ([name, given]) => {
        try {
          await window.client[name](...given);
          return null;
        } catch (told) {
          return { code: told.code ?? told.getCode?.(), extraCode: told.extraCode, message: told.message };
        }
      },
      [method, parameters],
    );
    if (fault) throw Object.assign(new Error(`${method}: ${fault.code} ${fault.extraCode} ${fault.message}`), fault);
  }

  /** Sends what the microphone has. */
  publish(uid) {
    return this.#page.evaluate(async (given) => {
      const stream = NERTC.createStream({ uid: given, audio: true, video: false });
      await stream.init();
      await window.client.publish(stream).catch(() => {});
    }, uid);
  }

  /** `CONNECTED`, `DISCONNECTED`, … */
  state() {
    return this.#page.evaluate(() => window.client.getConnectionState());
  }

  /** The next that the SDK tells under that name. */
  next(event) {
    return within(
      DEADLINE_MS,
      this.#page.evaluate((name) => window.next(name), event),
      `the page's ${event}`,
    );
  }

  /** Waits until the SDK's connection has come into that state; by itself after it was lost, or not. */
  async until(state, { reconnect = false } = {}) {
    for (;;) {
      const now = await this.next('connection-state-change');
      if (now.curState === state && now.reconnect === reconnect) return;
    }
  }

  /** All that the SDK has told under that name. */
  seen(event) {
    return this.#page.evaluate(
      (wanted) => window.seen.filter(([name]) => name === wanted).map(([, what]) => what),
      event,
    );
  }

  /** All that it has told, for a story that fails. */
  log() {
    return this.#page.evaluate(() => JSON.stringify(window.seen));
  }

  /** Closes the page, as somebody who closes the tab. */
  close() {
    return this.#page.context().close();
  }

  /** Ends the page without any warning. */
  async crash() {
    const session = await this.#page.context().newCDPSession(this.#page);
    // The call never answers: the page that should is gone.
    void session.send('Page.crash').catch(() => {});
  }
}
