// kill -9: what was acknowledged to its sender is delivered, exactly once to a client that confirms.

import assert from 'node:assert/strict';

import { story } from '../lib/story.mjs';
import { soon } from '../lib/wait.mjs';

story(
  'no acknowledged message is lost when the server is killed under load',
  async ({ app, server, login, people }) => {
    const [alice, carol] = await people('alice', 'carol');
    await app.register('bob');
    const acknowledged = [];
    const enough = new Promise((resolve) => {
      const send = async (page, n) => {
        const msg = `${page.user} ${n}`;
        const id = await page.text('bob', msg).catch(() => undefined);
        if (id) acknowledged.push({ id, msg });
        if (acknowledged.length === 100) resolve();
      };
      for (let n = 0; n < 300; n += 1) [alice, carol].forEach((page) => void send(page, n));
    });
    await enough;
    await server.crash();
    const sure = [...acknowledged];
    // The senders are gone with what they had not been told: some of that may have been stored, too.
    [alice, carol].forEach((page) => page.closeTab());
    await server.restart();

    const kept = await app.undeliveredTo('bob');
    assert.ok(kept >= sure.length, `${kept} kept of ${sure.length} acknowledged`);
    const bob = await login('bob');
    const got = await bob.take('onTextMessage', kept);
    await soon(
      () => app.undeliveredTo('bob'),
      (count) => count === 0,
    );
    const ids = got.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, 'nothing comes twice');
    for (const { id, msg } of sure) assert.equal(got.find((one) => one.id === id)?.msg, msg);
    for (const sender of ['alice', 'carol']) {
      const numbers = got.filter(({ from }) => from === sender).map(({ msg }) => Number(msg.split(' ')[1]));
      assert.deepEqual(
        numbers,
        [...numbers].sort((a, b) => a - b),
        'in order',
      );
    }

    await bob.logout();
    const again = await login('bob', { storage: bob.browser.storage });
    const last = await app.sendText('alice', 'bob', 'the end');
    assert.equal((await again.next('onTextMessage')).id, last);
  },
);

story('after a crash the pages come back by themselves, and chat goes on', async ({ app, server, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await alice.text('bob', 'before');
  await bob.next('onTextMessage');
  await soon(
    () => app.undeliveredTo('bob'),
    (count) => count === 0,
  );
  await Promise.all([alice, bob].map((page) => page.next('onConnected')));
  await server.crash();
  await server.restart();
  await Promise.all([alice, bob].map((page) => page.next('onConnected', 'onConnected after the crash')));
  await alice.text('bob', 'after');
  assert.equal((await bob.next('onTextMessage')).msg, 'after');
  assert.deepEqual(
    bob.seen('onTextMessage').map(({ msg }) => msg),
    ['before', 'after'],
  );
});
