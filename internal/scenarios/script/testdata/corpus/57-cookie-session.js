// want 4 GET /cookies
// want 4 GET /account Cookie=session=s1; theme=dark
// want 4 GET /account Cookie=theme=dark; session=forged
// want 4 GET /elsewhere Cookie=theme=dark
// check cookies 4/4
import http from 'k6/http';
import { check } from 'k6';

export default function () {
  const url = __ENV.BASE_URL;
  const res = http.get(`${url}/cookies`);
  const jar = http.cookieJar();
  const cookies = jar.cookiesForURL(`${url}/account`);
  check(res, {
    cookies: (r) => r.cookies.session[0].value === 's1' && r.cookies.session[0].http_only && cookies.theme[0] === 'dark' && cookies.session.length === 1,
  });
  http.get(`${url}/account`);
  http.get(`${url}/account`, { cookies: { session: { value: 'forged', replace: true } } });
  http.get(`${url}/elsewhere`);
}
