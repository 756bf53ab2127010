// The list of conversations: pinned, marked, removed; messages removed from one's own side; and other pages that hear
// of it.

import assert from 'node:assert/strict';

import { refused, story } from '../lib/story.mjs';

const withBob = { conversationId: 'bob', conversationType: 'singleChat' };
const historyWithBob = { targetId: 'bob', chatType: 'singleChat' };

/** The numbers of the SDK. */
const CONVERSATION_NOT_FOUND = 1400;
const ROOM_NOT_FOUND = 705;

const listed = async (page, method, options = {}) => {
  const { data } = await page.call(method, options);
  return data.conversations.map(({ conversationId }) => conversationId);
};

const history = async (page, options = historyWithBob) => {
  const { messages } = await page.call('getHistoryMessages', options);
  return messages.map(({ id }) => id);
};

story('conversations are pinned and unpinned, the last pinned first', async ({ app, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await app.register('carol');
  await alice.text('bob', 'hello');
  await alice.text('carol', 'hello');
  const { data } = await alice.call('pinConversation', { ...withBob, isPinned: true });
  assert.equal(data.isPinned, true);
  assert.ok(Math.abs(data.pinnedTime - Date.now()) < 60_000);
  await alice.call('pinConversation', { ...withBob, conversationId: 'carol', isPinned: true });
  assert.deepEqual(await listed(alice, 'getServerPinnedConversations'), ['carol', 'bob']);
  assert.deepEqual(await listed(bob, 'getServerPinnedConversations'), []);
  const all = (await alice.call('getServerConversations', {})).data.conversations;
  assert.deepEqual(
    all.map(({ conversationId, isPinned }) => [conversationId, isPinned]),
    [
      ['carol', true],
      ['bob', true],
    ],
  );
  await alice.call('pinConversation', { ...withBob, isPinned: false });
  assert.deepEqual(await listed(alice, 'getServerPinnedConversations'), ['carol']);
  const stranger = { ...withBob, conversationId: 'stranger', isPinned: true };
  await refused(alice.call('pinConversation', stranger), CONVERSATION_NOT_FOUND);
  const group = { conversationId: '1001', conversationType: 'groupChat', isPinned: true };
  await refused(alice.call('pinConversation', group), ROOM_NOT_FOUND);
});

story('conversations are marked and found by their marks', async ({ app, people }) => {
  const [alice] = await people('alice');
  await app.register('bob', 'carol');
  await alice.text('bob', 'hello');
  await alice.text('carol', 'hello');
  const withCarol = { ...withBob, conversationId: 'carol' };
  await alice.call('addConversationMark', { conversations: [withBob, withCarol], mark: 1 });
  await alice.call('addConversationMark', { conversations: [withBob], mark: 19 });
  assert.deepEqual(await listed(alice, 'getServerConversationsByFilter', { filter: { mark: 1 } }), ['carol', 'bob']);
  const { data } = await alice.call('getServerConversationsByFilter', { filter: { mark: 19 } });
  assert.deepEqual(
    data.conversations.map(({ conversationId, marks }) => [conversationId, marks]),
    [['bob', [1, 19]]],
  );
  await alice.call('removeConversationMark', { conversations: [withBob], mark: 1 });
  assert.deepEqual(await listed(alice, 'getServerConversationsByFilter', { filter: { mark: 1 } }), ['carol']);
});

story('a removed conversation comes back with the next message', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await alice.text('bob', 'hello');
  await bob.next('onTextMessage');
  await alice.call('deleteConversation', { channel: 'bob', chatType: 'singleChat', deleteRoam: false });
  assert.deepEqual(await listed(alice, 'getServerConversations'), []);
  assert.deepEqual(await listed(bob, 'getServerConversations'), ['alice']);
  assert.deepEqual(await history(alice), [id]);
  const answer = await bob.text('alice', 'still here?');
  await alice.next('onTextMessage');
  assert.deepEqual(await listed(alice, 'getServerConversations'), ['bob']);
  assert.deepEqual(await history(alice), [answer, id]);
  await alice.call('deleteConversation', { channel: 'bob', chatType: 'singleChat', deleteRoam: true });
  assert.deepEqual(await history(alice), []);
  assert.deepEqual(await history(bob, { ...historyWithBob, targetId: 'alice' }), [answer, id]);
});

story('messages are removed from one side, by id and by time', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const ids = [];
  for (const msg of ['one', 'two', 'three']) ids.push(await alice.text('bob', msg));
  const [last] = (await bob.take('onTextMessage', 3)).slice(-1);
  await alice.call('removeHistoryMessages', { ...historyWithBob, messageIds: [ids[1], '12345'] });
  assert.deepEqual(await history(alice), [ids[2], ids[0]]);
  await alice.call('removeHistoryMessages', { ...historyWithBob, beforeTimeStamp: last.time });
  assert.deepEqual(await history(alice), []);
  assert.deepEqual(await history(bob, { ...historyWithBob, targetId: 'alice' }), [...ids].reverse());
  const ofGroup = { targetId: '1001', chatType: 'groupChat', beforeTimeStamp: Date.now() };
  await refused(alice.call('removeHistoryMessages', ofGroup), ROOM_NOT_FOUND);
});

story('everything is removed from one side at once', async ({ app, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await app.register('carol');
  await alice.text('bob', 'hello');
  await alice.text('carol', 'hello');
  await alice.call('deleteAllMessagesAndConversations');
  assert.deepEqual(await listed(alice, 'getServerConversations'), []);
  assert.deepEqual(await history(alice), []);
  assert.equal((await history(bob, { ...historyWithBob, targetId: 'alice' })).length, 1);
});

story('the other pages of a user hear what one of them does', async ({ people, login }) => {
  const [alice, bob] = await people('alice', 'bob');
  const laptop = await login('alice');
  const id = await alice.text('bob', 'hello');
  await laptop.next('onTextMessage');
  const heard = async (...expected) => {
    const { operation, conversationId, conversationMark } = await laptop.next('onMultiDeviceEvent');
    assert.deepEqual([operation, conversationId, conversationMark].filter((one) => one !== undefined), expected);
  };
  await alice.call('pinConversation', { ...withBob, isPinned: true });
  await heard('pinnedConversation', 'bob');
  await alice.call('pinConversation', { ...withBob, isPinned: false });
  await heard('unpinnedConversation', 'bob');
  await alice.call('addConversationMark', { conversations: [withBob], mark: 7 });
  await heard('markConversation', 'bob', 7);
  await alice.call('removeConversationMark', { conversations: [withBob], mark: 7 });
  await heard('unMarkConversation', 'bob', 7);
  await alice.call('removeHistoryMessages', { ...historyWithBob, messageIds: [id] });
  await heard('deleteRoaming', 'bob');
  await alice.call('deleteConversation', { channel: 'bob', chatType: 'singleChat', deleteRoam: true });
  await heard('deleteConversation', 'bob');
  // What comes after the news shows that they were the last, and that nobody else heard of them.
  await bob.text('alice', 'bye');
  await Promise.all([alice.next('onTextMessage'), laptop.next('onTextMessage')]);
  for (const page of [alice, bob]) assert.deepEqual(page.seen('onMultiDeviceEvent'), []);
  assert.equal(laptop.seen('onMultiDeviceEvent').length, 6);
});

story('the lists of older versions of the SDK', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await bob.text('alice', 'hello');
  await alice.next('onTextMessage');
  const [channel] = (await alice.call('getConversationlist', {})).data.channel_infos;
  assert.equal(channel.lastMessage.msg, 'hello');
  const [session] = (await alice.call('getSessionList', {})).data.channel_infos;
  assert.match(session.channel_id, /_bob@easemob\.com$/);
});
