// want 1 POST /login Content-Type=application/json {"user":"ada"}
// want 4 GET /me Authorization=Bearer token-1
// check profile 4/4
import http from 'k6/http';
import { check, fail } from 'k6';
export let options = { vus: 2, duration: '5s', thresholds: { checks: ['rate>0.99'] } };
export function setup() {
  const res = http.post(`${__ENV.BASE_URL}/login`, JSON.stringify({ user: 'ada' }), { headers: { 'Content-Type': 'application/json' } });
  if (!res.json('access')) { fail('no token'); }
  return { token: res.json('access'), id: res.json().user.id };
}
export default function (data) {
  const r = http.get(`${__ENV.BASE_URL}/me`, { headers: { Authorization: `Bearer ${data.token}` } });
  check(r, { profile: (x) => x.status === 200 && data.id === 7 });
}
