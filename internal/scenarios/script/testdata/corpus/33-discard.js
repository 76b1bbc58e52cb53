// want 4 GET /d
// want 4 GET /e
// check bodies 4/4
import http from 'k6/http';
import { check } from 'k6';
export const options = { discardResponseBodies: true, insecureSkipTLSVerify: true, noConnectionReuse: true, userAgent: 'mine/1' };
export default function () {
  const a = http.get(`${__ENV.BASE_URL}/d`);
  const c = http.get(`${__ENV.BASE_URL}/e`, { responseType: 'text' });
  check(null, { bodies: () => a.body === null && c.json('path') === '/e' });
}
