// want 4 GET /t
import http from 'k6/http';
import exec from 'k6/execution';
export const options = { thresholds: { 'http_reqs{step:checkout}': ['count==4'] } };
export default function () { exec.vu.metrics.tags.step = 'checkout'; http.get(`${__ENV.BASE_URL}/t`); delete exec.vu.metrics.tags.step; }
