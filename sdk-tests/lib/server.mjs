// A yinxin server of a test's own: the built binary on a temporary folder and a free port, and, when
// YINXIN_TEST_ENGINE=postgres, on a database of its own on the server at YINXIN_TEST_POSTGRES (see tools/postgres).

import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
/** The PostgreSQL that servers keep their data in, as a URL without a database; null: in their folders. */
const POSTGRES = postgres();

export class Server {
  /** `http://127.0.0.1:PORT` */
  url = '';
  #folder = mkdtempSync(join(tmpdir(), 'yinxin-sdk-'));
  #config = join(this.#folder, 'yinxin.toml');
  #child = null;
  #log = [];
  #database = POSTGRES && `sdk_${randomBytes(8).toString('hex')}`;
  #apps = 0;
  #cleanUp = () => this.#vanish();

  /** @param {{config?: string}} [options] config: TOML beside the defaults */
  static async start({ config = '' } = {}) {
    const server = new Server();
    writeFileSync(server.#config, config);
    process.on('exit', server.#cleanUp);
    // Without these a signal would end this process past its `exit`.
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
    if (server.#database) psql(`CREATE DATABASE ${server.#database}`);
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

  /** Ends the server as an operator does. */
  async end() {
    await this.#end('SIGTERM');
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
    const words = [BINARY, 'serve', '--data', this.#folder, '--config', this.#config];
    words.push('--listen', listen, '--no-demo');
    if (existsSync(SETPRIV)) words.unshift(SETPRIV, '--pdeathsig', 'KILL', '--');
    const place = this.#database ? { YINXIN_DATABASE__URL: `${POSTGRES}/${this.#database}` } : {};
    const env = { ...environment(), ...place };
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

  /** Whatever happened, leaves neither a process nor a folder nor a database behind. */
  #vanish() {
    this.#child?.kill('SIGKILL');
    if (this.#database) psql(`DROP DATABASE IF EXISTS ${this.#database} WITH (FORCE)`);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function postgres() {
  const { YINXIN_TEST_ENGINE: engine = '', YINXIN_TEST_POSTGRES: url = '' } = process.env;
  if (['', 'sqlite'].includes(engine)) return null;
  if (engine !== 'postgres') throw new Error(`YINXIN_TEST_ENGINE is sqlite or postgres, not ${engine}`);
  if (!url) throw new Error('YINXIN_TEST_POSTGRES is not set: see tools/postgres');
  return url;
}

function psql(statement) {
  const words = ['--no-psqlrc', '--quiet', '--dbname', `${POSTGRES}/postgres`, '--command', statement];
  execFileSync('psql', words, { env: { ...process.env, PGOPTIONS: '-c client_min_messages=warning' } });
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
