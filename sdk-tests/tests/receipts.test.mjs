// What follows a message: delivered, read, recalled.

import assert from 'node:assert/strict';

import { refused, story } from '../lib/story.mjs';

story('the sender learns that a message was delivered', async ({ app, login, people }) => {
  const [alice] = await people('alice');
  await app.register('bob');
  await login('bob', { options: { delivery: true } });
  const id = await alice.text('bob', 'hello');
  const receipt = await alice.next('onDeliveredMessage');
  assert.deepEqual([receipt.mid, receipt.from, receipt.to], [id, 'bob', 'alice']);
});

story('the sender learns that a message was read', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await alice.text('bob', 'hello');
  await bob.next('onTextMessage');
  await bob.send('alice', { type: 'read', id });
  const receipt = await alice.next('onReadMessage');
  assert.deepEqual([receipt.mid, receipt.from], [id, 'bob']);
});

story('the peer learns that the whole conversation was read', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await alice.text('bob', 'hello');
  await bob.next('onTextMessage');
  await bob.send('alice', { type: 'channel' });
  assert.equal((await alice.next('onChannelMessage')).from, 'bob');
});

story('a receipt waits for a sender who has left, and is not counted as a message', async ({ app, login, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await alice.text('bob', 'hello');
  await bob.next('onTextMessage');
  await alice.logout();
  await bob.send('alice', { type: 'read', id });
  assert.equal(await app.undeliveredTo('alice'), 0);
  const again = await login('alice', { storage: alice.browser.storage });
  assert.equal((await again.next('onReadMessage')).mid, id);
});

story('a recalled message disappears at the receiver', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await alice.text('bob', 'oops');
  await bob.next('onTextMessage');
  await alice.call('recallMessage', { mid: id, to: 'bob', chatType: 'singleChat' });
  const recall = await bob.next('onRecallMessage');
  assert.deepEqual([recall.mid, recall.from, recall.to], [id, 'alice', 'bob']);
});

story('a message that is recalled before it was delivered never appears', async ({ app, login, people }) => {
  const [alice] = await people('alice');
  await app.register('bob');
  const id = await alice.text('bob', 'oops');
  await alice.call('recallMessage', { mid: id, to: 'bob', chatType: 'singleChat' });
  assert.equal(await app.undeliveredTo('bob'), 0);
  await alice.text('bob', 'what I meant');
  const bob = await login('bob');
  assert.equal((await bob.next('onTextMessage')).msg, 'what I meant');
  assert.equal(bob.seen('onTextMessage').length, 1);
});

story('nobody recalls the message of another', async ({ app, login, people }) => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  await app.register('dora');
  const read = await alice.text('bob', 'mine');
  await bob.next('onTextMessage');
  await refused(bob.call('recallMessage', { mid: read, to: 'alice', chatType: 'singleChat' }));
  await refused(carol.call('recallMessage', { mid: read, to: 'bob', chatType: 'singleChat' }));

  const waiting = await alice.text('dora', 'for dora');
  await refused(carol.call('recallMessage', { mid: waiting, to: 'dora', chatType: 'singleChat' }));
  assert.equal(await app.undeliveredTo('dora'), 1);
  const dora = await login('dora');
  assert.equal((await dora.next('onTextMessage')).id, waiting);
  assert.deepEqual([...alice.seen('onRecallMessage'), ...bob.seen('onRecallMessage')], []);
});
