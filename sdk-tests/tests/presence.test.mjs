// Who is online, as REST shows it and as the SDK is told.

import assert from 'node:assert/strict';

import { story } from '../lib/story.mjs';
import { SOON_MS, soon } from '../lib/wait.mjs';

const becomes = (app, name, wanted) =>
  soon(
    () => app.statusOf(name),
    (status) => status === wanted,
    SOON_MS,
  );
/** A presence that shows a device which is there. */
const isOnline = ({ statusDetails }) => statusDetails.some(({ status }) => Number(status) === 1);

/** The next event about that user that is as wanted; other changes may come before it. */
async function presenceOf(page, userId, isRight) {
  for (;;) {
    const found = (await page.next('onPresenceStatusChange')).find((one) => one.userId === userId && isRight(one));
    if (found) return found;
  }
}

story('REST shows a login and a log-out within a second', async ({ app, people }) => {
  await app.register('bob');
  const [alice] = await people('alice');
  await becomes(app, 'alice', 'online');
  assert.deepEqual(await app.statusesOf('alice', 'bob', 'nobody'), {
    alice: 'online',
    bob: 'offline',
    nobody: 'offline',
  });
  assert.deepEqual(await app.devicesOf('alice'), [alice.resource]);
  await alice.logout();
  await becomes(app, 'alice', 'offline');
  assert.deepEqual(await app.devicesOf('alice'), []);
});

story('REST shows within a second that a line has dropped', async ({ app, people }) => {
  const [alice] = await people('alice');
  await becomes(app, 'alice', 'online');
  alice.closeTab();
  await becomes(app, 'alice', 'offline');
  assert.deepEqual(await app.statusesOf('alice'), { alice: 'offline' });
});

story('one device is enough to be online', async ({ app, login, people }) => {
  const [alice] = await people('alice');
  const phone = await login('alice');
  const devices = await soon(
    () => app.devicesOf('alice'),
    ({ length }) => length === 2,
  );
  assert.deepEqual(devices.sort(), [alice.resource, phone.resource].sort());
  await phone.logout();
  await soon(
    () => app.devicesOf('alice'),
    ({ length }) => length === 1,
  );
  assert.equal(await app.statusOf('alice'), 'online');
  await alice.logout();
  await becomes(app, 'alice', 'offline');
});

story('a refused login leaves nobody online', async ({ app, login }) => {
  await app.register('alice');
  await login('alice', { token: 'YWMtinvented' }).catch(() => {});
  assert.equal(await app.statusOf('alice'), 'offline');
});

story('a subscriber sees who is there, what they publish and that they leave', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const now = (await alice.call('subscribePresence', { usernames: ['bob'], expiry: 3600 })).result;
  assert.deepEqual(
    now.map(({ uid }) => uid),
    ['bob'],
  );
  assert.deepEqual(now[0].status, { [bob.resource]: '1' });

  await bob.call('publishPresence', { description: 'in a meeting 会议' });
  const busy = await presenceOf(alice, 'bob', ({ ext }) => ext === 'in a meeting 会议');
  assert.ok(isOnline(busy));

  await bob.logout();
  const gone = await presenceOf(alice, 'bob', (presence) => !isOnline(presence));
  assert.ok(gone.statusDetails.length > 0, 'the SDK shows no one without a device');
});

story('a subscriber sees that somebody comes and that a line drops', async ({ app, login, people }) => {
  const [alice] = await people('alice');
  await app.register('bob');
  await alice.call('subscribePresence', { usernames: ['bob'], expiry: 3600 });
  const bob = await login('bob');
  const here = await presenceOf(alice, 'bob', isOnline);
  assert.deepEqual(
    here.statusDetails.map(({ device }) => device),
    [bob.resource],
  );
  bob.closeTab();
  await presenceOf(alice, 'bob', (presence) => !isOnline(presence));
});

story('the SDK asks for the presence of others', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await bob.call('publishPresence', { description: 'busy' });
  const { result } = await alice.call('getPresenceStatus', { usernames: ['bob'] });
  assert.deepEqual([result[0].uid, result[0].ext, result[0].status], ['bob', 'busy', { [bob.resource]: '1' }]);
});

story('who has unsubscribed is told no more', async ({ people }) => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  await alice.call('subscribePresence', { usernames: ['bob', 'carol'], expiry: 3600 });
  const subscribed = (await alice.call('getSubscribedPresenceList', { pageNum: 0, pageSize: 20 })).result;
  assert.deepEqual(subscribed.sublist.map(({ uid }) => uid).sort(), ['bob', 'carol']);
  await alice.call('unsubscribePresence', { usernames: ['bob'] });
  const left = (await alice.call('getSubscribedPresenceList', { pageNum: 0, pageSize: 20 })).result;
  assert.deepEqual(
    left.sublist.map(({ uid }) => uid),
    ['carol'],
  );
  await bob.call('publishPresence', { description: 'unseen' });
  await carol.call('publishPresence', { description: 'seen' });
  await presenceOf(alice, 'carol', ({ ext }) => ext === 'seen');
  assert.ok(
    !alice
      .seen('onPresenceStatusChange')
      .flat()
      .some(({ ext }) => ext === 'unseen'),
  );
});
