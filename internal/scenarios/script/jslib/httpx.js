// Httpx: requests that share an address, headers and tags, in perfctl's own words.
import http from 'k6/http';

class Request {
  constructor(method, url, body, params) {
    this.method = method;
    this.url = url;
    this.body = body;
    this.params = params;
  }
}

export class Get extends Request { constructor(url, body, params) { super('GET', url, body, params); } }
export class Post extends Request { constructor(url, body, params) { super('POST', url, body, params); } }
export class Put extends Request { constructor(url, body, params) { super('PUT', url, body, params); } }
export class Patch extends Request { constructor(url, body, params) { super('PATCH', url, body, params); } }
export class Delete extends Request { constructor(url, body, params) { super('DELETE', url, body, params); } }
export { Request };

export class Httpx {
  constructor(options = {}) {
    this.baseURL = options.baseURL || '';
    this.headers = { ...options.headers };
    this.tags = { ...options.tags };
    this.timeout = options.timeout;
  }

  setBaseUrl(url) { this.baseURL = url; }
  addHeader(name, value) { this.headers[name] = value; }
  addHeaders(headers) { Object.assign(this.headers, headers); }
  removeHeader(name) { delete this.headers[name]; }
  clearHeader(name) { delete this.headers[name]; }
  addTag(name, value) { this.tags[name] = value; }
  addTags(tags) { Object.assign(this.tags, tags); }
  removeTag(name) { delete this.tags[name]; }

  merged(params = {}) {
    const all = { ...params, headers: { ...this.headers, ...params.headers }, tags: { ...this.tags, ...params.tags } };
    if (this.timeout !== undefined && all.timeout === undefined) {
      all.timeout = this.timeout;
    }
    return all;
  }

  at(url) { return /^https?:\/\//.test(url) ? url : `${this.baseURL}${url}`; }

  request(method, url, body, params) { return http.request(method, this.at(url), body === undefined ? null : body, this.merged(params || {})); }
  asyncRequest(method, url, body, params) { return http.asyncRequest(method, this.at(url), body === undefined ? null : body, this.merged(params || {})); }
  get(url, body, params) { return this.request('GET', url, body, params); }
  post(url, body, params) { return this.request('POST', url, body, params); }
  put(url, body, params) { return this.request('PUT', url, body, params); }
  patch(url, body, params) { return this.request('PATCH', url, body, params); }
  delete(url, body, params) { return this.request('DELETE', url, body, params); }
  options(url, body, params) { return this.request('OPTIONS', url, body, params); }
  head(url, body, params) { return this.request('HEAD', url, body, params); }

  batch(requests, shared) {
    return http.batch(requests.map((r) => ({
      method: r.method, url: this.at(r.url), body: r.body === undefined ? null : r.body, params: this.merged({ ...shared, ...r.params }),
    })));
  }
}

export default { Httpx, Request, Get, Post, Put, Patch, Delete };
