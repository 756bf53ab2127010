// A yinxin server of a test's own: the built binary on a temporary folder and a free port.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { App } from './app.mjs';
import { within } from './wait.mjs';

const BINARY = process.env.YINXIN_BIN ?? fileURLToPath(new URL('../../target/debug/yinxin', import.meta.url));
/** Lets a child end with this process even when this process is killed; part of every Linux's util-linux. */
const SETPRIV = '/usr/bin/setpriv';
/** Longer than a start or an end ever takes; a bound for failures only. */
const DEADLINE_MS = 30_000;

export class Server {
  /** `http://127.0.0.1:PORT` */
  url = '';
  #folder = mkdtempSync(join(tmpdir(), 'yinxin-sdk-'));
  #child = null;
  #log = [];
  #apps = 0;
  #settings;
  #cleanUp = () => this.#vanish();

  /** @param {Record<string, string>} [settings] variables of its environment */
  static async start(settings = {}) {
    const server = new Server();
    server.#settings = settings;
    process.on('exit', server.#cleanUp);
    // Without these a signal would end this process past its `exit`.
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
    await server.#serve('127.0.0.1:0');
    return server;
  }

  /** `ws://127.0.0.1:PORT/ws`, what the SDK's option `url` is. */
  get socketUrl() {
    return `${this.url.replace(/^http/, 'ws')}/ws`;
  }

  /** The end of the server's log, for a test that has failed. */
  get log() {
    return this.#log.slice(-50).join('\n');
  }

  /**
   * A new app, so that no test sees another's users.
   * @param {...string} settings flags of `yinxin app create`
   */
  async app(...settings) {
    this.#apps += 1;
    const made = await this.cli('app', 'create', `easemob-demo/app${this.#apps}`, '--open-registration', ...settings);
    return new App(this, made);
  }

  /** Runs a command of the binary for this server; what it prints as JSON. */
  async cli(...words) {
    const child = spawn(BINARY, [...words, '--json', '--data', this.#folder], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    if (code !== 0) throw new Error(`yinxin ${words.join(' ')} ended with ${code}: ${err}`);
    return JSON.parse(out);
  }

  /** Ends the server without any warning; `restart` brings it back. */
  async crash() {
    await this.#end('SIGKILL');
  }

  /** Starts it again, on the same folder and port. */
  async restart() {
    await this.#serve(new URL(this.url).host);
  }

  async stop() {
    process.off('exit', this.#cleanUp);
    await this.#end('SIGTERM');
    this.#vanish();
  }

  async #serve(listen) {
    const words = [BINARY, 'serve', '--data', this.#folder, '--listen', listen, '--no-demo'];
    if (existsSync(SETPRIV)) words.unshift(SETPRIV, '--pdeathsig', 'KILL', '--');
    const env = { ...environment(), ...this.#settings };
    const child = spawn(words[0], words.slice(1), { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    createInterface(child.stderr).on('line', (line) => this.#log.push(line));
    const announced = (async () => {
      for await (const line of createInterface(child.stdout)) {
        const [, url] = /^yinxin listening on (http:\/\/\S+)$/.exec(line) ?? [];
        if (url) return url;
      }
      throw new Error(`the server ended before it listened:\n${this.log}`);
    })();
    this.url = await within(DEADLINE_MS, announced, 'the server to listen');
    child.stdout.resume();
  }

  async #end(signal) {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill(signal);
    await within(DEADLINE_MS, closed, `the server to end by ${signal}`).catch((fault) => {
      child.kill('SIGKILL');
      throw fault;
    });
  }

  /** Whatever happened, leaves neither a process nor a folder behind. */
  #vanish() {
    this.#child?.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** This process's environment without what would configure a server. */
function environment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('YINXIN_')));
}

async function text(stream) {
  let all = '';
  for await (const chunk of stream.setEncoding('utf8')) all += chunk;
  return all;
}
