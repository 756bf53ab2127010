// What the two people of a conversation stick to its messages, pin in it, and complain of.

import assert from 'node:assert/strict';

import { refused, story } from '../lib/story.mjs';

/** The numbers of the SDK. */
const REPEATED = 1101;
const ILLEGAL = 1103;
const NOT_FOUND = 51;

const changes = ({ messageId, reactions: [{ reaction, count, op }] }) => [
  messageId,
  reaction,
  count,
  ...op.map(({ operator, reactionType }) => `${operator} ${reactionType}`),
];

story('reactions are seen by both, as they come and when they are asked for', async ({ people, login }) => {
  const [alice, bob] = await people('alice', 'bob');
  const laptop = await login('alice');
  const id = await alice.text('bob', 'we won');
  await bob.next('onTextMessage');
  await bob.call('addReaction', { messageId: id, reaction: '👍' });
  await alice.call('addReaction', { messageId: id, reaction: '👍' });
  await refused(alice.call('addReaction', { messageId: id, reaction: '👍' }), REPEATED);
  for (const page of [alice, laptop, bob]) {
    const told = (await page.take('onReactionChange', 2)).map(changes);
    assert.deepEqual(told, [
      [id, '👍', 1, 'bob create'],
      [id, '👍', 2, 'alice create'],
    ]);
  }
  const { data } = await bob.call('getReactionlist', { chatType: 'singleChat', messageId: [id, '12345'] });
  const found = data.map(({ msgId, reactionList }) => [msgId, reactionList.map(({ reaction }) => reaction)]);
  assert.deepEqual(found, [
    [id, ['👍']],
    ['12345', []],
  ]);
  const detail = (await bob.call('getReactionDetail', { messageId: id, reaction: '👍' })).data;
  assert.deepEqual([detail.userCount, detail.isAddedBySelf, detail.userList], [2, true, ['bob', 'alice']]);
  await bob.call('deleteReaction', { messageId: id, reaction: '👍' });
  assert.deepEqual(changes(await alice.next('onReactionChange')), [id, '👍', 1, 'bob delete']);
  const { messages } = await bob.call('getHistoryMessages', { targetId: 'alice', chatType: 'singleChat' });
  const stuck = messages[0].reactions.map(({ reaction, userList, isAddedBySelf }) => [reaction, userList, isAddedBySelf]);
  assert.deepEqual(stuck, [['👍', ['alice'], false]]);
});

story('nobody else reacts, and not to what is not there', async ({ app, people }) => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  const id = await alice.text('bob', 'hello');
  for (const [page, messageId] of [
    [carol, id],
    [bob, '12345'],
    [bob, 'no-id'],
  ]) {
    await refused(page.call('addReaction', { messageId, reaction: 'x' }), ILLEGAL);
  }
  await refused(bob.call('deleteReaction', { messageId: id, reaction: 'x' }), ILLEGAL);
  await app.block('alice', 'bob');
  await refused(bob.call('addReaction', { messageId: id, reaction: 'x' }));
  const { data } = await alice.call('getReactionlist', { chatType: 'singleChat', messageId: id });
  assert.deepEqual(data[0].reactionList, []);
  assert.deepEqual((await carol.call('getReactionlist', { chatType: 'singleChat', messageId: id })).data[0].reactionList, []);
});

story('messages are pinned for both', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await alice.text('bob', 'the address');
  const later = await bob.text('alice', 'the time');
  const withBob = { conversationId: 'bob', conversationType: 'singleChat' };
  const withAlice = { ...withBob, conversationId: 'alice' };
  await alice.call('pinMessage', { ...withBob, messageId: id });
  const told = await bob.next('onMessagePinEvent');
  const { messageId, conversationId, operation, operatorId } = told;
  assert.deepEqual([messageId, conversationId, operation, operatorId], [id, 'alice', 'pin', 'alice']);
  await bob.call('pinMessage', { ...withAlice, messageId: later });
  for (const [page, conversation] of [
    [alice, withBob],
    [bob, withAlice],
  ]) {
    const { data } = await page.call('getServerPinnedMessages', conversation);
    assert.deepEqual(
      data.list.map(({ message, operatorId: by }) => [message.id, message.msg, by]),
      [
        [later, 'the time', 'bob'],
        [id, 'the address', 'alice'],
      ],
    );
  }
  await bob.call('unpinMessage', { ...withAlice, messageId: id });
  assert.deepEqual((await alice.take('onMessagePinEvent', 2)).map((one) => one.operation), ['pin', 'unpin']);
  await refused(alice.call('unpinMessage', { ...withBob, messageId: id }), NOT_FOUND);
  await refused(alice.call('pinMessage', { ...withBob, messageId: '12345' }));
  const { data } = await alice.call('getServerPinnedMessages', withBob);
  assert.deepEqual(data.list.map(({ message }) => message.id), [later]);
});

story('a message is complained of', async ({ people }) => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  const messageId = await alice.text('bob', 'buy this');
  await bob.next('onTextMessage');
  const report = { reportType: 'spam', reportReason: 'advertising' };
  await bob.call('reportMessage', { ...report, messageId });
  await refused(carol.call('reportMessage', { ...report, messageId }), NOT_FOUND);
  await refused(bob.call('reportMessage', { ...report, messageId: '12345' }), NOT_FOUND);
});
