// Who gets in, with what, and what the SDK says to the others.

import assert from 'node:assert/strict';

import { refused, story } from '../lib/story.mjs';
import { soon } from '../lib/wait.mjs';

/** The numbers of the SDK for a login that was refused. */
const OPEN_ERROR = 1;
const INVALID_TOKEN = 28;
const TOKEN_EXPIRED = 56;
const USER_NOT_FOUND = 204;
const SERVING_DISABLED = 57;

/** A login by token that must fail, and how the SDK tells the page of it. */
async function refusedToken(alice, token, type) {
  await refused(alice.open({ token }), type);
  assert.equal((await alice.next('onError')).type, type);
  assert.equal((await alice.next('onDisconnected')).type, type);
  assert.deepEqual(alice.seen('onConnected'), []);
  assert.equal(alice.browser.sockets.length, 1, 'the SDK must not try again');
}

story('a user logs in with the password', async ({ app, login }) => {
  await app.register('alice');
  const alice = await login('alice');
  await alice.next('onConnected');
  assert.match(alice.resource, /^webim_web_\d+$/);
});

story('a user logs in with a token that the backend fetched', async ({ app, login }) => {
  await app.register('alice');
  const alice = await login('alice', { token: await app.tokenOf('alice') });
  await alice.next('onConnected');
});

story('a user logs in with a token that the backend computed', async ({ app, login }) => {
  await app.register('alice');
  const alice = await login('alice', { token: app.dynamicTokenOf('alice') });
  await alice.next('onConnected');
});

story('the token of a login opens the REST API, too', async ({ app, login }) => {
  await app.register('alice');
  const alice = await login('alice');
  const { entities } = await app.call('GET', '/users/alice', undefined, alice.accessToken);
  assert.equal(entities[0].username, 'alice');
  assert.deepEqual((await alice.call('getContacts')).data, []);
});

story('a name in capitals is the same user', async ({ app, login, people }) => {
  const [bob] = await people('bob');
  await app.register('alice');
  const alice = await login('Alice', { pwd: 'pw-alice' });
  await alice.text('Bob', 'hello');
  assert.equal((await bob.next('onTextMessage')).from, 'alice');
});

story('an invented token is refused', async ({ app, page }) => {
  await app.register('alice');
  await refusedToken(page('alice'), 'YWMtinvented', INVALID_TOKEN);
});

story("another user's token is refused", async ({ app, page }) => {
  await app.register('alice', 'bob');
  await refusedToken(page('alice'), await app.tokenOf('bob'), INVALID_TOKEN);
});

story("another app's token is refused", async ({ app, server, page }) => {
  const other = await server.app();
  await Promise.all([app.register('alice'), other.register('alice')]);
  await refusedToken(page('alice'), await other.tokenOf('alice'), INVALID_TOKEN);
  await refusedToken(page('alice'), other.dynamicTokenOf('alice'), INVALID_TOKEN);
});

story("the app's own token logs no user in", async ({ app, page }) => {
  await app.register('alice');
  await refusedToken(page('alice'), await app.token(), INVALID_TOKEN);
});

story('a computed token with a wrong signature is refused', async ({ app, page }) => {
  await app.register('alice');
  await refusedToken(page('alice'), app.dynamicTokenOf('alice', { clientSecret: 'guessed' }), INVALID_TOKEN);
});

story('a computed token that is over is refused as expired', async ({ app, page }) => {
  await app.register('alice');
  const curTime = Math.floor(Date.now() / 1000) - 600;
  await refusedToken(page('alice'), app.dynamicTokenOf('alice', { curTime, ttl: 60 }), TOKEN_EXPIRED);
});

story('a fetched token that is over is refused as expired', async ({ app, page }) => {
  await app.register('alice');
  const token = await app.tokenOf('alice', 1);
  await soon(
    () => app.attempt('GET', '/users/alice', undefined, token),
    ({ status }) => status === 401,
    5_000,
  );
  await refusedToken(page('alice'), token, TOKEN_EXPIRED);
});

story('a token from before a change of the password is refused', async ({ app, page }) => {
  await app.register('alice');
  const token = await app.tokenOf('alice');
  await app.setPassword('alice', 'another');
  await refusedToken(page('alice'), token, INVALID_TOKEN);
});

story('a token of a deleted user is refused', async ({ app, login }) => {
  await app.register('alice');
  const token = await app.tokenOf('alice');
  await app.delete('alice');
  const fault = await refused(login('alice', { token }));
  assert.ok([INVALID_TOKEN, USER_NOT_FOUND].includes(fault.type), String(fault));
});

story(
  'a banned user is refused by token and by password, and let in again when the ban is lifted',
  async ({ app, page, login }) => {
    await app.register('alice');
    const token = await app.tokenOf('alice');
    await app.ban('alice');
    await refusedToken(page('alice'), token, SERVING_DISABLED);
    await refusedToken(page('alice'), app.dynamicTokenOf('alice'), SERVING_DISABLED);
    await refused(login('alice'), OPEN_ERROR);
    await app.liftBan('alice');
    const alice = await login('alice');
    await alice.next('onConnected');
  },
);

story('after a log-out the same page logs in again', async ({ app, login, people }) => {
  const [bob] = await people('bob');
  await app.register('alice');
  const alice = await login('alice');
  alice.conn.close();
  await soon(
    () => app.statusOf('alice'),
    (status) => status === 'offline',
  );
  await alice.open();
  await alice.text('bob', 'back again');
  assert.equal((await bob.next('onTextMessage')).msg, 'back again');
});

story('the page is told before its token ends, and stays when it brings a new one', async ({ app, login, people }) => {
  const [bob] = await people('bob');
  await app.register('alice');
  const alice = await login('alice', { token: await app.tokenOf('alice', 3) });
  await alice.next('onTokenWillExpire');
  await alice.call('renewToken', await app.tokenOf('alice', 3600));
  await alice.text('bob', 'still here');
  assert.equal((await bob.next('onTextMessage')).msg, 'still here');
  assert.deepEqual(alice.seen('onTokenExpired'), []);
});

story('a page that brings no new token is logged out when its token ends', async ({ app, login }) => {
  await app.register('alice');
  const alice = await login('alice', { token: await app.tokenOf('alice', 2) });
  await alice.next('onTokenExpired');
  await soon(
    () => app.statusOf('alice'),
    (status) => status === 'offline',
  );
});

story(
  'a page that stays although its token has ended is told so; one with a new token is not touched',
  async ({ app, login }) => {
    await app.register('alice', 'bob');
    const alice = await login('alice', { token: await app.tokenOf('alice', 2) });
    const bob = await login('bob', { token: await app.tokenOf('bob', 2) });
    // What the SDK would do about it by itself.
    alice.conn.clearTokenTimeout();
    await bob.call('renewToken', await app.tokenOf('bob', 3600));
    await soon(
      () => app.statusOf('alice'),
      (status) => status === 'offline',
      20_000,
    );
    await alice.next('onReconnecting');
    assert.equal((await alice.next('onError')).type, TOKEN_EXPIRED);
    assert.equal(alice.seen('onConnected').length, 1);
    await bob.text('alice', 'still here');
    assert.equal(bob.browser.sockets.length, 1, 'on the same connection');
  },
);
