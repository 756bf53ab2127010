// Whom one knows and whom one does not want to know: contacts and the block list.

import assert from 'node:assert/strict';

import { refused, story } from '../lib/story.mjs';

const BLOCKED = 603;

/** A page's contacts, as the SDK fetches them. */
const contactsOf = async (page) => (await page.call('getContacts')).data;

// Contacts

story('an invitation is accepted, and both are contacts', async ({ app, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await alice.call('addContact', 'bob', 'it is me');
  const invited = await bob.next('onContactInvited');
  assert.deepEqual([invited.from, invited.to, invited.status], ['alice', 'bob', 'it is me']);
  assert.deepEqual(await app.contactsOf('alice'), [], 'an invitation alone makes no contact');

  await bob.call('acceptContactInvite', 'alice');
  assert.equal((await alice.next('onContactAgreed')).from, 'bob');
  assert.deepEqual([await contactsOf(alice), await contactsOf(bob)], [['bob'], ['alice']]);
  assert.deepEqual([await app.contactsOf('alice'), await app.contactsOf('bob')], [['bob'], ['alice']]);
});

story('an invitation is declined, and nobody is a contact', async ({ app, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await alice.call('addContact', 'bob', 'it is me');
  await bob.next('onContactInvited');
  await bob.call('declineContactInvite', 'alice');
  assert.equal((await alice.next('onContactRefuse')).from, 'bob');
  assert.deepEqual([await app.contactsOf('alice'), await app.contactsOf('bob')], [[], []]);
});

story('nobody becomes a contact by accepting what was never offered', async ({ app, people }) => {
  const [, bob] = await people('alice', 'bob');
  await bob.call('acceptContactInvite', 'alice').catch(() => {});
  assert.deepEqual([await app.contactsOf('alice'), await app.contactsOf('bob')], [[], []]);
});

story('a deleted contact is told, and gone on both sides', async ({ app, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await app.befriend('alice', 'bob');
  await alice.call('deleteContact', 'bob');
  assert.equal((await bob.next('onContactDeleted')).from, 'alice');
  assert.deepEqual([await contactsOf(alice), await contactsOf(bob)], [[], []]);
});

story(
  'an invitation waits for somebody who is away, and is not counted as a message',
  async ({ app, login, people }) => {
    const [alice] = await people('alice');
    await app.register('bob');
    await alice.call('addContact', 'bob', 'it is me');
    assert.equal(await app.undeliveredTo('bob'), 0);
    const bob = await login('bob');
    const invited = await bob.next('onContactInvited');
    assert.deepEqual([invited.from, invited.status], ['alice', 'it is me']);
  },
);

story(
  'both sides are told of a contact that the backend makes, and of one that it removes',
  async ({ app, people }) => {
    const [alice, bob] = await people('alice', 'bob');
    await app.befriend('alice', 'bob');
    await Promise.any([bob.next('onContactAgreed'), bob.next('onContactAdded')]);
    await Promise.any([alice.next('onContactAgreed'), alice.next('onContactAdded')]);
    await app.unfriend('alice', 'bob');
    assert.equal((await bob.next('onContactDeleted')).from, 'alice');
    assert.equal((await alice.next('onContactDeleted')).from, 'bob');
  },
);

story('a contact has a remark', async ({ app, people }) => {
  const [alice] = await people('alice', 'bob');
  await app.befriend('alice', 'bob');
  await alice.call('setContactRemark', { userId: 'bob', remark: 'from work' });
  const { data } = await alice.call('getAllContacts');
  assert.deepEqual(data, [{ userId: 'bob', remark: 'from work' }]);
  const page = await alice.call('getContactsWithCursor', { pageSize: 20, cursor: '' });
  assert.deepEqual(page.data.contacts, [{ userId: 'bob', remark: 'from work' }]);
});

// The block list

/** The next text of bob is from carol: whatever was sent to him before would have come first. */
async function nothingCameTo(bob, carol) {
  const id = await carol.text('bob', 'fence');
  assert.equal((await bob.next('onTextMessage')).id, id);
  assert.equal(bob.seen('onTextMessage').length, 1);
}

story(
  'who was blocked by REST is refused, nothing is delivered or queued, and the other direction is open',
  async ({ app, people }) => {
    const [alice, bob, carol] = await people('alice', 'bob', 'carol');
    await app.block('bob', 'alice');
    await refused(alice.text('bob', 'hello'), BLOCKED);
    assert.equal(await app.undeliveredTo('bob'), 0);
    await nothingCameTo(bob, carol);
    await bob.text('alice', 'I may still write');
    assert.equal((await alice.next('onTextMessage')).msg, 'I may still write');
  },
);

story('who was blocked while the other is away leaves nothing behind', async ({ app, login, people }) => {
  const [alice, carol] = await people('alice', 'carol');
  await app.register('bob');
  await app.block('bob', 'alice');
  await refused(alice.text('bob', 'hello'), BLOCKED);
  assert.equal(await app.undeliveredTo('bob'), 0);
  await nothingCameTo(await login('bob'), carol);
});

story('the SDK blocks and unblocks', async ({ app, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await bob.call('addUsersToBlocklist', { name: ['alice'] });
  assert.deepEqual((await bob.call('getBlocklist')).data, ['alice']);
  assert.deepEqual((await app.call('GET', '/users/bob/blocks/users')).data, ['alice']);
  await refused(alice.text('bob', 'hello'), BLOCKED);
  await bob.call('removeUserFromBlocklist', { name: ['alice'] });
  assert.deepEqual((await bob.call('getBlocklist')).data, []);
  await alice.text('bob', 'hello again');
  assert.equal((await bob.next('onTextMessage')).msg, 'hello again');
});

story('an unblocking by REST counts at once', async ({ app, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await app.block('bob', 'alice');
  await refused(alice.text('bob', 'hello'), BLOCKED);
  await app.unblock('bob', 'alice');
  await alice.text('bob', 'hello again');
  assert.equal((await bob.next('onTextMessage')).msg, 'hello again');
});

story('a blocked user cannot invite', async ({ app, people }) => {
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  await app.block('bob', 'alice');
  await alice.call('addContact', 'bob', 'please').catch(() => {});
  await carol.call('addContact', 'bob', 'fence');
  assert.equal((await bob.next('onContactInvited')).from, 'carol');
  assert.equal(bob.seen('onContactInvited').length, 1);
});

// Contacts only

const NOT_CONTACT = 221;

story(
  'where only contacts may write to each other, a stranger is refused at once and nothing is kept',
  async ({ app, people }) => {
    const [alice, bob] = await people('alice', 'bob');
    await refused(alice.text('bob', 'hello?'), NOT_CONTACT);
    await app.register('carol');
    await refused(alice.text('carol', 'hello?'), NOT_CONTACT);
    assert.equal(await app.undeliveredTo('carol'), 0);

    await app.befriend('alice', 'bob');
    await alice.text('bob', 'hello');
    assert.equal((await bob.next('onTextMessage')).msg, 'hello');
    await bob.call('deleteContact', 'alice');
    await refused(alice.text('bob', 'hello?'), NOT_CONTACT);

    await app.sendText('carol', 'alice', 'from the backend');
    assert.equal((await alice.next('onTextMessage')).from, 'carol');
    assert.deepEqual(
      bob.seen('onTextMessage').map(({ msg }) => msg),
      ['hello'],
    );
  },
  { settings: ['--contacts-only-messaging'] },
);

story('the setting counts at once for those who are connected', async ({ app, server, people }) => {
  const [alice] = await people('alice', 'bob');
  await alice.text('bob', 'one');
  await server.cli('app', 'set', app.path.slice(1), '--contacts-only-messaging');
  await refused(alice.text('bob', 'two'), NOT_CONTACT);
  await server.cli('app', 'set', app.path.slice(1), '--contacts-only-messaging=false');
  await alice.text('bob', 'three');
});
