// describe and expect of k6chaijs, in perfctl's own words: what is expected becomes a
// check, and what does not hold ends its describe.
import { check, group } from 'k6';

class NotAsExpected extends Error {}

export const config = { exitOnError: false, logFailures: false, aggregateChecks: true, truncateMsgThreshold: 300, truncateVariableThreshold: 100 };
export const chai = { config, util: {} };

function show(x) {
  let text;
  try {
    text = typeof x === 'string' || typeof x === 'function' ? String(x) : JSON.stringify(x);
  } catch (e) {
    text = String(x);
  }
  text = text === undefined ? 'undefined' : text;
  return text.length > config.truncateVariableThreshold ? `${text.slice(0, config.truncateVariableThreshold)}…` : text;
}

function same(a, b) {
  if (a === b || (a !== a && b !== b)) {
    return true;
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) {
    return false;
  }
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((k) => Object.prototype.hasOwnProperty.call(b, k) && same(a[k], b[k]));
}

function kind(x) {
  if (x === null) {
    return 'null';
  }
  return Array.isArray(x) ? 'array' : typeof x;
}

const size = (x) => (x && (x.length !== undefined ? x.length : x.size)) || 0;

function holds(container, x, deep) {
  if (typeof container === 'string') {
    return container.includes(x);
  }
  if (Array.isArray(container)) {
    return container.some((y) => (deep ? same(y, x) : y === x));
  }
  return typeof container === 'object' && container !== null && Object.keys(x).every((k) => same(container[k], x[k]));
}

const words = ['to', 'be', 'been', 'is', 'that', 'which', 'and', 'has', 'have', 'with', 'at', 'of', 'same', 'but', 'does', 'still', 'also'];

class Expectation {
  constructor(value, name) {
    this.value = value;
    this.name = name;
    this.flags = {};
    for (const w of words) {
      Object.defineProperty(this, w, { get: () => this, configurable: true });
    }
    for (const f of ['not', 'deep', 'nested', 'own', 'all', 'any']) {
      Object.defineProperty(this, f, { get: () => { this.flags[f] = true; return this; } });
    }
    const facts = {
      ok: [(v) => !!v, 'truthy'], true: [(v) => v === true, 'true'], false: [(v) => v === false, 'false'], null: [(v) => v === null, 'null'],
      undefined: [(v) => v === undefined, 'undefined'], exist: [(v) => v !== null && v !== undefined, 'existent'], NaN: [(v) => v !== v, 'NaN'],
      empty: [(v) => (typeof v === 'object' && v !== null && v.length === undefined ? Object.keys(v).length === 0 : size(v) === 0), 'empty'],
    };
    for (const f of Object.keys(facts)) {
      Object.defineProperty(this, f, { get: () => this.judge(facts[f][0](this.value), `is ${facts[f][1]}`) });
    }
    const include = (x) => this.judge(holds(this.value, x, this.flags.deep), `includes ${show(x)}`);
    const length = (n) => this.judge(size(this.value) === n, `has the length ${n}`);
    const isA = (t) => this.judge(kind(this.value) === String(t).toLowerCase(), `is ${t}`);
    for (const [f, base] of [['include', include], ['contain', include], ['includes', include], ['contains', include], ['a', isA], ['an', isA], ['lengthOf', length], ['length', length]]) {
      Object.defineProperty(this, f, { get: () => this.both(f, base) });
    }
  }

  // both is what may be called, as in lengthOf(2), or followed, as in lengthOf.above(1).
  both(name, f) {
    const out = (x) => f(x);
    const on = name === 'length' || name === 'lengthOf' ? new Expectation(size(this.value), `${this.name} (its length)`) : this;
    on.flags = this.flags;
    for (const m of ['above', 'below', 'least', 'most', 'within', 'equal', 'keys', 'members', 'string', 'property']) {
      out[m] = (...x) => on[m](...x);
    }
    return out;
  }

  judge(ok, what) {
    const held = this.flags.not ? !ok : ok;
    const text = this.name === undefined ? what : `${this.name} ${this.flags.not ? "not: " : ""}${what}`;
    check(null, { [text]: held });
    this.flags = {};
    if (!held) {
      throw new NotAsExpected(`${text}, and it is ${show(this.value)}`);
    }
    return this;
  }

  equal(x) { return this.judge(this.flags.deep ? same(this.value, x) : this.value === x, `is ${show(x)}`); }
  equals(x) { return this.equal(x); }
  eq(x) { return this.equal(x); }
  eql(x) { return this.judge(same(this.value, x), `is ${show(x)}`); }
  above(n) { return this.judge(this.value > n, `is above ${show(n)}`); }
  greaterThan(n) { return this.above(n); }
  gt(n) { return this.above(n); }
  below(n) { return this.judge(this.value < n, `is below ${show(n)}`); }
  lessThan(n) { return this.below(n); }
  lt(n) { return this.below(n); }
  least(n) { return this.judge(this.value >= n, `is at least ${show(n)}`); }
  greaterThanOrEqual(n) { return this.least(n); }
  gte(n) { return this.least(n); }
  most(n) { return this.judge(this.value <= n, `is at most ${show(n)}`); }
  lessThanOrEqual(n) { return this.most(n); }
  lte(n) { return this.most(n); }
  within(a, b) { return this.judge(this.value >= a && this.value <= b, `is within ${a} and ${b}`); }
  closeTo(x, d) { return this.judge(Math.abs(this.value - x) <= d, `is close to ${x}`); }
  oneOf(list) { return this.judge(list.includes(this.value), `is one of ${show(list)}`); }
  string(x) { return this.judge(String(this.value).includes(x), `includes ${show(x)}`); }
  match(re) { return this.judge(re.test(this.value), `matches ${re}`); }
  members(list) { return this.judge(this.value.length === list.length && list.every((x) => holds(this.value, x, this.flags.deep)), `has the members ${show(list)}`); }
  keys(...names) {
    const want = names.flat();
    return this.judge(want.every((k) => k in this.value), `has the keys ${show(want)}`);
  }
  instanceOf(c) { return this.judge(this.value instanceof c, `is a ${c.name}`); }
  satisfy(f) { return this.judge(!!f(this.value), 'satisfies a condition'); }
  property(name, x) {
    const has = this.value !== null && this.value !== undefined && this.value[name] !== undefined;
    return this.judge(arguments.length > 1 ? has && same(this.value[name], x) : has, `has the property ${name}${arguments.length > 1 ? ` ${show(x)}` : ''}`);
  }
  validJsonBody() {
    let ok = true;
    try {
      this.value.json();
    } catch (e) {
      ok = false;
    }
    const name = 'has valid json body';
    check(null, { [name]: this.flags.not ? !ok : ok });
    if (!ok && !this.flags.not) {
      throw new NotAsExpected(name);
    }
    return this;
  }
}

export function expect(value, name) { return new Expectation(value, name); }

export function describe(name, body) {
  let held = true;
  group(name, () => {
    try {
      body();
    } catch (e) {
      held = false;
      if (!(e instanceof NotAsExpected)) {
        check(null, { [`Exception raised "${e.message || e}"`]: false });
      }
      if (config.logFailures) {
        console.warn(`${name}: ${e.message || e}`);
      }
      if (config.exitOnError && !(e instanceof NotAsExpected)) {
        throw e;
      }
    }
  });
  return held;
}

export default { describe, expect, config, chai };
