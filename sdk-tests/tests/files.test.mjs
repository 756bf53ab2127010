// Attachments: uploaded by the SDK before the message goes, downloaded from what the receiver is told.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { Chromium } from '../lib/chromium.mjs';
import { request } from '../lib/http.mjs';
import { Server } from '../lib/server.mjs';
import { refused, story } from '../lib/story.mjs';

const TEXT = 'the text of the file';
/** The SDK sends what is larger than 7.5 MiB in parts of 5 MiB. */
const IN_PARTS = 8 << 20;
/** What one file may have, by default. */
const MOST = 10 << 20;

let chromium;
before(async () => {
  chromium = await Chromium.start();
});
after(() => chromium?.stop());

/** A file as a page's file input would give it to the SDK. */
function chosenFile(name, type, content = TEXT) {
  const data = new File([content], name, { type });
  return { data, filename: name, filetype: name.split('.').at(-1), url: 'blob:chosen' };
}

/** Bytes of which no two stretches are alike. */
function noise(length) {
  return Uint8Array.from({ length }, (_, at) => at * 31 + at / 251);
}

/** The SDK's own download; a rejection has the SDK's number in `type`. */
function download({ sdk, conn }, { url, secret }) {
  return new Promise((onFileDownloadComplete, onFileDownloadError) => {
    const headers = { Accept: 'audio/mp3' };
    sdk.utils.download.call(conn, { url, secret, headers, onFileDownloadComplete, onFileDownloadError });
  });
}

story('a file is uploaded, announced and downloaded', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await alice.send('bob', { type: 'file', filename: 'notes.txt', file: chosenFile('notes.txt', 'text/plain') });
  const got = await bob.next('onFileMessage');
  assert.equal(got.filename, 'notes.txt');
  assert.ok(got.secret, 'the receiver is told the secret that opens the file');
  const headers = {
    Authorization: `Bearer ${bob.accessToken}`,
    'share-secret': got.secret,
    Accept: 'application/octet-stream',
  };
  const answer = await request('GET', got.url, { headers });
  assert.equal(answer.status, 200);
  assert.equal(answer.body.toString('utf8'), TEXT);
});

story('what a backend uploads is answered as the documents print', async ({ app }) => {
  const form = new FormData();
  form.append('file', new File([TEXT], 'notes.txt', { type: 'text/plain' }));
  const headers = { Authorization: `Bearer ${await app.token()}`, 'restrict-access': 'true' };
  const answer = await request('POST', `${app.url}/chatfiles`, { headers, body: form });
  assert.equal(answer.status, 200);
  const { uri, path, entities } = JSON.parse(answer.body.toString('utf8'));
  assert.deepEqual([uri, path], [`${app.url}/chatfiles`, '/chatfiles']);
  const [{ uuid, type, 'share-secret': secret }] = entities;
  assert.equal(type, 'chatfile');
  const file = await request('GET', `${uri}/${uuid}`, { headers: { ...headers, 'share-secret': secret } });
  assert.equal(file.body.toString('utf8'), TEXT);
  assert.equal(file.headers['content-type'], 'text/plain');
});

story('the SDK downloads what it was sent', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await alice.send('bob', { type: 'file', filename: 'notes.txt', file: chosenFile('notes.txt', 'text/plain') });
  const file = await download(bob, await bob.next('onFileMessage'));
  assert.equal(await file.text(), TEXT);
});

story('a file opens for nobody without its secret or a token', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await alice.send('bob', { type: 'file', filename: 'notes.txt', file: chosenFile('notes.txt', 'text/plain') });
  const { url } = await bob.next('onFileMessage');
  assert.equal((await request('GET', url)).body.toString('utf8'), TEXT);
  const bare = url.split('?')[0];
  for (const guessed of [bare, `${bare}?share-secret=wrong`]) {
    const answer = await request('GET', guessed);
    assert.equal(answer.status, 401);
    assert.ok(!answer.body.includes(TEXT));
  }
});

story('a wrong secret and a file that is not there, in the SDK’s own numbers', async ({ app, people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await alice.send('bob', { type: 'file', filename: 'notes.txt', file: chosenFile('notes.txt', 'text/plain') });
  const { url } = await bob.next('onFileMessage');
  const bare = url.split('?')[0];
  await refused(download(bob, { url: bare, secret: 'wrong' }), 222);
  const nothing = `${app.url}/chatfiles/00000000-0000-1000-8000-000000000000`;
  await refused(download(bob, { url: nothing, secret: 'any' }), 200);
});

story('an audio and a video with their lengths', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  for (const [type, event, name, kind] of [
    ['audio', 'onAudioMessage', 'said.amr', 'audio/amr'],
    ['video', 'onVideoMessage', 'seen.mp4', 'video/mp4'],
  ]) {
    await alice.send('bob', { type, filename: name, length: 7, file: chosenFile(name, kind) });
    const got = await bob.next(event);
    assert.equal(got.length, 7);
    assert.equal(await (await download(bob, got)).text(), TEXT);
  }
});

story('a large file goes in parts and comes back whole', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  const content = noise(IN_PARTS);
  await alice.send('bob', {
    type: 'file',
    filename: 'large.bin',
    file: chosenFile('large.bin', 'application/octet-stream', content),
  });
  const got = await bob.next('onFileMessage');
  assert.equal(got.file_length, IN_PARTS);
  const file = await download(bob, got);
  assert.deepEqual(Buffer.from(await file.arrayBuffer()).compare(content), 0);
});

story('a file over the limit is refused, and nothing is announced', async ({ app, people }) => {
  const [alice] = await people('alice', 'bob');
  const file = chosenFile('huge.bin', 'application/octet-stream', noise(MOST + 1));
  const fault = await refused(alice.send('bob', { type: 'file', filename: 'huge.bin', file }), 101);
  assert.match(fault.told.message, /exceeds the maximum limit/);
  assert.equal(await app.undeliveredTo('bob'), 0);

  const form = new FormData();
  form.append('file', file.data);
  const headers = { Authorization: `Bearer ${alice.accessToken}` };
  const answer = await request('POST', `${app.url}/chatfiles`, { headers, body: form });
  assert.equal(answer.status, 413);
  assert.equal(JSON.parse(answer.body.toString('utf8')).error, 'file exceeding maximum limit');
});

story('a file outlives a crash of the server', async ({ app, server, login, people }) => {
  const [alice] = await people('alice');
  await app.register('bob');
  await alice.send('bob', { type: 'file', filename: 'notes.txt', file: chosenFile('notes.txt', 'text/plain') });
  await server.crash();
  alice.closeTab();
  await server.restart();
  const bob = await login('bob');
  const { url, secret } = await bob.next('onFileMessage');
  assert.equal(await (await download(bob, { url, secret })).text(), TEXT);
});

/** A page in Chromium, logged in. */
async function visitor(app, user) {
  const device = await chromium.device();
  const tab = await device.tab(app);
  await tab.login(user);
  return { device, tab };
}

story('pages of another origin send a picture and get it, and its thumbnail', async ({ app }) => {
  await app.register('alice', 'bob');
  const alice = await visitor(app, 'alice');
  const bob = await visitor(app, 'bob');
  const size = await alice.tab.picture('bob', 512);
  const got = await bob.tab.next('onImageMessage');
  assert.equal(got.file_length, size);
  assert.equal(await bob.tab.download(got.url, got.secret), size);
  const small = await bob.tab.download(got.thumb, got.thumb_secret);
  assert.ok(small < size / 4, `${small} of ${size} bytes`);
  // By its URL alone, as `<img src>` has it; without the secret in it, it is not shown.
  assert.equal(await bob.tab.show(got.url), 512);
  assert.equal(await bob.tab.show(got.thumb), 170);
  assert.equal(await bob.tab.show(got.url.split('?')[0]), 0);
  await alice.device.close();
  await bob.device.close();
});

story('where the secret is not enough, a page shows no picture by its URL', async () => {
  const server = await Server.start({ config: '[files]\nopen_by_secret = false\n' });
  try {
    const app = await server.app();
    await app.register('alice', 'bob');
    const alice = await visitor(app, 'alice');
    const bob = await visitor(app, 'bob');
    const size = await alice.tab.picture('bob', 512);
    const got = await bob.tab.next('onImageMessage');
    assert.equal(await bob.tab.show(got.url), 0);
    assert.equal(await bob.tab.download(got.url, got.secret), size);
    await alice.device.close();
    await bob.device.close();
  } finally {
    await server.stop();
  }
});
