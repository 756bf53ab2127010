// What else the SDK calls on its way, and what it is told of things that are not there.

import assert from 'node:assert/strict';

import { refused, story } from '../lib/story.mjs';

story('the SDK asks when its token ends', async ({ app, login }) => {
  await app.register('alice');
  const alice = await login('alice', { token: await app.tokenOf('alice', 600) });
  const { expire_timestamp: end } = await alice.call('getTokenExpireTimestamp', alice.accessToken);
  assert.ok(Math.abs(end - (Date.now() + 600_000)) < 60_000, `${end}`);
});

story('the push nickname', async ({ app, people }) => {
  const [alice] = await people('alice');
  await alice.call('updateCurrentUserNick', 'Alice 爱丽丝');
  assert.equal((await app.call('GET', '/users/alice')).entities[0].nickname, 'Alice 爱丽丝');
});

story('a device for pushes', async ({ people }) => {
  const [alice] = await people('alice');
  await alice.call('uploadPushToken', { deviceId: 'd', deviceToken: 't', notifierName: 'n' });
});

story('do-not-disturb for a conversation', async ({ people }) => {
  const [alice] = await people('alice', 'bob');
  const conversation = { conversationId: 'bob', type: 'singleChat' };
  const options = { paramType: 0, remindType: 'NONE' };
  await alice.call('setSilentModeForConversation', { ...conversation, options });
  const set = await alice.call('getSilentModeForConversation', conversation);
  assert.equal(set.data.type, 'NONE');
  await alice.call('clearRemindTypeForConversation', conversation);
  const cleared = await alice.call('getSilentModeForConversation', conversation);
  assert.notEqual(cleared.data?.type, 'NONE');
});

story('do-not-disturb for everything', async ({ people }) => {
  const [alice] = await people('alice');
  await alice.call('setSilentModeForAll', { options: { paramType: 0, remindType: 'AT' } });
  assert.equal((await alice.call('getSilentModeForAll')).data.type, 'AT');
});

story('do-not-disturb for many conversations at once, and the list of them', async ({ app, people }) => {
  const [alice] = await people('alice');
  await app.register('bob', 'carol');
  const options = { paramType: 0, remindType: 'NONE' };
  await alice.call('setSilentModeForConversation', { conversationId: 'bob', type: 'singleChat', options });
  const conversationList = ['bob', 'carol'].map((id) => ({ id, type: 'singleChat' }));
  const { data } = await alice.call('getSilentModeForConversations', { conversationList });
  assert.deepEqual([data.user.bob.type, data.user.carol.type], ['NONE', 'DEFAULT']);
  const listed = await alice.call('getSilentModeRemindTypeConversations', { pageSize: 10 });
  assert.deepEqual(listed.data.conversations, [{ conversationId: 'bob', type: 'singleChat', remindType: 'NONE' }]);
});

story('the language of pushes', async ({ people }) => {
  const [alice] = await people('alice');
  await alice.call('setPushPerformLanguage', { language: 'EU' });
  assert.equal((await alice.call('getPushPerformLanguage')).data.language, 'EU');
});

// What is not there. The SDK's own words for it; each within the time of an answer.

const SERVICE_NOT_ENABLED = 505;
const GROUP_NOT_FOUND = 605;
const ROOM_NOT_FOUND = 705;

const group = { groupId: '1001' };
const room = { roomId: '1001' };
const thread = { chatThreadId: '1001' };
const ofMembers = { usernames: ['bob'], users: ['bob'], username: 'bob' };
const names = { data: { groupname: 'g', desc: 'd', members: ['bob'], public: true, approval: true, allowinvites: true } };

for (const [method, parameters, type] of [
  ['createGroup', names, SERVICE_NOT_ENABLED],
  ['getJoinedGroups', { pageNum: 0, pageSize: 20 }, SERVICE_NOT_ENABLED],
  ['getPublicGroups', { limit: 20, cursor: '' }, SERVICE_NOT_ENABLED],
  ['getGroupInfo', group, GROUP_NOT_FOUND],
  ['listGroupMembers', { ...group, pageNum: 1, pageSize: 20 }, GROUP_NOT_FOUND],
  ['inviteUsersToGroup', { ...group, ...ofMembers }, GROUP_NOT_FOUND],
  ['joinGroup', { ...group, message: 'hi' }, GROUP_NOT_FOUND],
  ['leaveGroup', group, GROUP_NOT_FOUND],
  ['destroyGroup', group, GROUP_NOT_FOUND],
  ['setGroupMemberAttributes', { ...group, userId: 'alice', memberAttributes: { a: 'b' } }, ROOM_NOT_FOUND],
  ['createChatRoom', { name: 'r', description: 'd', maxusers: 9, members: ['bob'] }, SERVICE_NOT_ENABLED],
  ['getChatRooms', { pagenum: 1, pagesize: 20 }, SERVICE_NOT_ENABLED],
  ['getChatRoomDetails', { chatRoomId: '1001' }, ROOM_NOT_FOUND],
  ['getChatRoomAttributes', { chatRoomId: '1001', attributeKeys: ['a'] }, ROOM_NOT_FOUND],
  ['joinChatRoom', room, ROOM_NOT_FOUND],
  ['leaveChatRoom', room, ROOM_NOT_FOUND],
  ['createChatThread', { name: 't', messageId: '1', parentId: '1001' }, SERVICE_NOT_ENABLED],
  ['joinChatThread', thread, SERVICE_NOT_ENABLED],
  ['getChatThreads', { parentId: '1001' }, SERVICE_NOT_ENABLED],
  ['getJoinedChatThreads', {}, SERVICE_NOT_ENABLED],
  ['translateMessage', { text: 'hello', languages: ['zh'] }, SERVICE_NOT_ENABLED],
  ['getSupportedLanguages', undefined, SERVICE_NOT_ENABLED],
]) {
  story(`${method} is refused, as ${type}`, async ({ app, login }) => {
    await app.register('alice', 'bob');
    const alice = await login('alice');
    await refused(alice.call(method, parameters), type);
    assert.ok(alice.conn.isOpened(), 'the connection is left alone');
  });
}

story('messages to groups and rooms are refused', async ({ people }) => {
  const [alice] = await people('alice');
  const toGroup = { type: 'txt', msg: 'hello', chatType: 'groupChat', to: '1001' };
  await refused(alice.send('1001', toGroup), GROUP_NOT_FOUND);
  await refused(alice.send('1001', { ...toGroup, chatType: 'chatRoom' }), GROUP_NOT_FOUND);
  await refused(alice.call('recallMessage', { mid: '1', to: '1001', chatType: 'groupChat' }), GROUP_NOT_FOUND);
  await alice.text('alice', 'still connected');
});

for (const [method, path] of [
  ['GET', '/chatgroups/1001'],
  ['POST', '/chatgroups'],
  ['GET', '/users/alice/joined_chatgroups?pagenum=0&pagesize=20&version=v3'],
  ['DELETE', '/chatrooms/1001'],
  ['GET', '/threads/user/alice?limit=20&cursor='],
  ['POST', '/users/alice/translate'],
]) {
  story(`${method} ${path.split('?')[0]} is refused in the vendor's shape`, async ({ app }) => {
    await app.register('alice');
    const { status, headers, body } = await app.attempt(method, path, undefined, await app.token());
    assert.ok(status === 403 || status === 404, `${status}`);
    assert.match(headers['content-type'], /^application\/json/);
    assert.equal(typeof body.error, 'string');
    assert.equal(typeof body.error_description, 'string');
  });
}
