// want 4 GET /status/500
// fails payment failed
import http from 'k6/http';
import { check, fail } from 'k6';
export default function () { const r = http.get(`${__ENV.BASE_URL}/status/500`); if (!check(r, { ok: (x) => x.status === 200 })) { fail('payment failed'); } }
