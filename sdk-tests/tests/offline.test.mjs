// Messages to somebody who is away: kept, counted, delivered once and in order.

import assert from 'node:assert/strict';

import { story } from '../lib/story.mjs';
import { soon } from '../lib/wait.mjs';

/** Waits until the server knows of all that was delivered. */
const allConfirmed = (app, name) =>
  soon(
    () => app.undeliveredTo(name),
    (count) => count === 0,
  );

story(
  'a message to somebody who is away is counted, delivered at login, and then not counted',
  async ({ app, login, people }) => {
    const [alice] = await people('alice');
    await app.register('bob');
    assert.equal(await app.undeliveredTo('bob'), 0);
    const { serverMsgId, message } = await alice.send('bob', { type: 'txt', msg: 'when you are back' });
    assert.equal(await app.undeliveredTo('bob'), 1);
    assert.equal(await app.deliveryOf('bob', serverMsgId), 'undelivered');

    const bob = await login('bob');
    const got = await bob.next('onTextMessage');
    assert.deepEqual([got.id, got.msg, got.from, got.time], [serverMsgId, 'when you are back', 'alice', message.time]);
    await allConfirmed(app, 'bob');
    assert.equal(await app.deliveryOf('bob', serverMsgId), 'delivered');
  },
);

story('a message to somebody who is here is delivered and not left in the queue', async ({ app, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await alice.text('bob', 'hello');
  await bob.next('onTextMessage');
  await allConfirmed(app, 'bob');
  assert.equal(await app.deliveryOf('bob', id), 'delivered');
});

story('55 messages, more than a page, come in order and only once', async ({ app, login, people }) => {
  const [alice] = await people('alice');
  await app.register('bob');
  const texts = Array.from({ length: 55 }, (_, n) => `message ${n}`);
  const ids = await Promise.all(texts.map((msg) => alice.text('bob', msg)));
  assert.equal(await app.undeliveredTo('bob'), 55);

  const bob = await login('bob');
  await bob.next('onOfflineMessageSyncStart');
  const got = await bob.take('onTextMessage', 55);
  assert.deepEqual(
    got.map(({ msg }) => msg),
    texts,
  );
  assert.deepEqual(
    got.map(({ id }) => id),
    ids,
  );
  await bob.next('onOfflineMessageSyncFinish');
  await allConfirmed(app, 'bob');

  await bob.logout();
  const again = await login('bob', { storage: bob.browser.storage });
  await alice.text('bob', 'afterwards');
  assert.equal((await again.next('onTextMessage')).msg, 'afterwards');
  assert.equal(again.seen('onTextMessage').length, 1);
});

story('several senders: each conversation in its order', async ({ app, login, people }) => {
  const [alice, carol] = await people('alice', 'carol');
  await app.register('bob');
  const numbers = Array.from({ length: 25 }, (_, n) => `${n}`);
  await Promise.all(numbers.flatMap((msg) => [alice.text('bob', msg), carol.text('bob', msg)]));
  assert.equal(await app.undeliveredTo('bob'), 50);
  const bob = await login('bob');
  const got = await bob.take('onTextMessage', 50);
  for (const sender of ['alice', 'carol']) {
    assert.deepEqual(
      got.filter(({ from }) => from === sender).map(({ msg }) => msg),
      numbers,
    );
  }
  await allConfirmed(app, 'bob');
});

story('what comes in while the backlog is read does not overtake it', async ({ app, login, people }) => {
  const [alice] = await people('alice');
  await app.register('bob');
  const texts = Array.from({ length: 80 }, (_, n) => `message ${n}`);
  await Promise.all(texts.slice(0, 50).map((msg) => alice.text('bob', msg)));
  const [bob] = await Promise.all([login('bob'), ...texts.slice(50).map((msg) => alice.text('bob', msg))]);
  assert.deepEqual(
    (await bob.take('onTextMessage', 80)).map(({ msg }) => msg),
    texts,
  );
  await allConfirmed(app, 'bob');
});

story(
  'a line that drops in the middle of the backlog loses nothing and repeats nothing',
  async ({ app, login, people }) => {
    const [alice] = await people('alice');
    await app.register('bob');
    const texts = Array.from({ length: 55 }, (_, n) => `message ${n}`);
    await Promise.all(texts.map((msg) => alice.text('bob', msg)));
    const bob = await login('bob');
    const first = await bob.next('onTextMessage');
    bob.cutLine();
    const others = await bob.take('onTextMessage', 54);
    await allConfirmed(app, 'bob');
    const all = [first, ...others].map(({ msg }) => msg);
    assert.deepEqual([...new Set(all)].sort(), [...texts].sort());
    assert.equal(bob.seen('onTextMessage').length, 55);
  },
);

story('all kinds of messages wait', async ({ app, login, people }) => {
  const [alice] = await people('alice');
  await app.register('bob');
  await alice.send('bob', { type: 'custom', customEvent: 'order', customExts: { number: '42' } });
  await alice.send('bob', { type: 'cmd', action: 'ring' });
  await alice.send('bob', { type: 'loc', addr: 'a', buildingName: 'b', lat: 1.5, lng: 2.5 });
  assert.equal(await app.undeliveredTo('bob'), 3);
  const bob = await login('bob');
  assert.equal((await bob.next('onCustomMessage')).customEvent, 'order');
  assert.equal((await bob.next('onCmdMessage')).action, 'ring');
  assert.equal((await bob.next('onLocationMessage')).lat, 1.5);
  await allConfirmed(app, 'bob');
});

story('a message for those who are here only is not kept for somebody who is away', async ({ app, login, people }) => {
  const [alice] = await people('alice');
  await app.register('bob');
  await alice.text('bob', 'now or never', { deliverOnlineOnly: true });
  assert.equal(await app.undeliveredTo('bob'), 0);
  const bob = await login('bob');
  await alice.text('bob', 'here you are', { deliverOnlineOnly: true });
  assert.equal((await bob.next('onTextMessage')).msg, 'here you are');
  assert.equal(bob.seen('onTextMessage').length, 1);
});

story('messages to a banned user wait until the ban is lifted', async ({ app, login, people }) => {
  const [alice] = await people('alice');
  await app.register('bob');
  await app.ban('bob');
  await alice.text('bob', 'are you well?');
  assert.equal(await app.undeliveredTo('bob'), 1);
  await app.liftBan('bob');
  const bob = await login('bob');
  assert.equal((await bob.next('onTextMessage')).msg, 'are you well?');
});

story('the messages of somebody who was deleted are gone with him', async ({ app, login, people }) => {
  const [alice] = await people('alice');
  await app.register('bob');
  await alice.text('bob', 'for the old bob');
  await app.delete('bob');
  await app.register('bob');
  assert.equal(await app.undeliveredTo('bob'), 0);
  const bob = await login('bob');
  await alice.text('bob', 'for the new bob');
  assert.equal((await bob.next('onTextMessage')).msg, 'for the new bob');
  assert.equal(bob.seen('onTextMessage').length, 1);
});
