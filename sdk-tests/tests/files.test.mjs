// Attachments: uploaded by the SDK before the message goes, downloaded from what the receiver is told.

import assert from 'node:assert/strict';

import { request } from '../lib/http.mjs';
import { story } from '../lib/story.mjs';

const TEXT = 'the text of the file';

/** A file as a page's file input would give it to the SDK. */
function chosenFile(name, type) {
  const data = new File([TEXT], name, { type });
  return { data, filename: name, filetype: name.split('.').at(-1), url: 'blob:chosen' };
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

story('the SDK downloads what it was sent', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await alice.send('bob', { type: 'file', filename: 'notes.txt', file: chosenFile('notes.txt', 'text/plain') });
  const { url, secret } = await bob.next('onFileMessage');
  const file = await new Promise((onFileDownloadComplete, onFileDownloadError) => {
    const headers = { Accept: 'audio/mp3' };
    bob.sdk.utils.download.call(bob.conn, { url, secret, headers, onFileDownloadComplete, onFileDownloadError });
  });
  assert.equal(await file.text(), TEXT);
});

story('a file opens for nobody without a token', async ({ people }) => {
  const [alice, bob] = await people('alice', 'bob');
  await alice.send('bob', { type: 'file', filename: 'notes.txt', file: chosenFile('notes.txt', 'text/plain') });
  const { url } = await bob.next('onFileMessage');
  const answer = await request('GET', url);
  assert.notEqual(answer.status, 200);
  assert.ok(!answer.body.includes(TEXT));
});
