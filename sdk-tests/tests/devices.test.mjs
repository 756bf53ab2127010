// One user on several devices.

import assert from 'node:assert/strict';

import { refused, story } from '../lib/story.mjs';
import { soon } from '../lib/wait.mjs';

const LOGGED_IN_ELSEWHERE = 206;
const KICKED = 217;
const NOT_LOGGED_IN = 39;

story('every device of the receiver gets a message, with one id', async ({ login, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const phone = await login('bob');
  const id = await alice.text('bob', 'to all of you');
  for (const device of [bob, phone]) assert.equal((await device.next('onTextMessage')).id, id);
});

story("the sender's other device gets a copy of what was sent", async ({ login, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const phone = await login('alice');
  const id = await alice.text('bob', 'hello');
  const copy = await phone.next('onTextMessage');
  assert.deepEqual([copy.id, copy.from, copy.to, copy.msg], [id, 'alice', 'bob', 'hello']);
  await bob.next('onTextMessage');
  // What comes after proves that nothing else had come to the device that sent.
  await bob.text('alice', 'hi');
  assert.equal((await alice.next('onTextMessage')).msg, 'hi');
  assert.equal(alice.seen('onTextMessage').length, 1);
});

story('each device has its own place in the queue', async ({ app, login, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const phone = await login('bob');
  await phone.logout();
  await soon(
    () => app.devicesOf('bob'),
    (devices) => devices.length === 1,
  );
  const id = await alice.text('bob', 'one of you is away');
  assert.equal((await bob.next('onTextMessage')).id, id);
  const back = await login('bob', { storage: phone.browser.storage });
  assert.equal((await back.next('onTextMessage')).id, id);
  // And no device sees it twice.
  const last = await alice.text('bob', 'the end');
  for (const device of [bob, back]) {
    assert.equal((await device.next('onTextMessage')).id, last);
    assert.equal(device.seen('onTextMessage').length, 2);
  }
});

story('a login on the same device replaces the older one, and says so', async ({ app, login, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const newer = await login('alice', { storage: new Map(alice.browser.storage) });
  assert.equal(newer.resource, alice.resource);
  assert.equal((await alice.next('onError')).type, LOGGED_IN_ELSEWHERE);
  assert.equal((await alice.next('onDisconnected')).type, LOGGED_IN_ELSEWHERE);
  await refused(alice.text('bob', 'still me?'), NOT_LOGGED_IN);
  await newer.text('bob', 'it is me now');
  assert.equal((await bob.next('onTextMessage')).msg, 'it is me now');
  assert.deepEqual(await app.devicesOf('alice'), [newer.resource]);
});

story('the device that is replaced learns what the newer one said about itself', async ({ app, people, login }) => {
  const [alice] = await people('alice');
  const newer = await login('alice', { storage: new Map(alice.browser.storage), loginExt: 'from the kitchen' });
  const why = await alice.next('onDisconnected');
  assert.equal(why.type, LOGGED_IN_ELSEWHERE);
  assert.equal(why.data.loginInfoCustomExt, 'from the kitchen');
  assert.deepEqual(await app.devicesOf('alice'), [newer.resource]);
});

story('the fifth device pushes the first one out', async ({ app, login, people }) => {
  const [first] = await people('alice');
  const others = [];
  for (let n = 0; n < 3; n += 1) others.push(await login('alice'));
  assert.equal((await app.devicesOf('alice')).length, 4);
  const fifth = await login('alice');
  assert.equal((await first.next('onDisconnected')).type, LOGGED_IN_ELSEWHERE);
  const devices = [...others, fifth].map(({ resource }) => resource);
  assert.deepEqual((await app.devicesOf('alice')).sort(), devices.sort());
});

story('one device is kicked, the other stays', async ({ app, login, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const phone = await login('alice');
  await app.kickDevice('alice', phone.resource);
  assert.equal((await phone.next('onDisconnected')).type, KICKED);
  assert.deepEqual(await app.devicesOf('alice'), [alice.resource]);
  assert.equal(await app.statusOf('alice'), 'online');
  await alice.text('bob', 'still here');
  assert.equal((await bob.next('onTextMessage')).msg, 'still here');
  assert.deepEqual(alice.seen('onDisconnected'), []);
});

story('a kick of an unknown device changes nothing', async ({ app, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await app.kickDevice('alice', 'webim_web_unknown');
  await alice.text('bob', 'still here');
  assert.equal((await bob.next('onTextMessage')).msg, 'still here');
});

story('a user sees the other devices', async ({ login, people }) => {
  const [alice] = await people('alice');
  const phone = await login('alice');
  const others = await alice.call('getSelfIdsOnOtherPlatform');
  assert.deepEqual(others.data, [`alice/${phone.resource}`]);
});
