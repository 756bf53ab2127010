// The backend writes to users: POST /messages/users, and the older POST /messages.

import assert from 'node:assert/strict';

import { story } from '../lib/story.mjs';
import { soon } from '../lib/wait.mjs';

story('a text from the backend arrives under the id that the backend was told', async ({ app, people }) => {
  const [, bob] = await people('alice', 'bob');
  const message = {
    from: 'alice',
    to: ['bob'],
    type: 'txt',
    body: { msg: 'written by the backend' },
    ext: { order: 42, by: 'shop' },
  };
  const ids = await app.send(message);
  assert.deepEqual(Object.keys(ids), ['bob']);
  const got = await bob.next('onTextMessage');
  assert.deepEqual([got.id, got.from, got.to, got.msg], [ids.bob, 'alice', 'bob', 'written by the backend']);
  assert.deepEqual(got.ext, { order: 42, by: 'shop' });
});

story('a command and a custom message from the backend', async ({ app, people }) => {
  const [, bob] = await people('alice', 'bob');
  await app.send({ from: 'alice', to: ['bob'], type: 'cmd', body: { action: 'refresh' } });
  assert.equal((await bob.next('onCmdMessage')).action, 'refresh');
  await app.send({
    from: 'alice',
    to: ['bob'],
    type: 'custom',
    body: { customEvent: 'order', customExts: { number: '42' } },
  });
  const custom = await bob.next('onCustomMessage');
  assert.equal(custom.customEvent, 'order');
});

story('several receivers, each with an id; who is away gets it later', async ({ app, login, people }) => {
  const [, bob] = await people('alice', 'bob');
  await app.register('carol');
  const ids = await app.send({ from: 'alice', to: ['bob', 'carol'], type: 'txt', body: { msg: 'to both' } });
  assert.deepEqual(Object.keys(ids).sort(), ['bob', 'carol']);
  assert.equal((await bob.next('onTextMessage')).id, ids.bob);
  assert.equal(await app.undeliveredTo('carol'), 1);
  assert.equal(await app.deliveryOf('carol', ids.carol), 'undelivered');
  const carol = await login('carol');
  assert.equal((await carol.next('onTextMessage')).id, ids.carol);
  await soon(
    () => app.undeliveredTo('carol'),
    (count) => count === 0,
  );
  assert.equal(await app.deliveryOf('carol', ids.carol), 'delivered');
});

story('a receiver who is named twice gets one message', async ({ app }) => {
  await app.register('alice');
  await app.register('bob');
  const ids = await app.send({ from: 'alice', to: ['bob', 'BOB', 'bob'], type: 'txt', body: { msg: 'once' } });
  assert.deepEqual(Object.keys(ids), ['bob']);
  assert.equal(await app.undeliveredTo('bob'), 1);
});

story('without a sender it is from admin', async ({ app, people }) => {
  const [bob] = await people('bob');
  await app.send({ to: ['bob'], type: 'txt', body: { msg: 'from the house' } });
  assert.equal((await bob.next('onTextMessage')).from, 'admin');
});

story('the older call', async ({ app, people }) => {
  const [, bob] = await people('alice', 'bob');
  const message = { target_type: 'users', target: ['bob'], msg: { type: 'txt', msg: 'the old way' }, from: 'alice' };
  const { data } = await app.call('POST', '/messages', message);
  assert.deepEqual(data, { bob: 'success' });
  const got = await bob.next('onTextMessage');
  assert.deepEqual([got.from, got.msg], ['alice', 'the old way']);
});

story('a user may not send as the backend', async ({ app, people }) => {
  const [alice] = await people('alice', 'bob');
  const message = { from: 'bob', to: ['alice'], type: 'txt', body: { msg: 'forged' } };
  const answer = await app.attempt('POST', '/messages/users', message, alice.accessToken);
  assert.equal(answer.status, 401);
  assert.equal(await app.undeliveredTo('alice'), 0);
});
