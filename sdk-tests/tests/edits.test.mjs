// Changing a message that was sent.

import assert from 'node:assert/strict';

import { refused, story } from '../lib/story.mjs';

const txt = (msg) => ({ type: 'txt', msg });

/** The numbers of the SDK. */
const PERMISSION_DENIED = 603;
const NOT_FOUND = 1302;
const ILLEGAL = 1303;
const LIMIT = 50;

const shown = ({ id, msg, modifiedInfo }) => [id, msg, modifiedInfo?.operationCount];

story('both people, on all their pages, see the change, and so does the history', async ({ people, login }) => {
  const [alice, bob] = await people('alice', 'bob');
  const laptop = await login('alice');
  const id = await alice.text('bob', 'helo', { ext: { kept: 1 } });
  await bob.next('onTextMessage');
  const { message } = await alice.modify(id, 'bob', txt('hello'));
  assert.deepEqual(shown(message), [id, 'hello', 1]);
  assert.equal(message.modifiedInfo.operatorId, 'alice');
  assert.ok(Math.abs(message.modifiedInfo.operationTime - Date.now()) < 60_000);
  for (const page of [bob, laptop]) {
    const told = await page.next('onModifiedMessage');
    assert.deepEqual([...shown(told), told.from, told.to], [id, 'hello', 1, 'alice', 'bob']);
    assert.deepEqual(told.ext, { kept: 1 }, 'of what is not named nothing changes');
  }
  await alice.modify(id, 'bob', txt('hello!'));
  for (const [page, targetId] of [
    [alice, 'bob'],
    [bob, 'alice'],
  ]) {
    const { messages } = await page.call('getHistoryMessages', { targetId, chatType: 'singleChat' });
    assert.deepEqual(messages.map(shown), [[id, 'hello!', 2]]);
  }
});

story('who was away gets the message as it is now', async ({ app, people, login }) => {
  await app.register('bob');
  const [alice] = await people('alice');
  const id = await alice.text('bob', 'helo');
  await alice.modify(id, 'bob', txt('hello'));
  const bob = await login('bob');
  const message = await bob.next('onTextMessage');
  assert.deepEqual(shown(message), [id, 'hello', 1]);
});

story('a custom message is changed, too, and of a picture only what it carries beside', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const custom = { type: 'custom', customEvent: 'order', customExts: { state: 'open' } };
  const id = (await alice.send('bob', custom)).serverMsgId;
  await bob.next('onCustomMessage');
  await alice.modify(id, 'bob', { ...custom, customExts: { state: 'paid' } });
  const told = await bob.next('onModifiedMessage');
  assert.deepEqual([told.id, told.type, told.customExts], [id, 'custom', { state: 'paid' }]);
  await refused(alice.modify(id, 'bob', txt('now a text')), ILLEGAL);
  const picture = { type: 'img', url: 'http://files.example/one.png', width: 4, height: 3 };
  const pictureId = (await alice.send('bob', { ...picture, ext: { title: 'one' } })).serverMsgId;
  await bob.next('onImageMessage');
  await alice.modify(pictureId, 'bob', { ...picture, width: 8, ext: { title: 'two' } });
  const changed = await bob.next('onModifiedMessage');
  assert.deepEqual([changed.id, changed.ext, changed.width], [pictureId, { title: 'two' }, 4]);
  await refused(alice.modify(pictureId, 'bob', txt('now a text')), ILLEGAL);
});

story('what cannot be changed: of others, unknown, often enough', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await alice.text('bob', 'hello');
  await bob.next('onTextMessage');
  await refused(bob.modify(id, 'alice', txt('mine')), PERMISSION_DENIED);
  await refused(alice.modify('12345', 'bob', txt('what')), NOT_FOUND);
  const recalled = await alice.text('bob', 'oops');
  await alice.call('recallMessage', { mid: recalled, to: 'bob', chatType: 'singleChat' });
  await refused(alice.modify(recalled, 'bob', txt('back')), NOT_FOUND);
  for (let count = 1; count <= 10; count += 1) await alice.modify(id, 'bob', txt(`hello ${count}`));
  await refused(alice.modify(id, 'bob', txt('once more')), LIMIT);
  const { messages } = await bob.call('getHistoryMessages', { targetId: 'alice', chatType: 'singleChat' });
  assert.deepEqual(messages.filter(({ type }) => type === 'txt').map(shown), [[id, 'hello 10', 10]]);
});

story('whom a receiver has blocked cannot reach it by a change', async ({ app, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await alice.text('bob', 'hello');
  await bob.next('onTextMessage');
  await app.block('bob', 'alice');
  await refused(alice.modify(id, 'bob', txt('something else')));
  const { messages } = await bob.call('getHistoryMessages', { targetId: 'alice', chatType: 'singleChat' });
  assert.deepEqual(messages.map(shown), [[id, 'hello', undefined]]);
});
