// want 4 GET /redirect/2
// want 4 GET /redirect/1
// want 4 GET /redirect/1 X-Test=followed
// want 4 GET /landed X-Test=followed
// check moved 4/4
import http from 'k6/http';
import { check } from 'k6';
export const options = { maxRedirects: 4 };
export default function () {
  const first = http.get(`${__ENV.BASE_URL}/redirect/2`, { redirects: 0 });
  const second = http.request('GET', `${__ENV.BASE_URL}${first.headers.Location}`, null, { redirects: 0 });
  const last = http.get(`${__ENV.BASE_URL}${first.headers['Location']}`, { headers: { 'X-Test': 'followed' } });
  check(last, { moved: (r) => first.status === 302 && second.status === 302 && r.status === 200 && r.url.endsWith('/landed') && r.request.url.endsWith('/landed') });
}
