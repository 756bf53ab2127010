// What the SDK does without a socket: it registers, fetches tokens and is told why not.

import assert from 'node:assert/strict';

import { Browser } from '../lib/browser.mjs';
import { Client, login } from '../lib/client.mjs';
import { refused, story } from '../lib/story.mjs';

story('each browser has an SDK of its own', async () => {
  const [one, other] = [new Browser(), new Browser()];
  assert.notEqual(one.sdk, other.sdk);
  assert.notEqual(one.sdk.connection, other.sdk.connection);
  one.close();
  other.close();
});

story('the SDK registers a user, who then exists', async ({ app }) => {
  const page = new Client(app, 'zed');
  const made = await page.call('registerUser', { username: 'Zed', password: 'p', nickname: 'n' });
  assert.equal(made.entities[0].username, 'zed');
  assert.equal((await app.call('GET', '/users/zed')).entities[0].nickname, 'n');
  const fault = await refused(page.call('registerUser', { username: 'zed', password: 'p' }));
  assert.equal(fault.told.type, 17);
  page.closeTab();
});

story('a wrong password is refused with type 1 and the reason', async ({ app }) => {
  await app.register('alice');
  const fault = await refused(login(app, 'alice', { pwd: 'wrong' }), 1);
  assert.equal(fault.told.message, 'invalid password');
});

story('an unknown user is refused with type 1', async ({ app }) => {
  await refused(login(app, 'nobody', { pwd: 'any' }), 1);
});

story('a banned user with the right password is refused with type 1', async ({ app }) => {
  await app.register('alice');
  await app.ban('alice');
  const fault = await refused(login(app, 'alice'), 1);
  assert.equal(fault.told.message, 'user not activated');
});

story('nothing is told and no socket is opened when the password is wrong', async ({ app }) => {
  await app.register('alice');
  const page = new Client(app, 'alice');
  await refused(page.open({ pwd: 'wrong' }), 1);
  assert.deepEqual(page.seen('onConnected'), []);
  assert.equal(page.browser.sockets.length, 0);
  page.closeTab();
});
