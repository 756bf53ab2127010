// The backend ends a session: at once, with the SDK's number for the reason, and the SDK does not come back by itself.

import assert from 'node:assert/strict';

import { refused, story } from '../lib/story.mjs';
import { soon } from '../lib/wait.mjs';

const REMOVED = 207;
const PASSWORD_CHANGED = 216;
const KICKED = 217;
const NOT_LOGGED_IN = 39;
const OPEN_ERROR = 1;
const INVALID_TOKEN = 28;
const SERVING_DISABLED = 57;

/** The page is told why, is out, and stays out. */
async function isOut(page, type) {
  const lines = page.browser.sockets.length;
  assert.equal((await page.next('onError')).type, type);
  await refused(page.text('bob', 'still me?'), NOT_LOGGED_IN);
  assert.equal((await page.next('onDisconnected')).type, type);
  assert.deepEqual(page.seen('onReconnecting'), []);
  assert.equal(page.browser.sockets.length, lines, 'the SDK must not connect again');
}

story('a kicked user is offline at once and must log in again', async ({ app, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await app.kick('alice');
  assert.equal(await app.statusOf('alice'), 'offline');
  await isOut(alice, KICKED);
  await alice.open();
  await alice.text('bob', 'here I am again');
  assert.equal((await bob.next('onTextMessage')).msg, 'here I am again');
});

story('a kick reaches every device', async ({ app, login, people }) => {
  const [alice] = await people('alice', 'bob');
  const phone = await login('alice');
  await app.kick('alice');
  assert.deepEqual(await app.devicesOf('alice'), []);
  await isOut(alice, KICKED);
  await isOut(phone, KICKED);
});

story('what is sent to a kicked user waits for the next login', async ({ app, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await app.kick('alice');
  const id = await bob.text('alice', 'come back');
  assert.equal(await app.undeliveredTo('alice'), 1);
  await isOut(alice, KICKED);
  await alice.open();
  assert.equal((await alice.next('onTextMessage')).id, id);
});

story('a banned user is offline at once, and neither token nor password opens', async ({ app, login, people }) => {
  const [alice] = await people('alice', 'bob');
  await app.ban('alice');
  assert.equal(await app.statusOf('alice'), 'offline');
  await isOut(alice, KICKED);
  await refused(login('alice', { token: alice.accessToken }), SERVING_DISABLED);
  await refused(login('alice'), OPEN_ERROR);
});

story('a change of the password ends sessions and tokens', async ({ app, login, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await app.setPassword('alice', 'another');
  assert.equal(await app.statusOf('alice'), 'offline');
  await isOut(alice, PASSWORD_CHANGED);
  await refused(login('alice', { token: alice.accessToken }), INVALID_TOKEN);
  await refused(login('alice'), OPEN_ERROR);
  const again = await login('alice', { pwd: 'another' });
  await again.text('bob', 'it is me');
  assert.equal((await bob.next('onTextMessage')).from, 'alice');
});

story('a deleted user is out', async ({ app, login, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await app.delete('alice');
  await isOut(alice, REMOVED);
  await refused(login('alice'), OPEN_ERROR);
  await refused(bob.text('alice', 'are you there?'), 204);
});

story("the command line's kick and ban count as well", async ({ app, server, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await server.cli('user', 'kick', app.path.slice(1), 'alice');
  await isOut(alice, KICKED);
  await server.cli('user', 'ban', app.path.slice(1), 'bob');
  await isOut(bob, KICKED);
});

story('nobody else is touched', async ({ app, people }) => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  await app.kick('carol');
  await isOut(carol, KICKED);
  await alice.text('bob', 'we are still here');
  assert.equal((await bob.next('onTextMessage')).msg, 'we are still here');
  assert.deepEqual([...alice.seen('onError'), ...bob.seen('onError')], []);
});

story('a subscriber sees that a kicked user has gone', async ({ app, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await alice.call('subscribePresence', { usernames: ['bob'], expiry: 3600 });
  await app.kick('bob');
  const [{ userId, statusDetails }] = await alice.next('onPresenceStatusChange');
  assert.equal(userId, 'bob');
  assert.ok(statusDetails.every(({ status }) => Number(status) === 0));
  await soon(
    () => app.statusOf('bob'),
    (status) => status === 'offline',
  );
});

story('the deletion of the whole app sends everybody out at once', async ({ app, server, people }) => {
  const pages = await people('alice', 'bob');
  await server.cli('app', 'delete', app.path.slice(1), '--yes');
  for (const page of pages) await isOut(page, REMOVED);
});
