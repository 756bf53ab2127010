// What a backend of the NetEase dialect does about rooms: signed calls, and the tokens and keys it computes by itself.

import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { deflateSync } from 'node:zlib';

import { request } from './http.mjs';

const hex = (text) => createHash('sha1').update(text).digest('hex');
const now_s = () => Math.floor(Date.now() / 1000);

/** Rights of a permission key. */
export const RIGHTS = { sendAudio: 1, sendVideo: 2, receiveAudio: 4, receiveVideo: 8, create: 16, join: 32, all: 63 };

export class Rooms {
  /**
   * @param {import('./server.mjs').Server} server
   * @param {{app_key: string, app_secret: string, perm_secret: string}} credentials
   */
  constructor(server, { app_key, app_secret, perm_secret }) {
    this.server = server;
    this.appKey = app_key;
    this.secret = app_secret;
    this.permissionSecret = perm_secret;
  }

  /** Makes a signed call; whatever it answers. */
  async attempt(method, path, { form, json } = {}) {
    const signed = { AppKey: this.appKey, Nonce: '12345', CurTime: String(now_s()) };
    const headers = { ...signed, CheckSum: hex(`${this.secret}${signed.Nonce}${signed.CurTime}`) };
    if (json) headers['Content-Type'] = 'application/json;charset=UTF-8';
    const body = form ? new URLSearchParams(form) : json && JSON.stringify(json);
    const answer = await request(method, `${this.server.url}${path}`, { headers, body });
    return { status: answer.status, body: JSON.parse(answer.body.toString('utf8')) };
  }

  /** The same, expecting success. */
  async call(method, path, options) {
    const { status, body } = await this.attempt(method, path, options);
    assert.deepEqual([status, body.code], [200, 200], `${method} ${path}: ${JSON.stringify(body)}`);
    return body;
  }

  /** @param {{channelName?: string, expireAt?: number, repeatUse?: boolean}} [options] */
  async token(uid, options = {}) {
    const form = { uid: String(uid), ...options };
    return (await this.call('POST', '/nimserver/user/getToken.action', { form })).token;
  }

  /** A token that nobody is asked for. */
  localToken(uid, channelName = '', { ttl = 600, curTime = Date.now(), secret = this.secret } = {}) {
    const signature = hex(`${this.appKey}${uid}${curTime}${ttl}${channelName}${secret}`);
    return Buffer.from(JSON.stringify({ signature, curTime, ttl })).toString('base64');
  }

  /** A permission key, which nobody is asked for either. */
  permissionKey(uid, cname, { ttl = 600, privilege = RIGHTS.all, curTime = now_s(), secret } = {}) {
    const signed = `appkey:${this.appKey}\nuid:${uid}\ncurTime:${curTime}\nexpireTime:${ttl}\ncname:${cname}\nprivilege:${privilege}\n`;
    const checksum = createHmac('sha256', secret ?? this.permissionSecret).update(signed).digest('base64');
    const key = { appkey: this.appKey, checksum, cname, curTime, expireTime: ttl, privilege, uid };
    const packed = deflateSync(JSON.stringify(key)).toString('base64');
    return packed.replaceAll('+', '*').replaceAll('/', '-').replaceAll('=', '_');
  }

  /** What the SDK asks first, asked without it. */
  async invite(uid, channelName, token) {
    const form = { uid: String(uid), appkey: this.appKey, channelName, secureType: '1', checksum: token };
    const body = new URLSearchParams(form);
    const answer = await request('POST', `${this.server.url}/nrtc/getChannelInfos.action`, { body });
    assert.equal(answer.status, 200);
    return JSON.parse(answer.body.toString('utf8'));
  }

  /** The numbers of those who are in a room. */
  async members(cname) {
    const { members } = await this.call('GET', `/v3/api/rooms/members?cname=${encodeURIComponent(cname)}`);
    return members.map(({ uid }) => uid);
  }
}
