// The SDK where it is at home: pages in headless Chromium, served from an origin that is not the API's.

import { passwordOf } from './app.mjs';
import { Site } from './site.mjs';
import { DEADLINE_MS, within } from './wait.mjs';

/** The pages that the site has, each with the SDK of that npm package. */
const SDKS = { '/': 'easemob-websdk', '/older': 'easemob-websdk-sockjs' };

/** Chromium and the site that the pages come from. */
export class Chromium {
  #site;

  static async start() {
    const chrome = new Chromium();
    const pages = Object.fromEntries(Object.entries(SDKS).map(([path, sdk]) => [path, html(sdk)]));
    chrome.#site = await Site.start({ pages, packages: Object.values(SDKS) });
    return chrome;
  }

  /** A fresh profile, in which all tabs are one device. */
  async device() {
    return new Device(await this.#site.profile(), this.#site.url);
  }

  stop() {
    return this.#site.stop();
  }
}

/** An app's page: it keeps the SDK's connection, and what the SDK tells. */
const html = (sdk) => `<!doctype html><meta charset="utf-8"><title>chat</title>
<script src="/${sdk}.js"></script>
<script>
  // Older ones keep it under "default".
  window.sdk = websdk.default ?? websdk;
  const told = {}, waiting = {};
  function hear(name, what) {
    const first = (waiting[name] ||= []).shift();
    first ? first(what) : (told[name] ||= []).push(what);
  }
  window.next = (name) => told[name]?.length ? told[name].shift()
    : new Promise((resolve) => (waiting[name] ||= []).push(resolve));
  window.start = (options, events) => {
    window.conn = new sdk.connection(options);
    conn.addEventHandler('page', Object.fromEntries(events.map((name) => [name, (what) => hear(name, what)])));
  };
</script>`;

const EVENTS = [
  'onConnected',
  'onContactInvited',
  'onDisconnected',
  'onImageMessage',
  'onPresenceStatusChange',
  'onTextMessage',
];

class Device {
  /** The hosts that the pages have talked to. */
  hosts = new Set();
  #context;
  #url;

  constructor(context, url) {
    this.#context = context;
    this.#url = url;
    context.on('request', (request) => this.hosts.add(new URL(request.url()).host));
  }

  /** A tab with the SDK loaded and pointed at the app's server. */
  async tab(app, path = '/') {
    const page = await this.#context.newPage();
    page.on('websocket', (socket) => this.hosts.add(new URL(socket.url()).host));
    const tab = new Tab(page, app, path);
    await tab.load(new URL(path, this.#url).href);
    return tab;
  }

  /** The host of the pages themselves. */
  get home() {
    return new URL(this.#url).host;
  }

  close() {
    return this.#context.close();
  }
}

class Tab {
  #page;
  #app;
  #socketUrl;

  constructor(page, app, path) {
    this.#page = page;
    this.#app = app;
    // SockJS asks by HTTP first.
    this.#socketUrl = path === '/' ? app.server.socketUrl : `${app.server.url}/ws`;
  }

  /** Loads the page, or without `url` loads it again. */
  async load(url) {
    await (url ? this.#page.goto(url) : this.#page.reload());
    const { appKey, server } = this.#app;
    const options = { appKey, isHttpDNS: false, https: false, apiUrl: server.url, url: this.#socketUrl };
    await this.#page.evaluate(([given, events]) => window.start(given, events), [options, EVENTS]);
  }

  /** @param {{pwd?: string, token?: string}} [how] */
  login(user, { pwd = passwordOf(user), token } = {}) {
    return this.call('open', { user, ...(token ? { accessToken: token } : { pwd }) });
  }

  /** Calls the SDK; what it gives, or an error with the SDK's `type` and `told`. */
  async call(method, ...parameters) {
    const { value, fault } = await this.#page.evaluate(
      async ([name, given]) => {
        const data = (what) => JSON.parse(JSON.stringify(what ?? null));
        try {
          return { value: data(await window.conn[name](...given)) };
        } catch (told) {
          return { fault: { type: told.type, message: told.message } };
        }
      },
      [method, parameters],
    );
    if (fault)
      throw Object.assign(new Error(`${method}: ${fault.type} ${fault.message}`), { type: fault.type, told: fault });
    return value;
  }

  /** Sends a text; its id. */
  async text(to, msg) {
    const sent = await this.#page.evaluate(
      async (given) => {
        const message = window.sdk.message.create({ type: 'txt', chatType: 'singleChat', ...given });
        return (await window.conn.send(message)).serverMsgId;
      },
      { to, msg },
    );
    return sent;
  }

  /**
   * Sends a picture that the page has drawn; its length.
   * @param {number} side in pixels
   */
  picture(to, side) {
    return this.#page.evaluate(
      async (given) => {
        const canvas = new OffscreenCanvas(given.side, given.side);
        const context = canvas.getContext('2d');
        const pixels = context.createImageData(given.side, given.side);
        // Noise, so that it is large.
        const noise = crypto.getRandomValues(new Uint8Array(65_536));
        noise.forEach((value, at) => pixels.data.set([value, at, at >> 8, 255], at * 4));
        context.putImageData(pixels, 0, 0);
        const data = await canvas.convertToBlob({ type: 'image/png' });
        const file = { data, filename: 'drawn.png', filetype: 'png', url: URL.createObjectURL(data) };
        const what = { type: 'img', chatType: 'singleChat', file, width: given.side, height: given.side };
        await window.conn.send(window.websdk.message.create({ ...what, to: given.to }));
        return data.size;
      },
      { to, side },
    );
  }

  /** Has the SDK download a file; its length. */
  download(url, secret) {
    return this.#page.evaluate(
      (given) =>
        new Promise((resolve, reject) => {
          const onFileDownloadComplete = (blob) => resolve(blob.size);
          const onFileDownloadError = (told) => reject(new Error(`download: ${told.type}`));
          window.websdk.utils.download.call(window.conn, { ...given, onFileDownloadComplete, onFileDownloadError });
        }),
      { url, secret },
    );
  }

  /** Shows a picture by its URL, as pages do; its width, or 0 when it cannot be shown. */
  show(url) {
    return this.#page.evaluate(async (src) => {
      const image = Object.assign(new Image(), { src });
      return image.decode().then(
        () => image.naturalWidth,
        () => 0,
      );
    }, url);
  }

  next(event) {
    return within(
      DEADLINE_MS,
      this.#page.evaluate((name) => window.next(name), event),
      `the page's ${event}`,
    );
  }

  resource() {
    return this.#page.evaluate(() => window.conn.clientResource);
  }
}
