// One user to another, both connected: every kind of message, and who really sent it.

import assert from 'node:assert/strict';

import { refused, story } from '../lib/story.mjs';

/** Sends from alice to bob; what bob got after checking that both sides name and date it alike. */
async function pass(alice, bob, message, event) {
  const sent = await alice.send('bob', message);
  const got = await bob.next(event);
  assert.match(sent.serverMsgId, /^\d+$/);
  assert.notEqual(sent.serverMsgId, sent.localMsgId);
  assert.equal(got.id, sent.serverMsgId);
  assert.equal(got.time, sent.message.time);
  assert.equal(got.from, 'alice');
  assert.equal(got.to, 'bob');
  assert.equal(got.chatType, 'singleChat');
  return got;
}

story('a text arrives with the same id and time on both sides', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const before = Date.now();
  const got = await pass(alice, bob, { type: 'txt', msg: 'Hello, 世界 🌍' }, 'onTextMessage');
  assert.equal(got.msg, 'Hello, 世界 🌍');
  assert.ok(got.time >= before && got.time <= Date.now(), 'the time is the time of sending');
});

story('the sender is told that the server has it', async ({ people }) => {
  const [alice] = await people('alice', 'bob');
  const { localMsgId, serverMsgId } = await alice.send('bob', { type: 'txt', msg: 'hello' });
  const told = await alice.next('onReceivedMessage');
  assert.deepEqual([told.id, told.mid, told.to], [localMsgId, serverMsgId, 'bob']);
});

story('the extension of a message keeps its types', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const ext = { whole: 7, negative: -3, real: 1.5, yes: true, no: false, text: 'x', nested: { list: [1, 'two'] } };
  assert.deepEqual((await pass(alice, bob, { type: 'txt', msg: 'hello', ext }, 'onTextMessage')).ext, ext);
});

story('a custom message', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const message = { type: 'custom', customEvent: 'order', customExts: { number: '42', state: 'paid' } };
  const got = await pass(alice, bob, message, 'onCustomMessage');
  assert.equal(got.customEvent, 'order');
  assert.deepEqual(got.customExts, message.customExts);
});

story('a command', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  assert.equal((await pass(alice, bob, { type: 'cmd', action: 'typing' }, 'onCmdMessage')).action, 'typing');
});

story('a location', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const message = { type: 'loc', addr: 'Chang’an Avenue', buildingName: 'Gate', lat: 39.9087, lng: 116.3975 };
  const got = await pass(alice, bob, message, 'onLocationMessage');
  assert.deepEqual(
    [got.addr, got.buildingName, got.lat, got.lng],
    [message.addr, message.buildingName, message.lat, message.lng],
  );
});

for (const [kind, event, type, more] of [
  ['image', 'onImageMessage', 'img', { width: 640, height: 480 }],
  ['voice', 'onAudioMessage', 'audio', { filename: 'a.amr', length: 7 }],
  ['video', 'onVideoMessage', 'video', { filename: 'a.mp4', length: 12 }],
  ['file', 'onFileMessage', 'file', { filename: 'a.pdf' }],
]) {
  story(`an attachment that is on the server already: ${kind}`, async ({ app, people }) => {
    const [alice, bob] = await people('alice', 'bob');
    const url = `${app.url}/chatfiles/5fd74830-10b9-11ec-8d0a-2b8b2a3c4d5e`;
    const body = { url, type, file_length: 1234, ...more };
    const got = await pass(alice, bob, { type, url, body, file_length: 1234, ...more }, event);
    // The SDK itself adds a query to it.
    assert.equal(got.url.split('?')[0], url);
    assert.equal(got.file_length, 1234);
    for (const [key, value] of Object.entries(more)) assert.equal(got[key], value, key);
  });
}

story('many messages arrive in the order in which they were sent', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const texts = Array.from({ length: 100 }, (_, n) => `message ${n}`);
  const ids = await Promise.all(texts.map((msg) => alice.text('bob', msg)));
  const got = await bob.take('onTextMessage', texts.length);
  assert.deepEqual(
    got.map(({ msg }) => msg),
    texts,
  );
  assert.deepEqual(
    got.map(({ id }) => id),
    ids,
  );
  assert.equal(new Set(ids).size, ids.length);
});

story('both write at once, and each gets what the other wrote', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const numbers = Array.from({ length: 30 }, (_, n) => `${n}`);
  await Promise.all(numbers.flatMap((msg) => [alice.text('bob', msg), bob.text('alice', msg)]));
  for (const reader of [alice, bob]) {
    assert.deepEqual(
      (await reader.take('onTextMessage', numbers.length)).map(({ msg }) => msg),
      numbers,
    );
  }
});

story('a message to oneself is accepted', async ({ people }) => {
  const [alice] = await people('alice');
  assert.match(await alice.text('alice', 'note'), /^\d+$/);
});

story('a message that is too large is refused, and the line stays', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await refused(alice.text('bob', 'x'.repeat(70_000)), 511);
  await alice.text('bob', 'x'.repeat(60_000));
  assert.equal((await bob.next('onTextMessage')).msg.length, 60_000);
  assert.deepEqual(alice.seen('onReconnecting'), []);
});

story('a message to nobody is refused', async ({ people }) => {
  const [alice] = await people('alice');
  await refused(alice.text('nobody', 'hello'), 204);
});

/**
 * Changes a name inside the body of the next message, as a forger's client would write it. Both names are of one
 * length, so nothing else in the frame changes; the body is the last place of a frame with names in it.
 */
function forge(client, real, false_) {
  assert.equal(real.length, false_.length);
  const socket = client.browser.sockets.at(-1);
  const send = socket.send;
  socket.send = (data) => {
    const frame = Buffer.from(data);
    const at = frame.lastIndexOf(real);
    assert.ok(at > 0, 'the name is in the frame');
    frame.write(false_, at);
    socket.send = send;
    socket.send(frame);
  };
}

story('a forged sender is overwritten', async ({ app, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await app.register('carol');
  forge(alice, 'alice', 'carol');
  await alice.text('bob', 'I am carol');
  assert.equal((await bob.next('onTextMessage')).from, 'alice');
});

story('a forged receiver is overwritten', async ({ app, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await app.register('eve');
  forge(alice, 'bob', 'eve');
  await alice.text('bob', 'hello');
  assert.equal((await bob.next('onTextMessage')).to, 'bob');
});

story('users of another app are strangers', async ({ server, people }) => {
  const [alice] = await people('alice');
  const other = await server.app();
  await other.register('bob');
  await refused(alice.text('bob', 'hello'), 204);
  assert.equal(await other.undeliveredTo('bob'), 0);
});
