// XMLHttpRequest as far as a page uses it for calls of an API: asynchronous, text answers, no cookies, no CORS (the
// Chromium tests prove that part).

import { request } from './http.mjs';

const [OPENED, HEADERS_RECEIVED, LOADING, DONE] = [1, 2, 3, 4];

/**
 * The class for one page.
 * @param {AbortSignal} pageClosed ends all requests
 */
export function xhrFor(pageClosed) {
  return class XMLHttpRequest extends EventTarget {
    static DONE = DONE;
    upload = new EventTarget();
    readyState = 0;
    status = 0;
    statusText = '';
    responseText = '';
    responseType = '';
    responseURL = '';
    response = '';
    timeout = 0;
    withCredentials = false;
    #method = 'GET';
    #url = '';
    #headers = {};
    #answered = {};
    #abort = new AbortController();

    open(method, url) {
      this.#method = method;
      this.#url = url;
      this.#become(OPENED);
    }

    setRequestHeader(name, value) {
      this.#headers[name] = value;
    }

    overrideMimeType() {}

    getResponseHeader(name) {
      return this.#answered[name.toLowerCase()] ?? null;
    }

    getAllResponseHeaders() {
      return Object.entries(this.#answered)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('');
    }

    abort() {
      this.#abort.abort();
    }

    async send(body) {
      try {
        const signals = [pageClosed, this.#abort.signal];
        if (this.timeout > 0) signals.push(AbortSignal.timeout(this.timeout));
        const signal = AbortSignal.any(signals);
        const answer = await request(this.#method, this.#url, { headers: this.#headers, body, signal });
        this.status = answer.status;
        this.responseURL = this.#url;
        this.#answered = answer.headers;
        this.#become(HEADERS_RECEIVED);
        this.#become(LOADING);
        this.#keep(answer.body);
        this.#end('load');
      } catch (fault) {
        if (pageClosed.aborted) return;
        const why = fault.cause?.name ?? fault.name;
        if (this.#abort.signal.aborted) this.#end('abort');
        else this.#end(why === 'TimeoutError' ? 'timeout' : 'error');
      }
    }

    /** @param {Buffer} bytes */
    #keep(bytes) {
      if (this.responseType === 'blob')
        this.response = new Blob([bytes], { type: this.getResponseHeader('content-type') ?? '' });
      else if (this.responseType === 'arraybuffer') this.response = new Uint8Array(bytes).buffer;
      else {
        this.responseText = bytes.toString('utf8');
        this.response = this.responseType === 'json' ? JSON.parse(this.responseText) : this.responseText;
      }
    }

    #end(how) {
      this.#become(DONE);
      this.#tell(how);
      this.#tell('loadend');
    }

    #become(state) {
      this.readyState = state;
      this.#tell('readystatechange');
    }

    #tell(name) {
      const event = new Event(name);
      this[`on${name}`]?.call(this, event);
      this.dispatchEvent(event);
    }
  };
}
