// The SDKs from 4.0 to 4.8 speak the same protocol through SockJS at the same address.

import assert from 'node:assert/strict';

import { story } from '../lib/story.mjs';
import { soon } from '../lib/wait.mjs';

/** Logs in with the older SDK, whose `open` says only that it has a token. */
async function older(login, server, user, how) {
  const page = await login(user, { sdk: 'easemob-websdk-sockjs', options: { url: `${server.url}/ws` }, ...how });
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
  await bob.text('alice', 'to the newer one');
  assert.equal((await alice.next('onTextMessage')).msg, 'to the newer one');
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

story('an older SDK is kicked', async ({ app, server, login }) => {
  await app.register('bob');
  const bob = await older(login, server, 'bob');
  await app.kick('bob');
  assert.equal((await bob.next('onError')).type, 217);
  await bob.next('onDisconnected');
  assert.equal(await app.statusOf('bob'), 'offline');
});
