// What the SDK does without a socket: it registers, fetches tokens and is told why not.

import assert from 'node:assert/strict';

import { Browser } from '../lib/browser.mjs';
import { refused, story } from '../lib/story.mjs';

story('each browser has an SDK of its own', async () => {
  const [one, other] = [new Browser(), new Browser()];
  assert.notEqual(one.sdk, other.sdk);
  assert.notEqual(one.sdk.connection, other.sdk.connection);
  one.close();
  other.close();
});

story('the SDK registers a user, who then exists', async ({ app, page }) => {
  const zed = page('zed');
  const made = await zed.call('registerUser', { username: 'Zed', password: 'p', nickname: 'n' });
  assert.equal(made.entities[0].username, 'zed');
  assert.equal((await app.call('GET', '/users/zed')).entities[0].nickname, 'n');
  const fault = await refused(zed.call('registerUser', { username: 'zed', password: 'p' }));
  assert.equal(fault.told.type, 17);
});

story('a wrong password is refused with type 1 and the reason', async ({ app, login }) => {
  await app.register('alice');
  const fault = await refused(login('alice', { pwd: 'wrong' }), 1);
  assert.equal(fault.told.message, 'invalid password');
});

story('an unknown user is refused with type 1', async ({ login }) => {
  await refused(login('nobody', { pwd: 'any' }), 1);
});

story('a banned user with the right password is refused with type 1', async ({ app, login }) => {
  await app.register('alice');
  await app.ban('alice');
  const fault = await refused(login('alice'), 1);
  assert.equal(fault.told.message, 'user not activated');
});

story('nothing is told and no socket is opened when the password is wrong', async ({ app, page }) => {
  await app.register('alice');
  const alice = page('alice');
  await refused(alice.open({ pwd: 'wrong' }), 1);
  assert.deepEqual(alice.seen('onConnected'), []);
  assert.equal(alice.browser.sockets.length, 0);
});
