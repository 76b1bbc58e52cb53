// In the manner of the examples of k6/x/amqp.
import { check } from 'k6';
import Amqp from 'k6/x/amqp';
import Queue from 'k6/x/amqp/queue';
import * as Exchange from 'k6/x/amqp/exchange';
import exec from 'k6/execution';

export const options = {
  thresholds: {
    'amqp_command_duration{operation:publish}': ['p(95)<60000'], 'amqp_messages_received': ['count>0'], checks: ['rate==1'],
  },
};
const exchange = `perfctl-test-${__ENV.RUN}`;
const kept = `perfctl-test-${__ENV.RUN}-kept`;

export function setup() {
  const connection = Amqp.start({ connection_url: __ENV.RABBITMQ_URL });
  Exchange.declare({ connection_id: connection, name: exchange, kind: 'direct', durable: false, auto_delete: false });
  Queue.declare({ connection_id: connection, name: kept, durable: true, args: { 'x-max-length': 1000 } });
  return { connection };
}

export default function ({ connection }) {
  const mine = `perfctl-test-${__ENV.RUN}-${exec.scenario.iterationInTest}`;
  const declared = Queue.declare({ name: mine, delete_when_unused: false });
  Queue.bind({ queue_name: mine, exchange_name: exchange, routing_key: mine });
  // By the default exchange, by another one, and bytes.
  Amqp.publish({ connection_id: connection, queue_name: mine, body: 'Ping from k6', content_type: 'text/plain' });
  Amqp.publish({ exchange, queue_name: mine, body: JSON.stringify({ n: 2 }), content_type: 'application/json', persistent: true, mandatory: true,
    headers: { retries: 3, tag: 'a', deep: { list: [1, 'x'] } }, correlation_id: 'c-1', reply_to: kept, timestamp: 1700000000, expiration: '60000', type: 'ping', priority: 4 });
  Amqp.publish({ queue_name: mine, body: new Uint8Array([1, 254]).buffer });

  const seen = Queue.inspect(mine);
  const bodies = [], messages = [];
  const returned = Amqp.listen({ queue_name: mine, auto_ack: true, listener: (body, message) => { bodies.push(body); messages.push(message); } });
  const empty = Amqp.listen({ queue_name: mine, auto_ack: true, listener: () => { throw new Error('nothing is left'); } });

  // Without auto_ack they go back; with a timeout it waits for so many.
  Amqp.publish({ queue_name: mine, body: 'again' });
  Amqp.listen({ queue_name: mine, listener: () => {} });
  let redelivered = false, late = '';
  const waited = Amqp.listen({ queue_name: mine, auto_ack: true, timeout: '20s', count: 1, listener: (body, m) => { redelivered = body === 'again' && m.redelivered; } });
  try {
    Amqp.listen({ queue_name: mine, auto_ack: true, timeout: '50ms', listener: () => {} });
  } catch (e) { late = String(e); }

  let back = '', gone = '', immediate = '', unknown = '';
  try { Amqp.publish({ queue_name: 'perfctl-test-nowhere', body: 'x', mandatory: true }); } catch (e) { back = String(e); }
  try { Queue.inspect('perfctl-test-nowhere'); } catch (e) { gone = String(e); }
  try { Amqp.publish({ queue_name: mine, body: 'x', immediate: true }); } catch (e) { immediate = String(e); }
  try { Amqp.publish({ connection_id: 77, queue_name: mine, body: 'x' }); } catch (e) { unknown = String(e); }
  Amqp.publish({ queue_name: mine, body: 'to be purged' });
  const purged = Queue.purge(mine);
  Queue.unbind({ queue_name: mine, exchange_name: exchange, routing_key: mine });
  Queue.delete(mine);

  const [, m] = messages;
  const ok = {
    'declared': declared.name === mine && declared.messages === 0,
    'inspected': seen.messages === 3 && seen.consumers === 0,
    'listened': returned === 3 && bodies[0] === 'Ping from k6' && JSON.parse(bodies[1]).n === 2 && empty === 0,
    'properties': m.headers.retries === 3 && m.headers.tag === 'a' && m.headers.deep.list[1] === 'x' && m.correlation_id === 'c-1' && m.reply_to === kept &&
      m.timestamp === 1700000000 && m.expiration === '60000' && m.type === 'ping' && m.priority === 4 && m.persistent === true &&
      m.exchange === exchange && m.routing_key === mine && m.content_type === 'application/json' && messages[0].persistent === false,
    'bytes': new Uint8Array(messages[2].body)[1] === 254,
    'waited': waited === 1 && redelivered,
    'late': late.includes('0 of 1 messages'),
    'returned': back.includes('no queue took it'),
    'gone': gone.includes('no queue'),
    'immediate': immediate.includes('immediate is not possible'),
    'unknown': unknown.includes('no such connection'),
    'purged': purged === 1,
  };
  check(ok, Object.fromEntries(Object.keys(ok).map((k) => [k, (x) => x[k]])));
}

export function teardown() {
  Queue.delete(kept);
  Exchange.delete(exchange);
}
