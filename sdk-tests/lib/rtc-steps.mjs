// What stories about rooms do again and again.

import assert from 'node:assert/strict';

/** What the SDK says to every refusal of the server; `extraCode` is the server's own. */
const SERVER_AUTH_ERROR = 10119;
export const ROOM = 'room1';

/**
 * Joins with a page of its own, which is given.
 * @param {import('./rtc.mjs').RtcSite} site
 * @param {object | (() => Promise<object>)} [options] of the join; a function is asked when the page is there, for what
 *   does not live long
 */
export async function joined(site, app, uid, options = {}) {
  const page = await site.page(app);
  await join(page, app, uid, options);
  return page;
}

/** Joins with that page. */
export async function join(page, app, uid, options = {}) {
  const given = typeof options === 'function' ? await options() : options;
  // Asking for a token would give the one that was given before a longer life.
  const token = 'token' in given ? given.token : await app.rooms.token(uid);
  await page.join(ROOM, { uid, ...given, token });
  assert.equal(await page.state(), 'CONNECTED');
}

/** A join that the server refuses with that code; what the SDK says to it. */
export async function refused(page, extraCode, uid, options) {
  const fault = await page.join(ROOM, { uid, ...options }).then(
    () => assert.fail(`${JSON.stringify(options)} was let in`),
    (told) => told,
  );
  assert.deepEqual([fault.code, fault.extraCode], [SERVER_AUTH_ERROR, extraCode], fault.message);
  assert.equal(await page.state(), 'DISCONNECTED');
  return fault.message;
}
