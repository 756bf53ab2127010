// What the server remembers for a page that was just opened: conversations, their history, and profiles.

import assert from 'node:assert/strict';

import { story } from '../lib/story.mjs';

const withBob = { targetId: 'bob', chatType: 'singleChat' };

story('the history of a conversation, newest first, in pages', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const ids = [];
  for (const [from, to] of [
    [alice, 'bob'],
    [bob, 'alice'],
    [alice, 'bob'],
    [bob, 'alice'],
    [alice, 'bob'],
  ]) {
    ids.push(await from.text(to, `message ${ids.length}`));
  }
  const first = await alice.call('getHistoryMessages', { ...withBob, pageSize: 2 });
  assert.deepEqual(
    first.messages.map(({ msg }) => msg),
    ['message 4', 'message 3'],
  );
  assert.deepEqual(
    first.messages.map(({ from }) => from),
    ['alice', 'bob'],
  );
  assert.equal(first.isLast, false);
  const second = await alice.call('getHistoryMessages', { ...withBob, pageSize: 2, cursor: first.cursor });
  const third = await alice.call('getHistoryMessages', { ...withBob, pageSize: 2, cursor: second.cursor });
  assert.deepEqual(
    [...second.messages, ...third.messages].map(({ msg }) => msg),
    ['message 2', 'message 1', 'message 0'],
  );
  assert.equal(third.isLast, true);
  const all = [first, second, third].flatMap(({ messages }) => messages);
  assert.deepEqual(
    all.map(({ id }) => id),
    ids.reverse(),
  );
});

story('the history from its beginning', async ({ people }) => {
  const [alice] = await people('alice', 'bob');
  for (const msg of ['one', 'two', 'three']) await alice.text('bob', msg);
  const { messages } = await alice.call('getHistoryMessages', { ...withBob, searchDirection: 'down' });
  assert.deepEqual(
    messages.map(({ msg }) => msg),
    ['one', 'two', 'three'],
  );
});

story('the history is of this conversation only, and no one else may read it', async ({ app, people }) => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  await alice.text('bob', 'for bob');
  await alice.text('carol', 'for carol');
  const { messages } = await alice.call('getHistoryMessages', withBob);
  assert.deepEqual(
    messages.map(({ msg }) => msg),
    ['for bob'],
  );
  assert.deepEqual((await carol.call('getHistoryMessages', withBob)).messages, []);
  const query = { queue: 'alice@easemob.com', start: -1, pull_number: 20, is_positive: false };
  assert.equal((await app.attempt('POST', '/users/bob/messageroaming', query, carol.accessToken)).status, 401);
  assert.equal((await app.attempt('POST', '/users/bob/messageroaming', query, bob.accessToken)).status, 200);
});

story('a recalled message is not in the history', async ({ people }) => {
  const [alice] = await people('alice', 'bob');
  const id = await alice.text('bob', 'oops');
  await alice.text('bob', 'kept');
  await alice.call('recallMessage', { mid: id, to: 'bob', chatType: 'singleChat' });
  const { messages } = await alice.call('getHistoryMessages', withBob);
  assert.deepEqual(
    messages.filter(({ type }) => type === 'txt').map(({ msg }) => msg),
    ['kept'],
  );
});

story('receipts and commands for those who are here only are not in the history', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const id = await alice.text('bob', 'hello');
  await bob.next('onTextMessage');
  await bob.send('alice', { type: 'read', id });
  await alice.next('onReadMessage');
  await alice.send('bob', { type: 'cmd', action: 'typing', deliverOnlineOnly: true });
  const { messages } = await alice.call('getHistoryMessages', withBob);
  assert.deepEqual(
    messages.map((message) => message.id),
    [id],
  );
});

story('the conversations, the latest first', async ({ people }) => {
  const [alice, , carol] = await people('alice', 'bob', 'carol');
  await alice.text('bob', 'to bob');
  await carol.text('alice', 'from carol');
  await alice.next('onTextMessage');
  const { data } = await alice.call('getServerConversations', { pageSize: 20, cursor: '' });
  assert.deepEqual(
    data.conversations.map(({ conversationId }) => conversationId),
    ['carol', 'bob'],
  );
  assert.deepEqual(
    data.conversations.map(({ conversationType }) => conversationType),
    ['singleChat', 'singleChat'],
  );
  const [{ lastMessage }] = data.conversations;
  assert.deepEqual([lastMessage.msg, lastMessage.from, lastMessage.to], ['from carol', 'carol', 'alice']);
});

story('a user with a profile', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await bob.call('updateUserInfo', { nickname: 'Bob 鲍勃', avatarurl: 'http://files.example/bob.png' });
  const { data } = await alice.call('fetchUserInfoById', ['bob', 'alice'], ['nickname', 'avatarurl']);
  assert.deepEqual(data, { bob: { nickname: 'Bob 鲍勃', avatarurl: 'http://files.example/bob.png' }, alice: {} });
});
