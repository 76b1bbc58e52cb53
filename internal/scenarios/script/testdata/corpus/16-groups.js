// want 4 GET /one
// want 4 GET /two
// check inner 4/4
import http from 'k6/http';
import { group, check } from 'k6';
export const options = { thresholds: { 'group_duration{group:::visit::search}': ['avg<2000'], 'http_req_duration{name:search}': ['p(90)<1000'] } };
export default function () {
  group('visit', () => {
    http.get(`${__ENV.BASE_URL}/one`);
    group('search', function () {
      const r = http.get(`${__ENV.BASE_URL}/two`, { tags: { name: 'search' } });
      check(r, { inner: () => true }, { kind: 'deep' });
    });
  });
}
