// The same SDK in a real browser: a page of another origin, so every REST call is preflighted.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { Chromium } from '../lib/chromium.mjs';
import { LanyingPages } from '../lib/lanying-page.mjs';
import { refused, story } from '../lib/story.mjs';
import { soon } from '../lib/wait.mjs';

let chromium;
before(async () => {
  chromium = await Chromium.start();
});
after(() => chromium?.stop());

/** A tab on a device of its own, logged in. */
async function visitor(app, user, how, page) {
  const device = await chromium.device();
  const tab = await device.tab(app, page);
  await tab.login(user, how);
  return { device, tab };
}

story('two pages chat, and talk to nobody but this server', async ({ app, server }) => {
  await app.register('alice', 'bob');
  const alice = await visitor(app, 'alice');
  const bob = await visitor(app, 'bob', { token: await app.tokenOf('bob') });
  const id = await alice.tab.text('bob', 'hello from a page 你好');
  const got = await bob.tab.next('onTextMessage');
  assert.deepEqual([got.id, got.from, got.to, got.msg], [id, 'alice', 'bob', 'hello from a page 你好']);
  await bob.tab.text('alice', 'hello back');
  assert.equal((await alice.tab.next('onTextMessage')).msg, 'hello back');
  for (const { device } of [alice, bob]) {
    assert.deepEqual([...device.hosts].sort(), [device.home, new URL(server.url).host].sort());
    await device.close();
  }
});

story('a page of another origin is told why it may not log in', async ({ app }) => {
  await app.register('alice');
  const device = await chromium.device();
  const tab = await device.tab(app);
  const fault = await refused(tab.login('alice', { pwd: 'wrong' }), 1);
  assert.equal(fault.told.message, 'invalid password');
  await device.close();
});

story('a page of another origin makes the calls of the SDK, with every method', async ({ app }) => {
  await app.register('alice', 'bob');
  const { device, tab } = await visitor(app, 'alice');
  assert.deepEqual((await tab.call('getContacts')).data, []);
  await tab.call('addUsersToBlocklist', { name: ['bob'] });
  assert.deepEqual((await tab.call('getBlocklist')).data, ['bob']);
  await tab.call('removeUserFromBlocklist', { name: ['bob'] });
  assert.deepEqual((await tab.call('getBlocklist')).data, []);
  await tab.call('updateUserInfo', { nickname: 'Alice' });
  assert.deepEqual((await tab.call('fetchUserInfoById', ['alice'], ['nickname'])).data, {
    alice: { nickname: 'Alice' },
  });
  await tab.call('publishPresence', { description: 'busy' });
  await tab.call('subscribePresence', { usernames: ['bob'], expiry: 60 });
  await tab.call('unsubscribePresence', { usernames: ['bob'] });
  await device.close();
});

story('a page that is loaded again is the same device', async ({ app }) => {
  await app.register('alice', 'bob');
  const { device, tab } = await visitor(app, 'alice');
  const before = await tab.resource();
  await tab.load();
  await tab.login('alice');
  assert.equal(await tab.resource(), before);
  assert.deepEqual(await app.devicesOf('alice'), [before]);
  await device.close();
  await soon(
    () => app.statusOf('alice'),
    (status) => status === 'offline',
  );
});

story('a second tab of the same browser replaces the first', async ({ app }) => {
  await app.register('alice');
  const { device, tab } = await visitor(app, 'alice');
  const second = await device.tab(app);
  await second.login('alice');
  assert.equal((await tab.next('onDisconnected')).type, 206);
  assert.deepEqual(await app.devicesOf('alice'), [await second.resource()]);
  await device.close();
});

story('a message waits for a page that is opened later', async ({ app }) => {
  await app.register('alice', 'bob');
  const alice = await visitor(app, 'alice');
  const id = await alice.tab.text('bob', 'when you come');
  const bob = await visitor(app, 'bob');
  assert.equal((await bob.tab.next('onTextMessage')).id, id);
  await soon(
    () => app.undeliveredTo('bob'),
    (count) => count === 0,
  );
  await alice.device.close();
  await bob.device.close();
});

story('a kicked page is told, and may log in again', async ({ app }) => {
  await app.register('alice');
  const { device, tab } = await visitor(app, 'alice');
  await app.kick('alice');
  assert.equal((await tab.next('onDisconnected')).type, 217);
  await tab.login('alice');
  assert.equal(await app.statusOf('alice'), 'online');
  await device.close();
});

story('a page with an older SDK chats with a newer one', async ({ app, server }) => {
  await app.register('alice', 'bob');
  const alice = await visitor(app, 'alice');
  const bob = await visitor(app, 'bob', {}, '/older');
  await bob.tab.next('onConnected');
  const id = await alice.tab.text('bob', 'to the older page');
  assert.equal((await bob.tab.next('onTextMessage')).id, id);
  await bob.tab.text('alice', 'to the newer page');
  assert.equal((await alice.tab.next('onTextMessage')).msg, 'to the newer page');
  assert.deepEqual([...bob.device.hosts].sort(), [bob.device.home, new URL(server.url).host].sort());
  await alice.device.close();
  await bob.device.close();
});

story('the Lanying SDK in pages of another origin: two of them chat, and one is refused', async ({ app }) => {
  await app.register('alice', 'bob');
  const pages = await LanyingPages.start();
  try {
    const [alice, bob] = [await pages.open(app), await pages.open(app)];
    assert.match(await alice.refused('alice'), /Operation rejected/);
    const numbers = [await alice.login('alice'), await bob.login('bob')];
    await alice.send(numbers[1], 'hello from a page 你好');
    const got = await bob.next('onRosterMessage');
    assert.deepEqual([got.from, got.to, got.content], [...numbers.map(String), 'hello from a page 你好']);
  } finally {
    await pages.stop();
  }
});
