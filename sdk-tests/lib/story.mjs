// A test as a story: an app of its own on the file's server, users who log in, and everything closed at the end.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { Client } from './client.mjs';
import { LanyingClient } from './lanying.mjs';
import { Server } from './server.mjs';

let server;
after(() => server?.stop());

/**
 * @typedef {object} Scene
 * @property {import('./app.mjs').App} app
 * @property {Server} server the file's; a story that kills it brings it back
 * @property {(user: string, how?: import('./client.mjs').How) => Client} page a page that has not logged in yet
 * @property {(user: string, how?: import('./client.mjs').How) => Promise<Client>} login a page that has
 * @property {(...users: string[]) => Promise<Client[]>} people registers them all and logs them in
 * @property {(user: string, how?: object) => LanyingClient} lanyingPage a page with the Lanying SDK, not logged in yet
 * @property {(user: string, how?: object) => Promise<LanyingClient>} lanying one that has logged in
 */

/**
 * @param {string} name what the story shows
 * @param {(scene: Scene) => Promise<void>} tell
 * @param {{settings?: string[]}} [options] flags for the story's app
 */
export function story(name, tell, { settings = [] } = {}) {
  test(name, { timeout: 120_000 }, async (t) => {
    server ??= await Server.start();
    const app = await server.app(...settings);
    const pages = [];
    const page = (user, how) => {
      pages.push(new Client(app, user, how));
      return pages.at(-1);
    };
    const login = async (user, how) => {
      const client = page(user, how);
      await client.open(how);
      return client;
    };
    const lanyingPage = (user, how) => {
      pages.push(new LanyingClient(app, user, how));
      return pages.at(-1);
    };
    const lanying = async (user, how) => {
      const client = lanyingPage(user, how);
      await client.login();
      return client;
    };
    const people = async (...users) => {
      await app.register(...users);
      return Promise.all(users.map((user) => login(user)));
    };
    try {
      await tell({ app, server, page, login, people, lanyingPage, lanying });
    } catch (fault) {
      pages.forEach((one) => t.diagnostic(`${one.user}: ${one.toldNames()}`));
      t.diagnostic(`server:\n${server.log}`);
      throw fault;
    } finally {
      pages.forEach((one) => one.closeTab());
    }
  });
}

/**
 * The error of a promise that must be rejected.
 * @param {Promise<unknown>} promise
 * @param {number} [type] the SDK's number that it must have
 */
export async function refused(promise, type) {
  const outcome = await promise.then(
    (value) => ({ value }),
    (fault) => ({ fault }),
  );
  assert.ok('fault' in outcome, `accepted: ${JSON.stringify(outcome.value)}`);
  if (type !== undefined) assert.equal(outcome.fault.type, type, String(outcome.fault));
  return outcome.fault;
}
