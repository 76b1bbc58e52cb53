// want 4 GET /status/404
// want 4 GET /status/418
// check codes 4/4
import http from 'k6/http';
import { check } from 'k6';
http.setResponseCallback(http.expectedStatuses(404, { min: 200, max: 299 }));
export default function () {
  const r = http.get(`${__ENV.BASE_URL}/status/404`);
  check(r, { codes: (x) => x.error_code === 1404 && x.error === '' });
  http.get(`${__ENV.BASE_URL}/status/418`, { responseCallback: null });
}
