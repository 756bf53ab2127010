// The SDK where it is at home: pages in headless Chromium, served from an origin that is not the API's.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { createRequire } from 'node:module';

import { chromium } from 'playwright-core';

import { passwordOf } from './app.mjs';
import { DEADLINE_MS, within } from './wait.mjs';

const { resolve } = createRequire(import.meta.url);
/** The pages that the site has, each with the SDK of that npm package. */
const SDKS = { '/': 'easemob-websdk', '/older': 'easemob-websdk-sockjs' };
const CHROMIUM = '/usr/bin/chromium';
// Nothing of the browser's own may use the network, and no sandbox exists where tests run as root.
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Chromium and the site that the pages come from. */
export class Chromium {
  #site;
  #browser;

  static async start() {
    const chrome = new Chromium();
    chrome.#site = createServer((request, reply) => void chrome.#serve(request, reply)).listen(0, '127.0.0.1');
    await once(chrome.#site, 'listening');
    chrome.#browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
    return chrome;
  }

  /** A fresh profile, in which all tabs are one device. */
  async device() {
    return new Device(await this.#browser.newContext(), `http://127.0.0.1:${this.#site.address().port}/`);
  }

  async stop() {
    await this.#browser?.close();
    this.#site.closeAllConnections();
    this.#site.close();
  }

  async #serve(request, reply) {
    const [, script] = /^\/([a-z-]+)\.js$/.exec(request.url) ?? [];
    const sdk = SDKS[request.url];
    if (Object.values(SDKS).includes(script))
      reply.setHeader('Content-Type', 'text/javascript').end(await readFile(resolve(script)));
    else if (sdk) reply.setHeader('Content-Type', 'text/html; charset=utf-8').end(html(sdk));
    else reply.writeHead(204).end();
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

const EVENTS = ['onConnected', 'onDisconnected', 'onTextMessage', 'onContactInvited', 'onPresenceStatusChange'];

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
