// want 4 GET /slow
// fails deadline exceeded
// check late 4/4
import http from 'k6/http';
import { check } from 'k6';
export default function () { const r = http.get(`${__ENV.BASE_URL}/slow`, { timeout: '50ms' }); check(r, { late: (x) => x.status === 0 && x.error_code === 1050 }); }
