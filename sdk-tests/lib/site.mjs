// Headless Chromium, and a site whose pages load SDKs from npm: an origin that is not the API's.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { createRequire } from 'node:module';

import { chromium } from 'playwright-core';

const { resolve } = createRequire(import.meta.url);
const CHROMIUM = '/usr/bin/chromium';
// Nothing of the browser's own may use the network, no name of any host is known, and no sandbox exists where tests run
// as root.
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
];

export class Site {
  #server;
  #browser;

  /**
   * @param {{pages: Record<string, string>, packages: string[], flags?: string[]}} has pages by path, in which
   *   `/NAME.js` is the script of the npm package NAME
   */
  static async start({ pages, packages, flags = [] }) {
    const site = new Site();
    const serve = async ({ url }, reply) => {
      const [, script] = /^\/([a-z-]+)\.js$/.exec(url) ?? [];
      if (packages.includes(script))
        reply.setHeader('Content-Type', 'text/javascript').end(await readFile(resolve(script)));
      else if (pages[url]) reply.setHeader('Content-Type', 'text/html; charset=utf-8').end(pages[url]);
      else reply.writeHead(204).end();
    };
    site.#server = createServer((request, reply) => void serve(request, reply)).listen(0, '127.0.0.1');
    await once(site.#server, 'listening');
    site.#browser = await chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...flags] });
    return site;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}/`;
  }

  /** A fresh profile. */
  profile() {
    return this.#browser.newContext();
  }

  async stop() {
    await this.#browser?.close();
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
