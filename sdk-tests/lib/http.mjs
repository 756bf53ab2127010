// One HTTP request on a connection of its own.
//
// Not `fetch`: its pool would keep connections to a server that a test kills and starts again on the same port.

import { request as httpRequest } from 'node:http';

/**
 * @typedef {{status: number, headers: import('node:http').IncomingHttpHeaders, body: Buffer}} Answer
 */

/**
 * @param {string} method
 * @param {string} url
 * @param {{headers?: Record<string, string>, body?: unknown, signal?: AbortSignal}} [options] body: whatever a
 *   `Response` of the platform can be made from: text, bytes, form data
 * @returns {Promise<Answer>}
 */
export async function request(method, url, { headers = {}, body, signal } = {}) {
  const all = { ...headers };
  let bytes;
  if (body !== undefined && body !== null && body !== '') {
    const encoded = new Response(body);
    bytes = Buffer.from(await encoded.arrayBuffer());
    const isNamed = Object.keys(all).some((name) => name.toLowerCase() === 'content-type');
    if (!isNamed && encoded.headers.has('content-type')) all['content-type'] = encoded.headers.get('content-type');
    all['content-length'] = String(bytes.length);
  }
  return new Promise((resolve, reject) => {
    const call = httpRequest(url, { method, headers: all, agent: false, signal }, async (reply) => {
      try {
        const chunks = [];
        for await (const chunk of reply) chunks.push(chunk);
        resolve({ status: reply.statusCode ?? 0, headers: reply.headers, body: Buffer.concat(chunks) });
      } catch (fault) {
        reject(fault);
      }
    });
    call.on('error', reject);
    call.end(bytes);
  });
}
