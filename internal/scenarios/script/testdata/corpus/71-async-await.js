// want 4 GET /a
// want 4 GET /b
// want 4 POST /c Content-Type=application/json {"sum":2}
// check awaited 4/4
import http from 'k6/http';
import { check, sleep } from 'k6';
const get = async (p) => (await http.asyncRequest('GET', `${__ENV.BASE_URL}${p}`)).json();
export const options = { vus: 2, iterations: 4 };
export default async function main() {
  const [a, b] = await Promise.all([get('/a'), get('/b')]);
  let seen = 0;
  for await (const x of [Promise.resolve(1), Promise.resolve(1)]) { seen += x; }
  try {
    await Promise.reject(new Error('expected'));
  } catch (e) {
    if (e.message !== 'expected') { throw e; }
  } finally {
    sleep(0.001);
  }
  const r = await http.asyncRequest('POST', `${__ENV.BASE_URL}/c`, JSON.stringify({ sum: seen }), { headers: { 'Content-Type': 'application/json' } });
  check(r, { awaited: (x) => x.status === 200 && a.path === '/a' && b.path === '/b' });
}
