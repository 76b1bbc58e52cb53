// want 4 GET /v1/items X-Test=x
// want 4 POST /v1/items Authorization=Bearer z Content-Type=application/x-www-form-urlencoded X-Test=x first=a
// want 4 GET /v1/a Authorization=Bearer z X-Test=x
// want 4 GET /v1/b Authorization=Bearer z X-Test=x
import { Httpx, Get } from 'https://jslib.k6.io/httpx/0.1.0/index.js';
export default function () {
  const session = new Httpx({ baseURL: `${__ENV.BASE_URL}/v1`, headers: { 'X-Test': 'x' }, timeout: 20000 });
  const r = session.get('/items');
  if (r.json('items.#') !== 2) { throw new Error('no items'); }
  session.addHeader('Authorization', 'Bearer z');
  session.addTag('name', 'api');
  session.post('/items', { first: 'a' });
  session.batch([new Get('/a'), new Get('/b')]);
}
