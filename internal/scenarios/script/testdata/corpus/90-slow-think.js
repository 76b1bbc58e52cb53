// want 4 GET /a
// want 4 GET /b
// check minded 4/4
// fails blockHostnames
import http from 'k6/http';
import { sleep, check } from 'k6';
import { setTimeout } from 'k6/experimental/timers';
export const options = { minIterationDuration: '5ms', rps: 10000, throw: false, noCookiesReset: true, hosts: { 'api.invalid': '127.0.0.1' }, blockHostnames: ['*.blocked.invalid'] };
export default function () {
  http.get(`${__ENV.BASE_URL}/a`);
  sleep(Math.random() * 0.002);
  http.get(`${__ENV.BASE_URL}/b`);
  const r = http.get('http://x.blocked.invalid/', { timeout: '1s', responseCallback: null });
  setTimeout(() => {}, 1);
  check(r, { minded: (x) => x.status === 0 && x.error.includes('blockHostnames') && x.error_code > 0 });
}
