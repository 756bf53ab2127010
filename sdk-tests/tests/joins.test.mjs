// The vendor's unmodified RTC SDK in a browser: which tokens and keys open a room, and what a refused page is told.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { RIGHTS } from '../lib/rooms.mjs';
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

story('a good token is let in, and the page talks to nobody but this server', async ({ app, server }) => {
  const page = await joined(app, 10000);
  assert.deepEqual(await app.rooms.members(ROOM), [10000]);
  assert.deepEqual([...page.hosts].sort(), [page.home, new URL(server.url).host].sort());
  await page.leave();
  assert.equal(await page.state(), 'DISCONNECTED');
  await page.close();
});

story('a token for the room, for any room, or computed by the backend is good', async ({ app }) => {
  const { rooms } = app;
  const page = await site.page(app);
  for (const [uid, token] of [
    [1, await rooms.token(1, { channelName: ROOM })],
    [2, rooms.localToken(2)],
    [3, rooms.localToken(3, ROOM)],
    ['9007199254740993', await rooms.token('9007199254740993')],
  ]) {
    await join(page, app, uid, { token });
    await page.leave();
  }
  await page.close();
});

story('a token of another room, number or app, or of nobody, is refused', async ({ app, server }) => {
  const { rooms } = app;
  const other = await server.app();
  const page = await site.page(app);
  for (const token of [
    'wrong',
    '0'.repeat(40),
    await rooms.token(10000, { channelName: 'another' }),
    await rooms.token(10001),
    await other.rooms.token(10000),
    rooms.localToken(10000, 'another'),
    rooms.localToken(10000, '', { secret: 'not the secret' }),
  ])
    assert.match(await refused(page, 414, 10000, { token }), /^check checksum error/);
  await page.close();
  const stranger = await site.page(app, 'f'.repeat(32));
  await refused(stranger, 417, 10000, { token: await rooms.token(10000) });
  await stranger.close();
});

story('a token that has expired is refused, and ends no stay', async ({ app }) => {
  const { rooms } = app;
  let token;
  const page = await joined(app, 10000, async () => ({ token: (token = await rooms.token(10000, { expireAt: 3 })) }));
  await soon(
    () => rooms.invite(10000, ROOM, token),
    ({ code }) => code === 414,
    10_000,
  );
  const late = await site.page(app);
  await refused(late, 414, 10000, { token });
  await refused(late, 414, 10000, { token: rooms.localToken(10000, '', { curTime: Date.now() - 601_000 }) });
  assert.equal(await page.state(), 'CONNECTED');
  assert.deepEqual(await rooms.members(ROOM), [10000]);
  await Promise.all([page.close(), late.close()]);
});

story('a token that admits once admits once', async ({ app }) => {
  const token = await app.rooms.token(10000, { repeatUse: false });
  const page = await joined(app, 10000, { token });
  const late = await site.page(app);
  await refused(late, 414, 10000, { token });
  assert.equal(await page.state(), 'CONNECTED');
  await Promise.all([page.close(), late.close()]);
});

story('without a token nobody comes in', async ({ app }) => {
  const page = await site.page(app);
  const told = await refused(page, 403, 10000, {});
  assert.match(told, /^netcall\.g2 unsafe mode is closed, please contact business!/);
  await page.close();
});

story(
  'in an app without safe mode everybody comes in without a token, and nobody with one',
  async ({ app }) => {
    const page = await joined(app, 10000, { token: undefined });
    await page.leave();
    await refused(page, 414, 10000, { token: await app.rooms.token(10000) });
    await page.close();
  },
  { settings: ['--safe-mode=false'] },
);

story('a banned user cannot come in by the number that is its name', async ({ app }) => {
  await app.register('10000');
  await app.ban('10000');
  const page = await site.page(app);
  await refused(page, 422, 10000, { token: await app.rooms.token(10000) });
  await app.liftBan('10000');
  await join(page, app, 10000);
  await page.close();
});

story('a permission key that is wrong or has expired is refused', async ({ app }) => {
  const { rooms } = app;
  const token = await rooms.token(10000);
  const page = await site.page(app);
  for (const permKey of [
    'wrong',
    rooms.permissionKey(10001, ROOM),
    rooms.permissionKey(10000, 'another'),
    rooms.permissionKey(10000, ROOM, { secret: 'not the secret' }),
    rooms.permissionKey(10000, ROOM, { privilege: RIGHTS.all - RIGHTS.join }),
  ])
    await refused(page, 901, 10000, { token, permKey });
  const curTime = Math.floor(Date.now() / 1000) - 601;
  await refused(page, 902, 10000, { token, permKey: rooms.permissionKey(10000, ROOM, { curTime }) });
  await page.close();
});

story('a permission that ends is announced, and then its bearer is out', async ({ app }) => {
  const { rooms } = app;
  const page = await joined(app, 10000, async () => ({ permKey: rooms.permissionKey(10000, ROOM, { ttl: 3 }) }));
  await page.next('permkey-will-expire');
  assert.equal((await page.next('permkey-timeout')).uid, 10000);
  await page.until('DISCONNECTED');
  assert.deepEqual(await rooms.members(ROOM), []);
  await page.close();
});

story('a permission can be renewed', async ({ app }) => {
  const { rooms } = app;
  const short = (uid) => async () => ({ permKey: rooms.permissionKey(uid, ROOM, { ttl: 3 }) });
  const page = await joined(app, 10000, short(10000));
  await page.next('permkey-will-expire');
  await page.call('updatePermKey', rooms.permissionKey(10000, ROOM));
  // One that was made later and not renewed ends meanwhile.
  const other = await joined(app, 10001, short(10001));
  await other.next('permkey-timeout');
  assert.deepEqual(await page.seen('permkey-timeout'), []);
  assert.equal(await page.state(), 'CONNECTED');
  await Promise.all([page.close(), other.close()]);
});

story('a permission key without the right to send keeps a page from sending', async ({ app }) => {
  const privilege = RIGHTS.receiveAudio + RIGHTS.receiveVideo + RIGHTS.create + RIGHTS.join;
  const page = await joined(app, 10000, { permKey: app.rooms.permissionKey(10000, ROOM, { privilege }) });
  await page.publish(10000);
  assert.equal(await page.next('error'), 'no-publish-audio-permission');
  assert.deepEqual(await page.seen('warning'), []);
  await page.close();
});

story('a page that sends is told that there is no media here, and stays in the room', async ({ app }) => {
  const page = await joined(app, 10000);
  await page.publish(10000);
  const { code, msg } = await page.next('warning');
  assert.equal(code, 501);
  assert.match(msg, /carries no audio or video/);
  assert.equal(await page.state(), 'CONNECTED');
  await page.close();
});

story('who asks for number 0 is given one', async ({ app }) => {
  const token = await app.rooms.token(0);
  const pages = await Promise.all([joined(app, 0, { token }), joined(app, 0, { token })]);
  const uids = await app.rooms.members(ROOM);
  assert.equal(new Set(uids).size, 2);
  assert.ok(!uids.includes(0) && uids.every(Number.isSafeInteger));
  await Promise.all(pages.map((page) => page.close()));
});
