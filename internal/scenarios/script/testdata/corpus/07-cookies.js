// want 4 GET /cookie
// want 4 GET /with Cookie=session=s1
// want 4 GET /own Cookie=session=s1; a=b
// want 4 GET /replaced Cookie=session=mine
// check set 4/4
// check jar 4/4
import http from 'k6/http';
import { check } from 'k6';
const b = __ENV.BASE_URL;
export default function () {
  const r = http.get(`${b}/cookie`);
  check(r, { set: (x) => x.cookies.session[0].value === 's1' });
  http.get(`${b}/with`);
  http.get(`${b}/own`, { cookies: { a: 'b' } });
  http.get(`${b}/replaced`, { cookies: { session: { value: 'mine', replace: true } } });
  const jar = http.cookieJar();
  check(jar.cookiesForURL(`${b}/x`), { jar: (c) => c.session[0] === 's1' });
}
