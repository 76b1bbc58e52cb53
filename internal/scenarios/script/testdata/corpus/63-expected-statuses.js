// want 4 GET /status/404
// want 4 GET /status/503
// want 4 GET /status/201
// check all 4/4
import http from 'k6/http';
import { check } from 'k6';
export const options = { thresholds: { http_req_failed: ['rate==0'], 'http_reqs{status:404}': ['count==4'], 'http_reqs{expected_response:true}': ['count==12'] } };
const fine = http.expectedStatuses(200, 201, { min: 400, max: 404 });
export default function () {
  const u = __ENV.BASE_URL;
  const a = http.get(`${u}/status/404`, { responseCallback: fine });
  const b = http.get(`${u}/status/503`, { responseCallback: http.expectedStatuses({ min: 500, max: 599 }) });
  const c = http.get(`${u}/status/201`);
  check([a, b, c], { all: (l) => l.map((r) => r.status).join() === '404,503,201' && a.error_code === 1404 && a.error === '' });
}
