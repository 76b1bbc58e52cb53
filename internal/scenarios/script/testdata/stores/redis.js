// In the manner of the example in k6's documentation of k6/experimental/redis.
import { check } from 'k6';
import redis from 'k6/experimental/redis';
import exec from 'k6/execution';

const client = new redis.Client(__ENV.REDIS_URL);
export const options = { thresholds: { 'redis_command_duration{operation:get}': ['p(95)<60000'], checks: ['rate==1'] } };
const key = (name) => `perfctl-test:${__ENV.RUN}:${name}`;

export async function setup() {
  await client.del(key('list'), key('hash'), key('set'), key('n'), key('missing'));
}

export default async function () {
  const mine = key(`crocodile:${exec.scenario.iterationInTest}`);
  await client.set(mine, 'Dinky', 60);
  await client.rpush(key('list'), 'a');
  await client.sadd(key('set'), ['a', 'b']);
  await client.hset(key('hash'), 'name', 'Bert');
  const all = await client.hgetall(key('hash'));
  let missing = '';
  try { await client.get(key('missing')); } catch (e) { missing = String(e); }
  const ok = {
    'got back': (await client.get(mine)) === 'Dinky' && (await client.ttl(mine)) > 0 && (await client.exists(mine)) === 1,
    'counted': (await client.incrBy(key('n'), 2)) > 0,
    'listed': (await client.lrange(key('list'), 0, -1)).includes('a') && (await client.smembers(key('set'))).length === 2,
    'hashed': all.name === 'Bert' && (await client.sismember(key('set'), 'a')) === true && (await client.hget(key('hash'), 'name')) === 'Bert',
    'missed': missing.includes('redis: nil'),
    'sent': (await client.sendCommand('ECHO', 'hello')) === 'hello',
  };
  check(ok, Object.fromEntries(Object.keys(ok).map((k) => [k, (x) => x[k]])));
  client.del(mine).then(() => {}).catch(() => {});
}

export function teardown() {
  client.del(key('list'), key('hash'), key('set'), key('n'));
}
