// The least of a browser that the SDK needs, made of Node's parts: one `Browser` is one tab on one device.
//
// Each has globals of its own (a `vm` context), so two SDK instances in one process share no identity; what a device
// remembers between page loads is its `storage`, which the next `Browser` may be given. Closing a browser is what
// closing a tab is: sockets drop, requests end, timers stop, and nothing of the SDK runs on.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import vm from 'node:vm';

import WebSocket from 'ws';

import { xhrFor } from './xhr.mjs';

const require = createRequire(import.meta.url);
/** The SDKs by the names under which npm installed them, each read once. */
const scripts = new Map();
/** Where the page claims to come from. */
const PAGE = new URL('http://app.example/chat.html');

export class Browser {
  /** What the device remembers, as `localStorage` shows it. */
  storage;
  /** The websockets that the page has opened, in order. */
  sockets = [];
  /** The SDK's module, as a script tag would leave it in `window`. */
  sdk;
  /** The page's own basic classes; to the SDK, only an `Object` of these is an object. */
  #realm;
  #isOpen = true;
  #timers = new Set();
  #abort = new AbortController();

  /** @param {{storage?: Map<string, string>, sdk?: string}} [options] `sdk` is the npm package, from package.json */
  constructor({ storage = new Map(), sdk = 'easemob-websdk' } = {}) {
    this.storage = storage;
    const window = vm.createContext(this.#globals());
    window.window = window;
    window.self = window;
    this.#realm = vm.runInContext('({ Object, Array })', window);
    script(sdk).runInContext(window);
    const module = window.websdk ?? window.QNIM;
    // Older ones keep it under `default`.
    this.sdk = module.default ?? module;
  }

  /** The value as the page itself would have written it: objects and lists copied, all else as it is. */
  own(value) {
    if (Array.isArray(value)) return this.#realm.Array.from(value, (one) => this.own(one));
    if (Object.getPrototypeOf(value ?? 0) !== Object.prototype) return value;
    const copy = new this.#realm.Object();
    for (const [key, one] of Object.entries(value)) copy[key] = this.own(one);
    return copy;
  }

  close() {
    this.#isOpen = false;
    this.#timers.forEach(clearTimeout);
    this.#abort.abort();
    this.cutLine();
  }

  /** The line is lost: no closing handshake, and the SDK is free to connect again. */
  cutLine() {
    this.sockets.forEach((socket) => socket.terminate());
  }

  #globals() {
    return {
      console: QUIET,
      ...this.#clocks(),
      WebSocket: this.#socketClass(),
      XMLHttpRequest: xhrFor(this.#abort.signal),
      localStorage: localStorageOn(this.storage),
      location: {
        href: PAGE.href,
        protocol: PAGE.protocol,
        host: PAGE.host,
        hostname: PAGE.hostname,
        origin: PAGE.origin,
      },
      navigator: { userAgent: 'Mozilla/5.0 (X11; Linux x86_64) yinxin-sdk-tests', onLine: true, language: 'en' },
      document: {
        domain: PAGE.hostname,
        hidden: false,
        cookie: '',
        addEventListener() {},
        removeEventListener() {},
        // The only elements that an SDK makes are links, to have an address read.
        createElement: () => new Link(),
      },
      addEventListener() {},
      removeEventListener() {},
      // What the sockets get is of this realm.
      ArrayBuffer,
      URL,
      Blob,
      FormData,
      FileReader,
      TextEncoder,
      TextDecoder,
      atob,
      btoa,
    };
  }

  /** Timers that end with the tab. */
  #clocks() {
    const start =
      (set) =>
      (run, ms, ...rest) => {
        if (!this.#isOpen) return undefined;
        const timer = set(() => {
          if (set === setTimeout) this.#timers.delete(timer);
          run(...rest);
        }, ms);
        this.#timers.add(timer);
        return timer;
      };
    const stop = (timer) => {
      this.#timers.delete(timer);
      clearTimeout(timer);
    };
    return { setTimeout: start(setTimeout), setInterval: start(setInterval), clearTimeout: stop, clearInterval: stop };
  }

  #socketClass() {
    const browser = this;
    return class extends WebSocket {
      constructor(url, protocols) {
        super(url, protocols, { origin: PAGE.origin, perMessageDeflate: false });
        // A refused connection is told by `onerror` too; without this listener Node would end the process.
        this.on('error', () => {});
        browser.sockets.push(this);
        if (!browser.#isOpen) this.terminate();
      }

      send(data) {
        // The buffers are made in the page's realm, whose ArrayBuffer is not the one that `ws` knows.
        super.send(typeof data === 'string' ? data : Buffer.from(data));
      }
    };
  }
}

/** A link on the page: what it is set to, taken apart. */
class Link {
  #url = PAGE;

  setAttribute(name, value) {
    if (name === 'href') this.#url = new URL(value, PAGE);
  }

  static {
    for (const part of ['href', 'protocol', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'])
      Object.defineProperty(this.prototype, part, {
        get() {
          return this.#url[part];
        },
      });
  }
}

/** Reads files as far as the SDK has them read: whole, without progress. */
class FileReader extends EventTarget {
  result = null;

  /** @param {Blob} blob */
  readAsText(blob) {
    void blob.text().then((text) => this.#end(text));
  }

  /** @param {Blob} blob */
  readAsArrayBuffer(blob) {
    void blob.arrayBuffer().then((bytes) => this.#end(bytes));
  }

  #end(result) {
    this.result = result;
    for (const name of ['load', 'loadend']) this.dispatchEvent(new Event(name));
  }
}

function script(name) {
  if (!scripts.has(name))
    scripts.set(name, new vm.Script(readFileSync(require.resolve(name), 'utf8'), { filename: name }));
  return scripts.get(name);
}

/** The SDK tells the console everything; what a test needs to know it gets as events. */
const QUIET = Object.fromEntries(
  ['debug', 'dir', 'error', 'group', 'groupCollapsed', 'groupEnd', 'info', 'log', 'trace', 'warn'].map((name) => [
    name,
    () => {},
  ]),
);

/** @param {Map<string, string>} storage */
function localStorageOn(storage) {
  return {
    getItem: (key) => storage.get(String(key)) ?? null,
    setItem: (key, value) => void storage.set(String(key), String(value)),
    removeItem: (key) => void storage.delete(String(key)),
    clear: () => storage.clear(),
  };
}
