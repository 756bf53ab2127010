// What else the SDK calls on its way, and what it is told of things that are not there yet.

import assert from 'node:assert/strict';

import { story } from '../lib/story.mjs';

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

for (const [method, path] of [
  ['GET', '/chatgroups/1001'],
  ['POST', '/chatgroups'],
  ['GET', '/users/alice/joined_chatgroups?pagenum=0&pagesize=20&version=v3'],
  ['GET', '/chatrooms?pagenum=1&pagesize=20'],
  ['GET', '/threads/user/alice?limit=20&cursor='],
  ['GET', '/reaction/user/alice?msgIdList=1&msgType=chat&groupId=null'],
]) {
  story(`${method} ${path.split('?')[0]} is answered in the vendor's shape`, async ({ app, login }) => {
    await app.register('alice');
    const alice = await login('alice');
    const body = method === 'POST' ? { owner: 'alice', groupname: 'g', members: [] } : undefined;
    const answer = await app.attempt(method, path, body, alice.accessToken);
    assert.match(answer.headers['content-type'], /^application\/json/);
    if (answer.status === 200) return;
    assert.equal(typeof answer.body.error, 'string');
    assert.equal(typeof answer.body.error_description, 'string');
  });
}
