// A media server from Debian that a test runs beside yinxin: on loopback, in a folder of its own, gone with the test.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { within } from '../wait.mjs';

/** Lets a child end with this process even when this process is killed; part of every Linux's util-linux. */
const SETPRIV = '/usr/bin/setpriv';
/** Longer than a start or an end ever takes; a bound for failures only. */
const DEADLINE_MS = 30_000;

/** A port that is free now. Two servers of a test ask one after the other, so they do not get the same. */
export async function freePort() {
  const socket = createServer().listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

export class Daemon {
  #folder = mkdtempSync(join(tmpdir(), 'yinxin-media-'));
  #log = [];
  #child = null;
  #cleanUp = () => this.#vanish();

  /**
   * @param {(folder: string) => {words: string[], files: Record<string, string>, ready: RegExp}} plan what is run, what
   *   stands in its folder, and the line it prints when it listens
   */
  static async start(plan) {
    const daemon = new Daemon();
    process.on('exit', daemon.#cleanUp);
    await daemon.#run(plan(daemon.#folder)).catch(async (fault) => {
      await daemon.stop();
      throw fault;
    });
    return daemon;
  }

  /** The end of what it printed, for a test that has failed. */
  get log() {
    return this.#log.slice(-50).join('\n');
  }

  async stop() {
    process.off('exit', this.#cleanUp);
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) {
      const closed = once(child, 'close');
      // Nothing of theirs is kept, so nothing is to be finished.
      child.kill('SIGKILL');
      await within(DEADLINE_MS, closed, `${child.spawnfile} to end`);
    }
    this.#vanish();
  }

  async #run({ words, files, ready }) {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.#folder, name), text);
    const whole = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL', '--', ...words] : words;
    const child = spawn(whole[0], whole.slice(1), { cwd: this.#folder, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const listening = new Promise((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface(stream).on('line', (line) => {
          this.#log.push(line);
          if (ready.test(line)) resolve();
        });
      }
      child.on('error', reject);
      child.on('close', () => reject(new Error(`${words[0]} ended before it listened:\n${this.log}`)));
    });
    await within(DEADLINE_MS, listening, `${words[0]} to listen`);
  }

  #vanish() {
    this.#child?.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
