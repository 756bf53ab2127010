// The app's backend is told of what happens, by signed webhooks, and may veto what is sent.

import assert from 'node:assert/strict';

import { Backend } from '../lib/backend.mjs';
import { refused, story } from '../lib/story.mjs';
import { soon } from '../lib/wait.mjs';

const VETOED = 502;

/** A story with a backend, which is stopped at its end. */
function told(name, tell) {
  story(name, async (scene) => {
    const backend = await Backend.start();
    try {
      await tell({ ...scene, backend });
    } finally {
      backend.stop();
    }
  });
}

told('a message is told with what its receiver is shown', async ({ app, people, backend }) => {
  await backend.hook(app, '--events', 'message.sent');
  const [alice, bob] = await people('alice', 'bob');
  const sent = await alice.send('bob', { type: 'txt', msg: 'Hello, 世界 🌍', ext: { whole: 7, nested: { list: [1] } } });
  await bob.next('onTextMessage');
  const { data, id } = await backend.next('message.sent');
  assert.deepEqual(data, {
    app: app.appKey,
    chat_type: 'chat',
    id: sent.serverMsgId,
    time: sent.message.time,
    from: 'alice',
    to: 'bob',
    sent_by: 'device',
    device: alice.resource,
    online_only: false,
    bodies: [{ type: 'txt', msg: 'Hello, 世界 🌍' }],
    ext: { whole: 7, nested: { list: [1] } },
  });
  assert.match(id, /^evt_\d+$/);
});

told('every kind of message has its words', async ({ app, people, backend }) => {
  await backend.hook(app, '--events', 'message.sent');
  const [alice] = await people('alice', 'bob');
  const url = `${app.url}/chatfiles/5fd74830-10b9-11ec-8d0a-2b8b2a3c4d5e`;
  const file = { url, body: { url, type: 'file', filename: 'a.pdf', file_length: 12 }, filename: 'a.pdf', file_length: 12 };
  for (const [message, said] of [
    [{ type: 'cmd', action: 'typing' }, { type: 'cmd', action: 'typing' }],
    [
      { type: 'custom', customEvent: 'order', customExts: { number: '42' } },
      { type: 'custom', customEvent: 'order', customExts: { number: '42' } },
    ],
    [
      { type: 'loc', addr: 'Gate', buildingName: 'B', lat: 39.9, lng: 116.4 },
      { type: 'loc', addr: 'Gate', buildingName: 'B', lat: 39.9, lng: 116.4 },
    ],
    [{ type: 'file', ...file }, { type: 'file', url, filename: 'a.pdf', file_length: 12 }],
  ]) {
    await alice.send('bob', message);
    const [body] = (await backend.next('message.sent')).data.bodies;
    for (const [key, value] of Object.entries(said)) assert.deepEqual(body[key], value, `${message.type}.${key}`);
  }
});

told('recalls and, if wanted, receipts are told', async ({ app, people, backend }) => {
  await backend.hook(app, '--events', 'message.recalled,message.read');
  const [alice, bob] = await people('alice', 'bob');
  const id = await alice.text('bob', 'hello');
  await bob.send('alice', { type: 'read', id });
  const read = await backend.next('message.read');
  assert.deepEqual([read.data.from, read.data.to, read.data.about], ['bob', 'alice', id]);
  await alice.call('recallMessage', { mid: id, to: 'bob', chatType: 'singleChat' });
  assert.equal((await backend.next('message.recalled')).data.about, id);
  assert.ok(backend.calls.every(({ type }) => type !== 'message.sent'), 'nothing else was asked for');
});

told('a change is told with all that the message says from now on', async ({ app, people, backend }) => {
  await backend.hook(app, '--events', 'message.edited');
  const [alice] = await people('alice', 'bob');
  const id = await alice.text('bob', 'helo', { ext: { kept: 1 } });
  await alice.modify(id, 'bob', { type: 'txt', msg: 'hello' });
  const { data } = await backend.next('message.edited');
  assert.deepEqual([data.about, data.from, data.to, data.device], [id, 'alice', 'bob', alice.resource]);
  assert.deepEqual([data.bodies, data.ext], [[{ type: 'txt', msg: 'hello' }], { kept: 1 }]);
});

told('a conversation is told in its order', async ({ app, people, backend }) => {
  await backend.hook(app, '--events', 'message.sent');
  const [alice, bob] = await people('alice', 'bob');
  const texts = Array.from({ length: 50 }, (_, n) => `message ${n}`);
  await Promise.all(texts.flatMap((msg) => [alice.text('bob', msg), bob.text('alice', msg)]));
  const calls = await backend.take('message.sent', 100);
  for (const sender of ['alice', 'bob']) {
    const own = calls.filter(({ data }) => data.from === sender).map(({ data }) => data.bodies[0].msg);
    assert.deepEqual(own, texts);
  }
  const ids = calls.map(({ data }) => BigInt(data.id));
  assert.ok(
    ids.every((id, at) => at === 0 || ids[at - 1] < id),
    'as they were stored',
  );
});

told('a refused event comes again under its id, and holds nothing up', async ({ app, people, backend }) => {
  const { id: hook } = await backend.hook(app, '--events', 'message.sent');
  const [alice] = await people('alice', 'bob');
  backend.react = (call) => call.answer(call.data.bodies[0].msg === 'first' && backend.calls.length === 1 ? 500 : 200);
  await alice.text('bob', 'first');
  await alice.text('bob', 'second');
  const [first, second, again] = await backend.take('message.sent', 3);
  assert.deepEqual(
    [first, second, again].map(({ data }) => data.bodies[0].msg),
    ['first', 'second', 'first'],
  );
  assert.deepEqual([again.id, again.data], [first.id, first.data]);
  assert.notEqual(again.signature, first.signature, 'each attempt has its own time');
  const log = () => app.server.cli('hook', 'log', app.path.slice(1), hook);
  const { attempts } = await soon(log, (found) => found.attempts.length === 3);
  assert.deepEqual(
    attempts.map(({ id, attempt, status }) => [id, attempt, status]),
    [
      [first.id, 2, 200],
      [second.id, 1, 200],
      [first.id, 1, 500],
    ],
  );
});

told('no event of an acknowledged message is lost when the server is killed', async ({ app, server, people, backend }) => {
  await backend.hook(app, '--events', 'message.sent');
  const [alice, carol] = await people('alice', 'carol');
  await app.register('bob');
  // Nothing is taken, some is left hanging: the server must come to tell all of it again.
  backend.react = (call) => {
    if (backend.calls.length % 3 === 0) call.answer(503);
  };
  const acknowledged = [];
  const enough = new Promise((resolve) => {
    const send = async (page, n) => {
      const id = await page.text('bob', `${page.user} ${n}`).catch(() => undefined);
      if (id) acknowledged.push(id);
      if (acknowledged.length === 60) resolve();
    };
    for (let n = 0; n < 200; n += 1) [alice, carol].forEach((page) => void send(page, n));
  });
  await enough;
  await server.crash();
  const sure = [...acknowledged];
  [alice, carol].forEach((page) => page.closeTab());
  backend.react = (call) => call.answer(200);
  await server.restart();
  const missing = new Set(sure);
  const taken = new Map();
  while (missing.size > 0) {
    const call = await backend.next('message.sent');
    missing.delete(call.data.id);
    assert.equal(taken.get(call.id) ?? call.data.id, call.data.id, 'one id is one event');
    taken.set(call.id, call.data.id);
  }
});

told('sessions are told from login to end, with the reason', async ({ app, login, people, backend }) => {
  await backend.hook(app, '--events', 'session.started,session.ended');
  const [alice] = await people('alice');
  const started = await backend.next('session.started');
  assert.deepEqual(
    [started.data.user, started.data.online, started.data.device.resource],
    ['alice', true, alice.resource],
  );
  const phone = await login('alice');
  const second = await backend.next('session.started');
  await phone.logout();
  const ended = async () => (await backend.next('session.ended')).data;
  const left = await ended();
  assert.deepEqual([left.session, left.reason, left.online], [second.data.session, 'logout', true]);
  assert.deepEqual([left.started, left.device], [second.data.started, second.data.device]);

  const again = await login('alice', { storage: alice.browser.storage });
  const displaced = await ended();
  assert.deepEqual([displaced.session, displaced.reason], [started.data.session, 'displaced']);
  again.closeTab();
  const closed = await ended();
  assert.deepEqual([closed.reason, closed.online], ['closed', false]);

  for (const [end, reason] of [
    [() => app.kick('alice'), 'kicked'],
    [() => app.setPassword('alice', 'pw-alice'), 'password_changed'],
    [() => app.ban('alice'), 'banned'],
    [() => app.delete('alice'), 'deleted'],
  ]) {
    await login('alice');
    await end();
    assert.equal((await ended()).reason, reason);
    if (reason === 'banned') await app.liftBan('alice');
  }
});

told('a session that was cut off by a crash ends with the next start', async ({ app, server, people, backend }) => {
  await backend.hook(app, '--events', 'session.started,session.ended');
  const [alice] = await people('alice');
  const started = await backend.next('session.started');
  alice.cutLine();
  const first = (await backend.next('session.ended')).data;
  assert.deepEqual([first.session, first.reason], [started.data.session, 'closed']);
  const back = await backend.next('session.started');
  await server.crash();
  alice.closeTab();
  await server.restart();
  const lost = (await backend.next('session.ended')).data;
  assert.deepEqual([lost.session, lost.reason, lost.online], [back.data.session, 'server_lost', false]);
});

told('a veto reaches the sender with its reason, and nothing is left of the message', async ({ app, people, backend }) => {
  await backend.hook(app, '--pre-send', '--timeout-ms', '5000', '--on-failure', 'closed');
  const [alice, bob] = await people('alice', 'bob');
  backend.react = ({ data, answer }) => {
    const bad = JSON.stringify([data.bodies, data.ext]).includes('spam');
    answer(200, bad ? { allow: false, reason: 'no spam, please' } : { allow: true });
  };
  for (const message of [
    { type: 'txt', msg: 'buy spam' },
    { type: 'txt', msg: 'hello', ext: { hidden: 'spam' } },
    { type: 'custom', customEvent: 'e', customExts: { a: 'spam' } },
    { type: 'cmd', action: 'spam' },
  ]) {
    const fault = await refused(alice.send('bob', message), VETOED);
    assert.equal(fault.told.message, 'no spam, please');
  }
  const id = await alice.text('bob', 'hello');
  assert.equal((await bob.next('onTextMessage')).id, id);
  assert.deepEqual([bob.seen('onTextMessage').length, bob.seen('onCustomMessage'), bob.seen('onCmdMessage')], [1, [], []]);
  const toSpam = alice.modify(id, 'bob', { type: 'txt', msg: 'spam' });
  assert.equal((await refused(toSpam, VETOED)).told.message, 'no spam, please');
  const { messages } = await bob.call('getHistoryMessages', { targetId: 'alice', chatType: 'singleChat' });
  assert.deepEqual(messages.map(({ msg }) => msg), ['hello']);
  const asked = await backend.take('message.sending', 6);
  assert.equal(asked[5].data.about, id);
  assert.ok(asked.every(({ data }) => data.from === 'alice' && data.to === 'bob' && data.id === undefined));
});

told('what a backend sends is not asked about, but told', async ({ app, people, backend }) => {
  await backend.hook(app, '--pre-send', '--on-failure', 'closed');
  backend.react = (call) => call.answer(200, { allow: false, reason: 'nothing at all' });
  const [bob] = await people('bob');
  const teller = await Backend.start();
  try {
    await teller.hook(app, '--events', 'message.sent');
    const id = await app.sendText('admin', 'bob', 'news');
    assert.equal((await bob.next('onTextMessage')).id, id);
    const { data } = await teller.next('message.sent');
    assert.deepEqual([data.id, data.sent_by, data.from], [id, 'backend', 'admin']);
    assert.deepEqual(backend.calls, []);
  } finally {
    teller.stop();
  }
});

told('while one waits for a verdict nobody else does, nor does what comes to it', async ({ app, people, backend }) => {
  await backend.hook(app, '--pre-send', '--timeout-ms', '5000');
  const [alice, bob, carol] = await people('alice', 'bob', 'carol');
  const held = [];
  backend.react = (call) => {
    if (call.data.from === 'alice') held.push(call);
    else call.answer(200, { allow: true });
  };
  const sending = [alice.text('bob', 'first'), alice.text('bob', 'second')];
  await backend.next('message.sending');
  await carol.text('bob', 'meanwhile');
  assert.equal((await bob.next('onTextMessage')).msg, 'meanwhile');
  await bob.text('alice', 'are you there?');
  assert.equal((await alice.next('onTextMessage')).msg, 'are you there?');
  assert.equal(held.length, 1, 'the second waits for the first');
  backend.react = (call) => call.answer(200, { allow: true });
  held[0].answer(200, { allow: true });
  await Promise.all(sending);
  assert.deepEqual(
    (await bob.take('onTextMessage', 2)).map(({ msg }) => msg),
    ['first', 'second'],
  );
});

told('a kick does not wait for a verdict', async ({ app, people, backend }) => {
  await backend.hook(app, '--pre-send', '--timeout-ms', '5000', '--on-failure', 'closed');
  const [alice] = await people('alice', 'bob');
  backend.react = () => {};
  alice.text('bob', 'hello').catch(() => {});
  await backend.next('message.sending');
  await app.kick('alice');
  assert.equal((await alice.next('onError')).type, 217);
  assert.equal(await app.undeliveredTo('bob'), 0);
});

for (const [onFailure, isSent] of [
  ['open', true],
  ['closed', false],
]) {
  told(`without a verdict the hook fails ${onFailure}`, async ({ app, people, backend }) => {
    const { id: hook } = await backend.hook(app, '--pre-send', '--timeout-ms', '100', '--on-failure', onFailure);
    const [alice, bob] = await people('alice', 'bob');
    for (const react of [() => {}, (call) => call.answer(500), (call) => call.answer(200, { allow: 'maybe' })]) {
      backend.react = react;
      if (isSent) {
        const id = await alice.text('bob', 'hello');
        assert.equal((await bob.next('onTextMessage')).id, id);
      } else {
        const fault = await refused(alice.text('bob', 'hello'), VETOED);
        assert.equal(fault.told.message, "the app's server does not answer");
      }
    }
    if (!isSent) assert.deepEqual(bob.seen('onTextMessage'), []);
    const { attempts } = await app.server.cli('hook', 'log', app.path.slice(1), hook);
    assert.equal(attempts.at(-1).error, 'timed out');
  });
}

told('a secret is replaced without a gap', async ({ app, server, people, backend }) => {
  const { id: hook, secret } = await backend.hook(app, '--events', 'message.sent');
  const [alice] = await people('alice', 'bob');
  const rotated = await server.cli('hook', 'rotate-secret', app.path.slice(1), hook);
  assert.notEqual(rotated.secret, secret);
  for (const known of [secret, rotated.secret]) {
    backend.secret = known;
    await alice.text('bob', 'hello');
    assert.equal((await backend.next('message.sent')).signature.split(' ').length, 2);
  }
});

told('a hook is tried, switched off and on, and removed from the command line', async ({ app, server, people, backend }) => {
  const { id: hook } = await backend.hook(app, '--events', 'message.sent');
  const yinxin = (command, ...more) => server.cli('hook', command, app.path.slice(1), hook, ...more);
  assert.deepEqual((await yinxin('test')).status, 200);
  assert.deepEqual((await backend.next('hook.test')).data, { app: app.appKey });
  const [alice] = await people('alice', 'bob');
  backend.react = (call) => call.answer(410);
  await alice.text('bob', 'are you there?');
  await backend.next('message.sent');
  const gone = await soon(
    () => yinxin('show'),
    ({ enabled }) => !enabled,
  );
  assert.deepEqual([gone.disabled_why, gone.waiting], ['it answered 410 Gone', 1]);
  await alice.text('bob', 'nobody is told of this');
  backend.react = (call) => call.answer(200);
  await yinxin('change', '--enabled');
  const { id, data } = await backend.next('message.sent');
  assert.equal(data.bodies[0].msg, 'are you there?');
  await soon(
    () => yinxin('show'),
    ({ waiting }) => waiting === 0,
  );
  assert.equal((await yinxin('redeliver', id)).events, 1);
  assert.equal((await backend.next('message.sent')).id, id, 'what was taken can be had again');
  await yinxin('remove', '--yes');
  await alice.text('bob', 'nobody is told of this, either');
  assert.deepEqual((await server.cli('hook', 'list', app.path.slice(1))).hooks, []);
  assert.equal(backend.calls.length, 4);
});
