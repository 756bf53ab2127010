// The vendor's unmodified RTC SDK in a browser: who is seen in a room, who is made to leave it, and who comes back.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { RtcSite } from '../lib/rtc.mjs';
import { ROOM, join, joined as joinedOn, refused } from '../lib/rtc-steps.mjs';
import { story } from '../lib/story.mjs';
import { soon } from '../lib/wait.mjs';

let site;
before(async () => {
  site = await RtcSite.start();
});
after(() => site?.stop());

const joined = (...how) => joinedOn(site, ...how);
const NORMAL = 0;
const KICKED = 2;

/** The room's number. */
const cidOf = async ({ rooms }) => (await rooms.call('GET', `/v3/api/rooms?cname=${ROOM}`)).cid;

/** Waits until exactly these are in the room. */
const present = ({ rooms }, ...uids) =>
  soon(
    () => rooms.members(ROOM),
    (found) => String(found) === String(uids),
  );

story('two pages see each other come and go', async ({ app }) => {
  const ann = await joined(app, 1, { customData: 'from ann' });
  const ben = await joined(app, 2);
  assert.equal((await ben.next('peer-online')).uid, 1);
  assert.deepEqual(await ben.next('custom-data'), { uid: 1, customData: 'from ann' });
  assert.equal((await ann.next('peer-online')).uid, 2);
  assert.deepEqual(await app.rooms.members(ROOM), [1, 2]);
  await ben.leave();
  assert.deepEqual(await ann.next('peer-leave'), { uid: 2, reason: NORMAL });
  await present(app, 1);
  await join(ben, app, 2);
  assert.equal((await ann.next('peer-online')).uid, 2);
  // Somebody who closes the tab.
  await ben.close();
  assert.deepEqual(await ann.next('peer-leave'), { uid: 2, reason: NORMAL });
  await ann.close();
});

story('an audience is not seen until it takes part', async ({ app }) => {
  const ann = await joined(app, 1);
  const ben = await site.page(app);
  await ben.call('setClientRole', 'audience');
  await join(ben, app, 2);
  const audience = await app.rooms.call('GET', `/v3/api/rooms/members?cname=${ROOM}&userRole=1`);
  assert.deepEqual(
    audience.members.map(({ uid }) => uid),
    [2],
  );
  await ben.call('setClientRole', 'host');
  assert.equal((await ann.next('peer-online')).uid, 2);
  assert.equal((await ann.seen('peer-online')).length, 1);
  await ben.call('setClientRole', 'audience');
  assert.equal((await ann.next('peer-leave')).uid, 2);
  await Promise.all([ann.close(), ben.close()]);
});

story('rooms and apps do not see each other', async ({ app, server }) => {
  const other = await server.app();
  const ann = await joined(app, 1);
  const ben = await joined(other, 2);
  const carl = await site.page(app);
  await carl.join('another', { uid: 3, token: await app.rooms.token(3) });
  const dora = await joined(app, 4);
  assert.equal((await ann.next('peer-online')).uid, 4);
  assert.equal((await ann.seen('peer-online')).length, 1);
  const cid = await cidOf(other);
  const foreign = await app.rooms.attempt('GET', `/v2/api/rooms/${cid}`);
  assert.deepEqual([foreign.status, foreign.body.code], [404, 10404]);
  await Promise.all([ann, ben, carl, dora].map((page) => page.close()));
});

for (const [by, path] of [
  ['number', async (app) => `/v2/api/kicklist/${await cidOf(app)}/members/2/60`],
  ['name', async () => `/v3/api/kicklist/members?cname=${ROOM}&uid=2&duration=60`],
])
  story(`a kick by the room's ${by} ejects a page and bars it until it is pardoned`, async ({ app }) => {
    const ann = await joined(app, 1);
    const ben = await joined(app, 2);
    await app.rooms.call('POST', await path(app));
    assert.deepEqual(await app.rooms.members(ROOM), [1]);
    assert.equal((await ben.next('client-banned')).uid, 2);
    await ben.until('DISCONNECTED');
    assert.deepEqual(await ann.next('peer-leave'), { uid: 2, reason: KICKED });
    const token = await app.rooms.token(2);
    await refused(ben, 403, 2, { token });
    const list = `/v2/api/kicklist/${await cidOf(app)}`;
    assert.deepEqual((await app.rooms.call('GET', list)).uids, [2]);
    await app.rooms.call('DELETE', `${list}/members/2`);
    assert.deepEqual((await app.rooms.call('GET', `/v3/api/kicklist?cname=${ROOM}`)).uids, []);
    await join(ben, app, 2, { token });
    assert.equal((await ann.seen('client-banned')).length, 0);
    await Promise.all([ann.close(), ben.close()]);
  });

story('a bar ends by itself, and holds over a restart until then', async ({ app, server }) => {
  const { rooms } = app;
  await joined(app, 1);
  const kick = (uid, seconds) =>
    rooms.call('POST', `/v3/api/kicklist/members?cname=${ROOM}&uid=${uid}&duration=${seconds}`);
  await kick(2, 600);
  await kick(3, 3);
  await server.crash();
  await server.restart();
  const page = await site.page(app);
  await refused(page, 403, 2, { token: await rooms.token(2) });
  const token = await rooms.token(3);
  await soon(
    () => rooms.invite(3, ROOM, token),
    ({ code }) => code === 200,
    10_000,
  );
  await join(page, app, 3, { token });
  await page.close();
});

story('a room that is ended is left by all, and the name begins anew', async ({ app }) => {
  const pages = await Promise.all([joined(app, 1), joined(app, 2)]);
  const cid = await cidOf(app);
  await app.rooms.call('DELETE', `/v2/api/rooms/${cid}`);
  for (const page of pages) {
    await page.next('channel-closed');
    await page.until('DISCONNECTED');
  }
  const { stats, total } = await app.rooms.call('GET', `/v2/api/rooms/${cid}`);
  assert.deepEqual([stats, total], [3, 0]);
  await join(pages[0], app, 1);
  assert.notEqual(await cidOf(app), cid);
  await app.rooms.call('DELETE', `/v3/api/rooms?cname=${ROOM}`);
  await pages[0].next('channel-closed');
  await Promise.all(pages.map((page) => page.close()));
});

story('a user who is banned is out of its room at once', async ({ app }) => {
  await app.register('2');
  const ann = await joined(app, 1);
  const ben = await joined(app, 2);
  await app.ban('2');
  assert.deepEqual(await app.rooms.members(ROOM), [1]);
  await ben.next('client-banned');
  await ben.until('DISCONNECTED');
  assert.equal((await ann.next('peer-leave')).reason, KICKED);
  await refused(ben, 422, 2, { token: await app.rooms.token(2) });
  await Promise.all([ann.close(), ben.close()]);
});

story('the same number elsewhere takes the place', async ({ app }) => {
  const first = await joined(app, 1);
  const second = await joined(app, 1);
  await first.next('uid-duplicate');
  await first.until('DISCONNECTED');
  assert.equal(await second.state(), 'CONNECTED');
  assert.deepEqual(await app.rooms.members(ROOM), [1]);
  await Promise.all([first.close(), second.close()]);
});

story('pages come back by themselves when the server was restarted', async ({ app, server }) => {
  const { rooms } = app;
  const once = await rooms.token(1, { repeatUse: false });
  const ann = await joined(app, 1, { token: once });
  const ben = await joined(app, 2);
  const cid = await cidOf(app);
  for (const stop of ['crash', 'end']) {
    await server[stop]();
    await Promise.all([ann, ben].map((page) => page.until('CONNECTING', { reconnect: true })));
    await server.restart();
    await Promise.all([ann, ben].map((page) => page.until('CONNECTED', { reconnect: true })));
    await present(app, 1, 2);
    assert.equal(await cidOf(app), cid);
  }
  // The stay was the same all the time: the token is not needed again, and leaving ends it.
  assert.deepEqual(await ann.seen('error'), []);
  await ann.leave();
  await refused(ann, 414, 1, { token: once });
  await Promise.all([ann.close(), ben.close()]);
});

story('a page that was lost keeps its place for a while', async ({ app }) => {
  const ann = await joined(app, 1);
  const ben = await joined(app, 2);
  await ann.next('peer-online');
  await ben.crash();
  // Nobody is told, and who comes in now sees both.
  const carl = await joined(app, 3);
  assert.deepEqual([(await carl.next('peer-online')).uid, (await carl.next('peer-online')).uid], [1, 2]);
  assert.deepEqual(await ann.seen('peer-leave'), []);
  // It comes back with another pass.
  const again = await joined(app, 2);
  await present(app, 1, 2, 3);
  await Promise.all([ann, ben, carl, again].map((page) => page.close()));
});

story('a backend makes a room and asks who was there', async ({ app }) => {
  const { rooms } = app;
  const made = await rooms.call('POST', '/v2/api/room', { json: { channelName: ROOM, mode: 2, uid: 9 } });
  const again = await rooms.attempt('POST', '/v2/api/room', { json: { channelName: ROOM, mode: 2, uid: 9 } });
  assert.deepEqual([again.status, again.body.code], [400, 10405]);
  const show = () => rooms.call('GET', `/v2/api/rooms/${made.cid}`);
  assert.deepEqual([(await show()).stats, (await show()).uid], [1, 9]);
  const page = await joined(app, 1);
  const { stats, total, cname, createtime } = await show();
  assert.deepEqual([stats, total, cname], [2, 1, ROOM]);
  assert.ok(Math.abs(createtime - Date.now() / 1000) < 60);
  await page.leave();
  await present(app);
  const history = await soon(
    () => rooms.call('POST', '/v2/api/room/history', { json: { cid: made.cid } }),
    ({ members }) => members.every(({ logout_time }) => logout_time !== null),
  );
  assert.equal(history.currentPage, 1);
  const [{ uid, login_time, logout_time }, ...rest] = history.members;
  assert.deepEqual([uid, rest], [1, []]);
  assert.ok(login_time <= logout_time);
  await page.close();
});
