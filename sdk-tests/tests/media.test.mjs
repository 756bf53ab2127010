// Media servers as Debian has them, and LiveKit's own library, with what yinxin gives their clients for a room token.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';

import { TokenVerifier } from 'livekit-server-sdk';

import { request } from '../lib/http.mjs';
import { Coturn } from '../lib/media/coturn.mjs';
import { Janus, NO_PLUGIN, NO_ROOM, UNAUTHORIZED } from '../lib/media/janus.mjs';
import { NginxRtmp } from '../lib/media/rtmp.mjs';
import { RIGHTS } from '../lib/rooms.mjs';
import { Server } from '../lib/server.mjs';

const SECRETS = { janus: 'secret of janus', turn: 'secret of coturn', livekit: 'secret of livekit, long enough' };
const ROOM = 1234;
const OTHER_ROOM = 5678;
const UID = 10000;
const [VIDEO_ROOM, ECHO] = ['janus.plugin.videoroom', 'janus.plugin.echotest'];
const ALL = ['livekit', 'janus', 'turn'];

let server, app, other, janus, coturn;

before(async () => {
  [janus, coturn] = [await Janus.start(SECRETS.janus, [ROOM, OTHER_ROOM]), await Coturn.start(SECRETS.turn)];
  const config = `
    [media]
    apps = ["easemob-demo/app1"]
    [media.livekit]
    url = "ws://127.0.0.1:7880"
    api_key = "APIkey"
    api_secret = "${SECRETS.livekit}"
    [media.janus]
    url = "${janus.url}"
    secret = "${SECRETS.janus}"
    [media.turn]
    urls = ["${coturn.url}"]
    secret = "${SECRETS.turn}"
  `;
  server = await Server.start({ config });
  [app, other] = [await server.app(), await server.app()];
});
after(() => Promise.all([server, janus, coturn].map((one) => one?.stop())));

/** A test that shows what everybody printed when it fails. */
function shows(name, tell) {
  test(name, { timeout: 60_000 }, async (t) => {
    try {
      await tell(t);
    } catch (fault) {
      for (const one of [server, janus, coturn]) t.diagnostic(one?.log ?? '');
      throw fault;
    }
  });
}

/** Asks for credentials, with a token for the room unless another is given; whatever is answered. */
async function ask({ by = app, channelName = String(ROOM), token, permKey, wanted = ALL } = {}) {
  token ??= await by.rooms.token(UID, { channelName });
  const body = JSON.stringify({ appkey: by.rooms.appKey, uid: UID, channelName, token, permKey, for: wanted });
  const answer = await request('POST', `${server.url}/nrtc/credentials`, { body });
  return { status: answer.status, ...JSON.parse(answer.body.toString('utf8')) };
}

async function credentials(how) {
  const given = await ask(how);
  assert.equal(given.status, 200, JSON.stringify(given));
  return given;
}

const sign = (text, secret) => createHmac('sha1', secret).update(text).digest('base64');
/** A token of Janus, made by hand. */
const janusToken = (until, realm, names, secret = SECRETS.janus) => {
  const signed = [until, realm, ...names].join(',');
  return `${signed}:${sign(signed, secret)}`;
};
/** A token of LiveKit, made by hand. */
const jwt = (head, claims) => {
  const signed = [head, JSON.stringify(claims)].map((part) => Buffer.from(part).toString('base64url')).join('.');
  return `${signed}.${createHmac('sha256', SECRETS.livekit).update(signed).digest('base64url')}`;
};
const PAST = 1_700_000_000;

shows('Janus opens for the token, and the room for the room token', async () => {
  const given = await credentials();
  assert.equal(given.janus.url, janus.url);
  const session = await janus.session(given.janus.token);
  const handle = await janus.attach(session, VIDEO_ROOM);
  assert.equal(await janus.join(handle, ROOM, given.janus.room_token), 'joined');
});

shows('Janus refuses any other token', async () => {
  const { janus: good, expires_at: until } = await credentials();
  // That ours are made like this is what makes the others tests of Janus and not of this file.
  assert.equal(good.token, janusToken(until, 'janus', [VIDEO_ROOM]));
  for (const wrong of [
    undefined,
    '',
    janusToken(PAST, 'janus', [VIDEO_ROOM]),
    janusToken(until, 'janus', [VIDEO_ROOM], 'another secret'),
    good.room_token,
    `${good.token}A`,
    good.token.replace(VIDEO_ROOM, ECHO),
  ]) {
    assert.equal(await janus.session(wrong), UNAUTHORIZED, wrong);
  }
  assert.equal(await janus.attach(await janus.session(good.token), ECHO), NO_PLUGIN);
});

shows('a room of Janus refuses any token but its own', async () => {
  const { janus: good, expires_at: until } = await credentials();
  const elsewhere = await credentials({ channelName: String(OTHER_ROOM) });
  assert.equal(good.room_token, janusToken(until, VIDEO_ROOM, [`room=${ROOM}`]));
  const handle = await janus.attach(await janus.session(good.token), VIDEO_ROOM);
  for (const wrong of [
    undefined,
    good.token,
    elsewhere.janus.room_token,
    janusToken(PAST, VIDEO_ROOM, [`room=${ROOM}`]),
    janusToken(until, VIDEO_ROOM, [`room=${ROOM}`], 'another secret'),
  ]) {
    assert.equal(await janus.join(handle, ROOM, wrong), NO_ROOM, wrong);
  }
  assert.equal(await janus.join(handle, ROOM, good.room_token), 'joined');
});

shows('coturn relays for the password, and for no other', async () => {
  const { turn, expires_at: until } = await credentials();
  assert.deepEqual(turn.urls, [coturn.url]);
  assert.equal(await coturn.allocate(turn), 'allocated');
  assert.equal(turn.credential, sign(`${until}:${UID}`, SECRETS.turn));
  const expired = `${PAST}:${UID}`;
  for (const wrong of [
    { username: expired, credential: sign(expired, SECRETS.turn) },
    { username: turn.username, credential: sign(turn.username, 'another secret') },
    { username: `${until + 60}:${UID}`, credential: turn.credential },
    { username: `${until}:${UID + 1}`, credential: turn.credential },
  ]) {
    assert.equal(await coturn.allocate(wrong), 401, wrong.username);
  }
});

shows("LiveKit's library reads who may do what, until when", async () => {
  const given = await credentials();
  const verifier = new TokenVerifier('APIkey', SECRETS.livekit);
  const { video, sub, exp } = await verifier.verify(given.livekit.token);
  assert.deepEqual([sub, exp], [String(UID), given.expires_at]);
  assert.equal(video.room, String(ROOM));
  assert.deepEqual([video.roomJoin, video.canPublish, video.canSubscribe], [true, true, true]);
  assert.equal(video.canPublishSources, undefined);

  await assert.rejects(new TokenVerifier('APIkey', 'another secret').verify(given.livekit.token));
  await assert.rejects(new TokenVerifier('another', SECRETS.livekit).verify(given.livekit.token));
  const [head, claims] = given.livekit.token.split('.').map((part) => Buffer.from(part, 'base64url').toString());
  const again = (changes) => jwt(head, { ...JSON.parse(claims), ...changes });
  assert.equal(given.livekit.token, again({}));
  await assert.rejects(verifier.verify(again({ exp: PAST })), { code: 'ERR_JWT_EXPIRED' });
  await assert.rejects(verifier.verify(again({ exp: undefined })), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' });
});

shows('a permission key bounds what LiveKit is told', async () => {
  const privilege = RIGHTS.join | RIGHTS.sendAudio | RIGHTS.receiveAudio | RIGHTS.receiveVideo;
  const permKey = app.rooms.permissionKey(UID, String(ROOM), { privilege, ttl: 30 });
  const given = await credentials({ permKey, wanted: ['livekit', 'turn'] });
  assert.ok(given.expires_at <= Date.now() / 1000 + 30);
  const { video, exp } = await new TokenVerifier('APIkey', SECRETS.livekit).verify(given.livekit.token);
  assert.equal(exp, given.expires_at);
  assert.deepEqual(video.canPublishSources, ['microphone', 'screen_share_audio']);
  assert.deepEqual([video.canPublish, video.canSubscribe], [true, true]);
  assert.equal(given.turn.username, `${exp}:${UID}`);
});

shows('without a good token there are no credentials', async () => {
  assert.deepEqual(await ask({ token: 'wrong' }), { status: 400, desc: 'check checksum error', code: 414 });
  const elsewhere = await app.rooms.token(UID, { channelName: String(OTHER_ROOM) });
  assert.equal((await ask({ token: elsewhere })).code, 414);
  assert.equal((await ask({ by: other })).status, 404, 'an app that is not in the list');
  const token = await app.rooms.token(UID, { channelName: String(ROOM), repeatUse: false });
  const statuses = (await Promise.all([ask({ token }), ask({ token })])).map(({ status }) => status);
  assert.deepEqual(statuses.sort(), [200, 400], 'a token that admits once');
});

shows("nginx's RTMP module lets in whom yinxin lets in", async (t) => {
  const { admission_key: key } = (await server.cli('app', 'show', 'easemob-demo/app1', '--secrets')).netease;
  const nginx = await NginxRtmp.start(`${server.url}/nrtc/hooks/nginx-rtmp?app_key=${app.rooms.appKey}&key=${key}`);
  t.after(() => nginx.stop());
  const token = await app.rooms.token(UID, { channelName: 'room1' });
  const stream = (room, uid, more) => `${room}?uid=${uid}&token=${more}`;
  const good = stream('room1', UID, token);
  assert.equal(await nginx.attempt('publish', good), 'started');
  assert.equal(await nginx.attempt('play', good), 'started');
  for (const wrong of [
    'room1',
    stream('room1', UID, 'wrong'),
    stream('room1', UID + 1, token),
    stream('room2', UID, token),
    `${good}&perm_key=x`,
    // A client cannot speak for the module, whose own fields come first.
    `room2?uid=${UID}&token=${token}&name=room1`,
  ]) {
    assert.equal(await nginx.attempt('publish', wrong), 'closed', wrong);
  }
  const forged = `x&call=play&name=room1&uid=${UID}&token=${token}`;
  assert.equal(await nginx.attempt('publish', stream('room2', UID, token), forged), 'closed', 'in what it says it is');
  const once = await app.rooms.token(UID + 1, { channelName: 'room1', repeatUse: false });
  assert.equal(await nginx.attempt('publish', stream('room1', UID + 1, once)), 'started');
  assert.equal(await nginx.attempt('publish', stream('room1', UID + 1, once)), 'closed');
});
