// want 4 GET /redirect/2
// want 4 GET /redirect/1
// want 4 GET /landed
// want 4 POST /redirect/1 x
// want 4 GET /redirect/3
// check followed 4/4
// check not followed 4/4
// check posted 4/4
// fails status 302
import http from 'k6/http';
import { check } from 'k6';
const b = __ENV.BASE_URL;
export default function () {
  check(http.get(`${b}/redirect/2`), { followed: (r) => r.url === `${b}/landed` && r.status === 200 });
  check(http.get(`${b}/redirect/3`, { redirects: 0, responseCallback: http.expectedStatuses(302) }), { 'not followed': (r) => r.status === 302 && r.headers.Location === '/redirect/2' });
  const seen = http.post(`${b}/redirect/1`, 'x', { redirects: 0, responseCallback: http.expectedStatuses({ min: 200, max: 299 }) });
  check(seen, { posted: (r) => r.status === 302 });
}
