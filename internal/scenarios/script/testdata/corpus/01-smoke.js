// want 4 GET /health
// check is up 4/4
import http from 'k6/http';
import { check, sleep } from 'k6';

export const options = { vus: 1, duration: '10s', thresholds: { http_req_failed: ['rate<0.01'], http_req_duration: ['p(95)<500'] } };

const BASE_URL = __ENV.BASE_URL || 'http://localhost:1';

export default function () {
  const res = http.get(`${BASE_URL}/health`);
  check(res, { 'is up': (r) => r.status === 200 });
  sleep(0.01);
}
