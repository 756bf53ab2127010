// What an SDK tells a page, as queues that a test can await.

import { DEADLINE_MS, within } from './wait.mjs';

export class Told {
  /** Everything told so far, in order: `[event, what]`. */
  told = [];
  #queues = new Map();
  #waiting = new Map();

  /** @param {string} user for the errors */
  constructor(user) {
    this.user = user;
  }

  /**
   * The first event of that name that no one has taken yet, or the first to come.
   * @param {string} event
   * @param {string} [what] for the error
   */
  next(event, what = event) {
    const queue = this.#queues.get(event) ?? [];
    if (queue.length > 0) return Promise.resolve(queue.shift());
    const comes = new Promise((resolve) => {
      this.#waiting.set(event, [...(this.#waiting.get(event) ?? []), resolve]);
    });
    return within(DEADLINE_MS, comes, `${this.user}'s ${what}; so far ${this.toldNames()}`);
  }

  /** As many events of that name. */
  async take(event, count) {
    const all = [];
    while (all.length < count) all.push(await this.next(event, `${event} ${all.length + 1} of ${count}`));
    return all;
  }

  /** All events of that name until now, taken or not. */
  seen(event) {
    return this.told.filter(([name]) => name === event).map(([, what]) => what);
  }

  /** What was told so far, for people. */
  toldNames() {
    const counts = new Map();
    for (const [name, what] of this.told) {
      const key = what?.type === undefined ? name : `${name}(${what.type})`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return [...counts].map(([key, count]) => (count > 1 ? `${count} x ${key}` : key)).join(', ') || 'nothing';
  }

  /** The SDK tells something. */
  hear(event, what) {
    this.told.push([event, what]);
    const [first, ...others] = this.#waiting.get(event) ?? [];
    this.#waiting.set(event, others);
    if (first) first(what);
    else this.#queues.set(event, [...(this.#queues.get(event) ?? []), what]);
  }
}

/** A copy in this realm, data only: what comes out of a page's realm is equal to nothing in ours. */
export function plain(value, depth = 0) {
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? undefined : value;
  if (depth > 6) return undefined;
  if (Array.isArray(value)) return Array.from(value, (one) => plain(one, depth + 1));
  const entries = Object.entries(value).filter(([, one]) => typeof one !== 'function');
  return Object.fromEntries(entries.map(([key, one]) => [key, plain(one, depth + 1)]));
}
