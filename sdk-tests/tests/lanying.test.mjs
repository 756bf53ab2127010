// Lanying's SDK logs in and chats: with its like, and with users of the Easemob SDK.

import assert from 'node:assert/strict';

import { Backend } from '../lib/backend.mjs';
import { story } from '../lib/story.mjs';
import { soon } from '../lib/wait.mjs';

/** Users of the app, registered and logged in with the Lanying SDK. */
async function chatting({ app, lanying }, ...users) {
  await app.register(...users);
  const clients = [];
  for (const user of users) clients.push(await lanying(user));
  return clients;
}

/** The next message that a client gets, as text. */
const text = async (client) => (await client.next('onRosterMessage', 'message')).content;

story('a user logs in by name and by number, and is the same', async ({ app, lanying, lanyingPage }) => {
  await app.register('alice');
  const alice = await lanying('alice');
  assert.ok(Number.isSafeInteger(alice.uid) && alice.uid > 0);
  const again = lanyingPage('alice');
  await again.loginById(alice.uid);
  assert.equal(again.uid, alice.uid);
  assert.equal((await app.devicesOf('alice')).length, 2);
  assert.equal(await app.statusOf('alice'), 'online');
});

story('a user logs in with a token that it was given before', async ({ app, lanying, lanyingPage }) => {
  await app.register('alice');
  const { uid, token } = await lanying('alice');
  const again = lanyingPage('alice');
  await again.loginByToken(uid, token);
  assert.equal((await app.devicesOf('alice')).length, 2);
});

story('two users chat; both see one id, one time and who it is from', async (scene) => {
  const [alice, bob] = await chatting(scene, 'alice', 'bob');
  const sent = await alice.send(bob, { content: '你好 🌍', ext: '{"a":1}' });
  const got = await bob.next('onRosterMessage');
  assert.equal(got.content, '你好 🌍');
  assert.deepEqual([got.type, got.ext, got.toType], ['text', '{"a":1}', 'roster']);
  assert.deepEqual([got.from, got.to], [`${alice.uid}`, `${bob.uid}`]);
  assert.equal(got.id, sent.id);
  await bob.send(alice, { content: 'hello' });
  assert.equal(await text(alice), 'hello');
});

story('pictures, places and commands arrive with what belongs to them', async (scene) => {
  const [alice, bob] = await chatting(scene, 'alice', 'bob');
  for (const [type, attachment] of [
    ['image', { url: 'http://files.example/1', dName: 'a.png', fLen: 5, width: 3, height: 4, tag: 'mine' }],
    ['audio', { url: 'http://files.example/2', duration: 3 }],
    ['video', { url: 'http://files.example/3', duration: 9 }],
    ['file', { url: 'http://files.example/4', dName: 'a.pdf', fLen: 5 }],
    ['location', { lat: 31.2, lon: 121.5, addr: 'Shanghai' }],
  ]) {
    await alice.send(bob, { type, content: '', attachment });
    const got = await bob.next('onRosterMessage');
    assert.deepEqual([got.type, got.attach], [type, attachment]);
  }
  await alice.send(bob, { type: 'command', content: 'refresh' });
  const { type, content } = await bob.next('onRosterMessage');
  assert.deepEqual([type, content], ['command', 'refresh']);
});

story('a file is uploaded, sent, downloaded by the receiver, and passed on', async (scene) => {
  const [alice, bob] = await chatting(scene, 'alice', 'bob');
  const file = new File(['hello, file'], 'notes.txt', { type: 'text/plain' });
  const url = await alice.upload(file, { toType: 'chat', fileType: 'file', chatType: 'roster', to_id: bob.uid });
  await alice.send(bob, { type: 'file', content: '', attachment: { url, dName: file.name, fLen: file.size } });
  const got = await bob.next('onRosterMessage');
  const read = async (client, attached) => {
    const response = await fetch(client.call('sysManage.getChatFile', { url: attached }));
    return [response.status, await response.text()];
  };
  assert.deepEqual(await read(bob, got.attach.url), [200, 'hello, file']);
  // The SDK looks for the message in the conversation that it is to go to.
  bob.call('sysManage.forwardMessage', { uid: alice.uid, mid: got.id });
  const passed = await alice.next('onRosterMessage');
  assert.deepEqual(await read(alice, passed.attach.url), [200, 'hello, file']);
});

story('a picture is uploaded and is the user\'s from then on', async (scene) => {
  const [alice, bob] = await chatting(scene, 'alice', 'bob');
  const picture = new File([new Uint8Array([0x89, 0x50, 0x4e, 0x47])], 'me.png', { type: 'image/png' });
  const avatar = await alice.upload(picture, { toType: 'rosterAvatar' });
  await alice.rest('POST', '/user/avatar', { avatar });
  const [shown] = await bob.rest('POST', '/roster/list', { list: [alice.uid] });
  const response = await fetch(bob.call('sysManage.getImage', { avatar: shown.avatar }));
  assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'image/png']);
});

story('what came while one was away comes at the login, once and in order', async (scene) => {
  const [alice, bob] = await chatting(scene, 'alice', 'bob');
  const { storage } = bob.browser;
  await bob.logout();
  const said = Array.from({ length: 45 }, (_, n) => `text ${n}`);
  for (const content of said) await alice.send(bob, { content });
  assert.equal(await scene.app.undeliveredTo('bob'), 45);
  const back = await scene.lanying('bob', { storage });
  const got = await back.take('onRosterMessage', said.length);
  assert.deepEqual(got.map(({ content }) => content), said);
  await alice.send(bob, { content: 'one more' });
  assert.equal(await text(back), 'one more');
  const { storage: kept } = back.browser;
  await back.logout();
  const third = await scene.lanying('bob', { storage: kept });
  await alice.send(bob, { content: 'the last' });
  assert.equal(await text(third), 'the last');
  await soonNothingWaits(scene.app, 'bob');
});

story('a lost line comes back by itself, with what was missed', async (scene) => {
  const [alice, bob] = await chatting(scene, 'alice', 'bob');
  await bob.next('flooNotice');
  bob.cutLine();
  await alice.send(bob, { content: 'are you there?' });
  assert.equal(await text(bob), 'are you there?');
  assert.ok(bob.browser.sockets.length > 1);
});

story("what was sent is on the sender's other devices, too", async (scene) => {
  const [alice, bob] = await chatting(scene, 'alice', 'bob');
  const other = await scene.lanying('alice');
  const { id } = await alice.send(bob, { content: 'from my telephone' });
  const copy = await other.next('onRosterMessage');
  assert.deepEqual([copy.id, copy.from, copy.to], [id, `${alice.uid}`, `${bob.uid}`]);
});

story('the sender is told that it was read', async (scene) => {
  const [alice, bob] = await chatting(scene, 'alice', 'bob');
  const { id } = await alice.send(bob, { content: 'read me' });
  await bob.next('onRosterMessage');
  bob.call('rosterManage.readRosterMessage', alice.uid, id);
  assert.equal((await alice.next('onMessageStatusChanged')).mid, id);
  assert.equal(alice.call('sysManage.getMessageStatus', bob.uid, id), 'read');
});

story('a message is taken back, and only by who sent it', async (scene) => {
  const [alice, bob] = await chatting(scene, 'alice', 'bob');
  const { id } = await alice.send(bob, { content: 'never mind' });
  await bob.next('onRosterMessage');
  bob.call('rosterManage.recallMessage', alice.uid, id);
  assert.equal((await bob.status((one) => one.status === 'failed')).status, 'failed');
  alice.call('rosterManage.recallMessage', bob.uid, id);
  const recalled = await bob.next('onMessageRecalled');
  assert.equal(recalled.uid, `${alice.uid}`);
  assert.deepEqual(bob.call('rosterManage.getRosterMessageByRid', alice.uid), []);
});

story("a message is deleted on one's own side, on all devices and for good", async (scene) => {
  const [alice, bob] = await chatting(scene, 'alice', 'bob');
  const tablet = await scene.lanying('bob');
  const { id } = await alice.send(bob, { content: 'forget it' });
  for (const device of [bob, tablet]) await device.next('onRosterMessage');
  bob.call('rosterManage.deleteMessage', alice.uid, id);
  for (const device of [bob, tablet]) {
    await device.next('onMessageDeleted');
    assert.deepEqual(device.call('rosterManage.getRosterMessageByRid', alice.uid), []);
  }
  bob.call('sysManage.requireHistoryMessage', alice.uid, 0, 20);
  await bob.next('onReceiveHistoryMsg');
  assert.deepEqual(bob.call('rosterManage.getRosterMessageByRid', alice.uid), []);
  assert.equal(alice.call('rosterManage.getRosterMessageByRid', bob.uid).length, 1);
  assert.deepEqual(alice.seen('onMessageDeleted'), []);
});

story("a message is made unread again, on the user's other device", async (scene) => {
  const [alice, bob] = await chatting(scene, 'alice', 'bob');
  const tablet = await scene.lanying('bob');
  const { id } = await alice.send(bob, { content: 'later' });
  for (const device of [bob, tablet]) await device.next('onRosterMessage');
  tablet.call('rosterManage.readRosterMessage', alice.uid, id);
  assert.equal(tablet.call('rosterManage.getUnreadCount', alice.uid), 0);
  bob.call('rosterManage.unreadMessage', alice.uid, id);
  for (const device of [bob, tablet]) await device.next('onMessageCanceled');
  assert.equal(tablet.call('rosterManage.getUnreadCount', alice.uid), 1);
});

story('a conversation is removed with what was said in it, and begins anew', async (scene) => {
  const [alice, bob] = await chatting(scene, 'alice', 'bob');
  await alice.send(bob, { content: 'old' });
  await bob.next('onRosterMessage');
  bob.call('sysManage.deleteConversation', alice.uid);
  await bob.notice('conversation_deleted');
  await alice.send(bob, { content: 'new' });
  assert.equal(await text(bob), 'new');
  bob.call('sysManage.requireHistoryMessage', alice.uid, 0, 20);
  await bob.next('onReceiveHistoryMsg');
  const known = bob.call('rosterManage.getRosterMessageByRid', alice.uid);
  assert.deepEqual(known.map(({ content }) => content), ['new']);
  assert.equal(alice.call('rosterManage.getRosterMessageByRid', bob.uid).length, 2);
});

story('one sees that the other is typing, and nothing of it is kept', async (scene) => {
  const [alice, bob] = await chatting(scene, 'alice', 'bob');
  alice.call('sysManage.sendInputStatusMessage', bob.uid, 'typing');
  const { ext, from } = await bob.next('onInputStatusMessage');
  assert.deepEqual([JSON.parse(ext), from], [{ input_status: 'typing' }, `${alice.uid}`]);
  await soonNothingWaits(scene.app, 'bob');
});

story('a new device looks back', async (scene) => {
  const [alice, bob] = await chatting(scene, 'alice', 'bob');
  const ids = [];
  for (const content of ['one', 'two', 'three', 'four']) ids.push((await alice.send(bob, { content })).id);
  await bob.take('onRosterMessage', 4);
  await soonNothingWaits(scene.app, 'bob');
  const other = await scene.lanying('bob');
  other.call('sysManage.requireHistoryMessage', alice.uid, 0, 2);
  const newest = await other.take('onRosterMessage', 2);
  assert.deepEqual(newest.map(({ content }) => content), ['three', 'four']);
  other.call('sysManage.requireHistoryMessage', alice.uid, ids[2], 20);
  await other.next('onReceiveHistoryMsg');
  await other.next('onReceiveHistoryMsg');
  const all = other.call('rosterManage.getRosterMessageByRid', alice.uid);
  assert.deepEqual(all.map(({ id }) => id), ids);
});

story('a wrong password is refused', async ({ app, lanyingPage }) => {
  await app.register('alice');
  const alice = lanyingPage('alice');
  await assert.rejects(alice.login('wrong'), /token failure:.*Operation rejected/);
  await assert.rejects(lanyingPage('nobody').login('wrong'), /token failure:.*Operation rejected/);
  assert.deepEqual(alice.seen('loginSuccess'), []);
});

story('a banned user does not get in, with a password or with a token', async ({ app, lanying, lanyingPage }) => {
  await app.register('alice');
  const alice = await lanying('alice');
  await app.ban('alice');
  assert.equal(await alice.notice('userNotice'), 'FROZEN');
  await assert.rejects(lanyingPage('alice').login(), /token failure/);
});

story('while a user is away its token is ended: the SDK asks for a login', async ({ app, lanying }) => {
  await app.register('alice');
  const alice = await lanying('alice');
  alice.cutLine();
  await app.setPassword('alice', 'another');
  assert.equal(await alice.next('loginFail'), 'socket_failure');
  assert.ok(alice.seen('flooNotice').some(({ category, desc }) => category === 'action' && desc === 'relogin'));
  await alice.login('another');
});

story('while a user is away it is banned: the SDK says so', async ({ app, lanying }) => {
  await app.register('alice');
  const alice = await lanying('alice');
  alice.cutLine();
  await app.ban('alice');
  assert.equal((await alice.next('flooError')).category, 'USER_FROZEN');
  assert.ok(alice.seen('flooNotice').some(({ desc }) => desc === 'relogin_manually'));
});

for (const [what, end, notice] of [
  ['kicked', (app) => app.kick('alice'), 'KICKED_BY_OTHER_DEVICE'],
  ['given another password', (app) => app.setPassword('alice', 'another'), 'PASSWORD_CHANGED'],
  ['deleted', (app) => app.delete('alice'), 'REMOVED'],
])
  story(`a user is ${what}: the SDK says so, and forgets its token`, async ({ app, lanying }) => {
    await app.register('alice');
    const alice = await lanying('alice');
    await end(app);
    assert.equal(await alice.notice('userNotice'), notice);
    assert.ok(!alice.token);
  });

story('the same device in another tab: the first gives way and stays away', async ({ app, lanying }) => {
  await app.register('alice');
  const alice = await lanying('alice');
  const second = await lanying('alice', { storage: new Map(alice.browser.storage) });
  assert.equal(await alice.notice('userNotice'), 'KICK_BY_SAME_DEVICE');
  assert.equal((await app.devicesOf('alice')).length, 1);
  assert.ok(second.token);
});

story('one device throws out another, by the number that both know', async ({ app, lanying }) => {
  await app.register('alice');
  const [first, second] = [await lanying('alice'), await lanying('alice')];
  const devices = await second.rest('GET', '/user/device/list');
  const numbers = devices.map(({ device_sn: number }) => number);
  assert.deepEqual(numbers.toSorted(), [first, second].map((one) => one.im.userManage.getDeviceSN()).toSorted());
  await second.rest('POST', '/user/kick', { device_sn: first.im.userManage.getDeviceSN() });
  assert.equal(await first.notice('userNotice'), 'KICKED_BY_OTHER_DEVICE');
  assert.equal((await app.devicesOf('alice')).length, 1);
});

story('who is blocked or muted is told, and nothing arrives', async (scene) => {
  const { app } = scene;
  const [alice, bob] = await chatting(scene, 'alice', 'bob');
  await app.block('bob', 'alice');
  await assert.rejects(alice.send(bob, { content: 'let me in' }), /not sent: failed/);
  await alice.next('flooError');
  await app.unblock('bob', 'alice');
  await app.call('POST', '/mutes', { username: 'alice', chat: 60 });
  await assert.rejects(alice.send(bob, { content: 'let me speak' }), /not sent: failed/);
  assert.equal((await alice.next('flooError')).category, 'USER_BANNED');
  await app.call('POST', '/mutes', { username: 'alice', chat: 0 });
  await alice.send(bob, { content: 'at last' });
  assert.equal(await text(bob), 'at last');
});

story('only contacts may write where the app says so, and who became one is told', async (scene) => {
  const { app } = scene;
  const [alice, bob] = await chatting(scene, 'alice', 'bob');
  await assert.rejects(alice.send(bob, { content: 'who are you?' }), /not sent: failed/);
  await app.befriend('bob', 'alice');
  await alice.next('onRosterListUpdate', 'new contact');
  await alice.send(bob, { content: 'now I may' });
  assert.equal(await text(bob), 'now I may');
}, { settings: ['--contacts-only-messaging'] });

story("a hook's veto reaches the sender with its reason", async (scene) => {
  const backend = await Backend.start();
  try {
    await backend.hook(scene.app, '--pre-send', '--timeout-ms', '5000', '--on-failure', 'closed');
    const [alice, bob] = await chatting(scene, 'alice', 'bob');
    backend.react = ({ data, answer }) => {
      const bad = JSON.stringify([data.bodies, data.ext]).includes('spam');
      answer(200, bad ? { allow: false, reason: 'no spam, please' } : { allow: true });
    };
    for (const message of [
      { content: 'buy spam' },
      { content: 'hello', ext: 'spam' },
      { type: 'image', content: 'spam', attachment: { url: 'http://files.example/1' } },
    ]) {
      await assert.rejects(alice.send(bob, message), /not sent: failed/);
      assert.equal((await alice.next('flooError')).desc, 'no spam, please');
    }
    await alice.send(bob, { content: 'hello' });
    assert.equal(await text(bob), 'hello');
  } finally {
    backend.stop();
  }
});

story('messages between the dialects arrive, both ways', async (scene) => {
  const { app, lanying, login } = scene;
  await app.register('alice', 'bob');
  const [alice, bob] = [await lanying('alice'), await login('bob')];
  const { uid } = await numberOf(scene, 'bob');
  const sent = await alice.send(uid, { content: 'from Lanying', ext: '{"a":1}' });
  const got = await bob.next('onTextMessage');
  assert.deepEqual([got.from, got.to, got.msg, got.ext, got.id], ['alice', 'bob', 'from Lanying', { a: 1 }, sent.id]);
  const id = await bob.text('alice', 'from Easemob', { ext: { b: [2] } });
  const back = await alice.next('onRosterMessage');
  assert.deepEqual([back.from, back.content, back.ext, back.id], [`${uid}`, 'from Easemob', '{"b":[2]}', id]);
  const url = 'http://files.example/a.png';
  await alice.send(uid, { type: 'image', content: '', attachment: { url, dName: 'a.png', width: 3, height: 4 } });
  const picture = await bob.next('onImageMessage');
  // The SDK puts its own server's host into every address.
  assert.deepEqual([new URL(picture.url).pathname, picture.width, picture.height], ['/a.png', 3, 4]);
  bob.call('send', bob.sdk.message.create(bob.browser.own({ type: 'read', chatType: 'singleChat', to: 'alice', id: sent.id })));
  await alice.next('onMessageStatusChanged');
  assert.equal(alice.call('sysManage.getMessageStatus', uid, sent.id), 'read');
  await bob.call('recallMessage', { mid: id, to: 'alice', chatType: 'singleChat' });
  assert.equal((await alice.next('onMessageRecalled')).uid, `${uid}`);
});

/** The number of a user who never used this SDK: what a page finds out by logging in as it, and out again. */
async function numberOf({ lanying }, user) {
  const page = await lanying(user);
  const { uid } = page;
  await page.logout();
  return { uid };
}

async function soonNothingWaits(app, user) {
  await soon(() => app.undeliveredTo(user), (count) => count === 0);
}
