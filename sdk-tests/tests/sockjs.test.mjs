// The SDKs from 4.0 to 4.8 speak the same protocol through SockJS at the same address.

import assert from 'node:assert/strict';

import WebSocket from 'ws';

import { request } from '../lib/http.mjs';
import { refused, story } from '../lib/story.mjs';
import { soon } from '../lib/wait.mjs';

const OPEN_ERROR = 1;
const INVALID_TOKEN = 28;
const KICKED = 217;
const DISPLACED = 206;
const NOT_LOGGED_IN = 39;

/** A page with the older SDK. */
const how = (server, more) => ({ sdk: 'easemob-websdk-sockjs', options: { url: `${server.url}/ws` }, ...more });

/** Logs in with the older SDK, whose `open` says only that it has a token. */
async function older(login, server, user, more) {
  const page = await login(user, how(server, more));
  await page.next('onConnected');
  return page;
}

story('an older SDK chats with the newest', async ({ app, server, login, people }) => {
  const [alice] = await people('alice');
  await app.register('bob');
  const bob = await older(login, server, 'bob');
  assert.equal(await app.statusOf('bob'), 'online');
  const id = await alice.text('bob', 'to the older one 你好');
  const got = await bob.next('onTextMessage');
  assert.deepEqual([got.id, got.from, got.msg], [id, 'alice', 'to the older one 你好']);
  const answer = await bob.text('alice', 'to the newer one');
  const heard = await alice.next('onTextMessage');
  assert.deepEqual([heard.id, heard.from, heard.msg], [answer, 'bob', 'to the newer one']);
});

story('two older SDKs chat', async ({ app, server, login }) => {
  await app.register('alice', 'bob');
  const alice = await older(login, server, 'alice');
  const bob = await older(login, server, 'bob', { token: app.dynamicTokenOf('bob') });
  const id = await alice.text('bob', 'x'.repeat(40_000));
  assert.equal((await bob.next('onTextMessage')).id, id);
  await bob.send('alice', { type: 'cmd', action: 'ring' });
  assert.equal((await alice.next('onCmdMessage')).action, 'ring');
});

story('a wrong password and a wrong token open nothing', async ({ app, server, login, page }) => {
  await app.register('bob');
  const fault = await refused(login('bob', how(server, { pwd: 'wrong' })), OPEN_ERROR);
  assert.equal(fault.told.data.message, 'invalid password');
  const bob = page('bob', how(server));
  await bob.open({ token: 'YWMtinvented' }).catch(() => {});
  assert.equal((await bob.next('onError')).type, INVALID_TOKEN);
  assert.deepEqual(bob.seen('onConnected'), []);
  assert.equal(await app.statusOf('bob'), 'offline');
});

story('an older SDK gets what it has missed', async ({ app, server, login, people }) => {
  const [alice] = await people('alice');
  await app.register('bob');
  const texts = Array.from({ length: 25 }, (_, n) => `message ${n}`);
  await Promise.all(texts.map((msg) => alice.text('bob', msg)));
  const bob = await older(login, server, 'bob', { token: await app.tokenOf('bob') });
  assert.deepEqual(
    (await bob.take('onTextMessage', 25)).map(({ msg }) => msg),
    texts,
  );
  await soon(
    () => app.undeliveredTo('bob'),
    (count) => count === 0,
  );
});

story('an older SDK whose line drops comes back and has missed nothing', async ({ app, server, login, people }) => {
  const [alice] = await people('alice');
  await app.register('bob');
  const bob = await older(login, server, 'bob');
  await alice.text('bob', 'before');
  await bob.next('onTextMessage');
  bob.cutLine();
  await soon(
    () => app.statusOf('bob'),
    (status) => status === 'offline',
  );
  await alice.text('bob', 'meanwhile');
  await bob.next('onConnected');
  assert.equal((await bob.next('onTextMessage')).msg, 'meanwhile');
  await alice.text('bob', 'afterwards');
  assert.equal((await bob.next('onTextMessage')).msg, 'afterwards');
  assert.equal(bob.seen('onTextMessage').length, 3);
});

story('an older SDK sees who comes and goes', async ({ app, server, login }) => {
  await app.register('alice', 'bob');
  const bob = await older(login, server, 'bob');
  await bob.call('subscribePresence', { usernames: ['alice'], expiry: 3600 });
  const alice = await login('alice');
  const [{ userId, statusDetails }] = await bob.next('onPresenceStatusChange');
  assert.deepEqual([userId, Number(statusDetails[0].status)], ['alice', 1]);
  await alice.logout();
  const [gone] = await bob.next('onPresenceStatusChange');
  assert.ok(gone.statusDetails.every(({ status }) => Number(status) === 0));
});

story('an older SDK is kicked, and comes back only when asked to', async ({ app, server, login, people }) => {
  const [alice] = await people('alice');
  await app.register('bob');
  const bob = await older(login, server, 'bob');
  await app.kick('bob');
  assert.equal(await app.statusOf('bob'), 'offline');
  assert.equal((await bob.next('onError')).type, KICKED);
  await bob.next('onDisconnected');
  await refused(bob.text('alice', 'still me?'), NOT_LOGGED_IN);
  await bob.open();
  await bob.next('onConnected');
  await bob.text('alice', 'here I am again');
  assert.equal((await alice.next('onTextMessage')).msg, 'here I am again');
});

story('an older SDK gives way to newer devices of its user', async ({ app, server, login }) => {
  await app.register('bob');
  const bob = await older(login, server, 'bob');
  for (let others = 0; others < 4; others += 1) await login('bob', { loginExt: 'my phone' });
  assert.equal((await bob.next('onError')).type, DISPLACED);
  assert.equal((await app.devicesOf('bob')).length, 4);
});

story('what SockJS asks for first is told to pages of any origin', async ({ server }) => {
  const origin = 'http://app.example';
  const info = await request('GET', `${server.url}/ws/info?t=1`, { headers: { origin } });
  const { entropy, ...rest } = JSON.parse(info.body);
  assert.deepEqual(rest, { websocket: true, origins: ['*:*'], cookie_needed: false });
  assert.ok(Number.isInteger(entropy));
  assert.equal(info.headers['access-control-allow-origin'], origin);
  assert.equal(info.headers['access-control-allow-credentials'], 'true');
  assert.match(info.headers['cache-control'], /no-store/);
  const preflight = await request('OPTIONS', `${server.url}/ws/info`, { headers: { origin } });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers['access-control-allow-origin'], origin);
});

story('what SockJS would fall back to is not there, and says so as the API does', async ({ server }) => {
  const asked = [
    ['POST', '/ws/000/abcdefgh/xhr'],
    ['POST', '/ws/000/abcdefgh/xhr_streaming'],
    ['POST', '/ws/000/abcdefgh/xhr_send'],
    ['GET', '/ws/000/abcdefgh/eventsource'],
    ['GET', '/ws/000/abcdefgh/htmlfile'],
    ['GET', '/ws/iframe.html'],
    ['GET', '/ws/000/abcdefgh/websocket'],
    ['POST', '/ws/info'],
  ];
  for (const [method, path] of asked) {
    const { status, headers, body } = await request(method, `${server.url}${path}`);
    assert.equal(status, 404, path);
    assert.match(headers['content-type'], /^application\/json/, path);
    assert.equal(typeof JSON.parse(body).error_description, 'string', path);
  }
});

story('what is no list of frames ends the connection, in words of SockJS and of the websocket', async ({ server }) => {
  for (const [said, code] of [
    ['{"not":"a list"}', 1007],
    ['["AAAA', 1007],
    [Buffer.from([0]), 1003],
    ['["QAE="]', 1008],
  ]) {
    const socket = new WebSocket(`${server.socketUrl}/000/abcdefgh/websocket`);
    const texts = [];
    socket.on('message', (data) => texts.push(data.toString()));
    socket.on('open', () => socket.send(said));
    const closed = await new Promise((resolve) => socket.on('close', resolve));
    assert.deepEqual([texts, closed], [['o', 'c[3000,"Go away!"]'], code], String(said));
  }
});
