// URL and URLSearchParams, the part that scripts use, in perfctl's own words.
const encode = (s) => encodeURIComponent(s).replace(/%20/g, '+').replace(/[!'()~]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase());
const decode = (s) => decodeURIComponent(s.replace(/\+/g, ' '));

export class URLSearchParams {
  constructor(init = '') {
    this.list = [];
    if (typeof init === 'string') {
      for (const part of init.replace(/^\?/, '').split('&')) {
        if (part !== '') {
          const at = part.indexOf('=');
          this.list.push(at < 0 ? [decode(part), ''] : [decode(part.slice(0, at)), decode(part.slice(at + 1))]);
        }
      }
    } else if (Array.isArray(init) || init instanceof URLSearchParams) {
      for (const [k, v] of init) {
        this.list.push([String(k), String(v)]);
      }
    } else {
      for (const k of Object.keys(init)) {
        this.list.push([k, String(init[k])]);
      }
    }
  }

  append(k, v) { this.list.push([String(k), String(v)]); }

  delete(k) { this.list = this.list.filter((e) => e[0] !== k); }

  get(k) {
    const e = this.list.find((x) => x[0] === k);
    return e ? e[1] : null;
  }

  getAll(k) { return this.list.filter((e) => e[0] === k).map((e) => e[1]); }

  has(k) { return this.list.some((e) => e[0] === k); }

  set(k, v) {
    const at = this.list.findIndex((e) => e[0] === k);
    if (at < 0) {
      this.append(k, v);
      return;
    }
    this.list[at][1] = String(v);
    this.list = this.list.filter((e, i) => i <= at || e[0] !== k);
  }

  sort() { this.list.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0)); }

  forEach(f) { this.list.forEach(([k, v]) => f(v, k, this)); }

  keys() { return this.list.map((e) => e[0])[Symbol.iterator](); }

  values() { return this.list.map((e) => e[1])[Symbol.iterator](); }

  entries() { return this.list.map((e) => [e[0], e[1]])[Symbol.iterator](); }

  [Symbol.iterator]() { return this.entries(); }

  toString() { return this.list.map(([k, v]) => `${encode(k)}=${encode(v)}`).join('&'); }
}

const shape = /^([a-z][a-z0-9+.-]*:)\/\/(?:([^/?#@]*)@)?([^/?#:]*|\[[^\]]*\])(?::(\d+))?([^?#]*)(\?[^#]*)?(#.*)?$/i;

export class URL {
  constructor(text, base) {
    let whole = String(text);
    if (base !== undefined && !shape.test(whole)) {
      const b = new URL(base);
      if (whole.startsWith('//')) {
        whole = b.protocol + whole;
      } else if (whole.startsWith('/')) {
        whole = b.origin + whole;
      } else if (whole.startsWith('?') || whole.startsWith('#')) {
        whole = b.origin + b.pathname + (whole[0] === '#' ? b.search : '') + whole;
      } else {
        whole = b.origin + b.pathname.replace(/[^/]*$/, '') + whole;
      }
    }
    const m = shape.exec(whole);
    if (!m) {
      throw new TypeError(`Invalid URL: ${text}`);
    }
    this.protocol = m[1].toLowerCase();
    const [user, password] = (m[2] || '').split(':');
    this.username = user || '';
    this.password = password || '';
    this.hostname = m[3].toLowerCase();
    const usual = { 'http:': '80', 'https:': '443' }[this.protocol];
    this.port = m[4] && m[4] !== usual ? m[4] : '';
    const parts = [];
    for (const p of (m[5] || '/').split('/').slice(1)) {
      if (p === '..') {
        parts.pop();
      } else if (p !== '.') {
        parts.push(p);
      }
    }
    this.pathname = `/${parts.join('/')}`.replace(/ /g, '%20');
    this.searchParams = new URLSearchParams(m[6] || '');
    this.raw = m[6] && m[6].length > 1 ? m[6] : '';
    this.before = this.searchParams.toString();
    this.hash = m[7] && m[7].length > 1 ? m[7] : '';
  }

  get search() {
    const now = this.searchParams.toString();
    if (now === this.before) {
      return this.raw;
    }
    return now === '' ? '' : `?${now}`;
  }

  set search(text) {
    this.searchParams = new URLSearchParams(text);
    this.raw = text === '' || text[0] === '?' ? text : `?${text}`;
    this.before = this.searchParams.toString();
  }

  get host() { return this.port ? `${this.hostname}:${this.port}` : this.hostname; }

  get origin() { return `${this.protocol}//${this.host}`; }

  get href() {
    const user = this.username ? `${this.username}${this.password ? `:${this.password}` : ''}@` : '';
    return `${this.protocol}//${user}${this.host}${this.pathname}${this.search}${this.hash}`;
  }

  toString() { return this.href; }

  toJSON() { return this.href; }
}
