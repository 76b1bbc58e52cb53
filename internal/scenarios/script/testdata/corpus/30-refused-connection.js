// fails connection refused
// check told 4/4
// log a request failed: GET http://127.0.0.1:1/
import http from 'k6/http';
import { check } from 'k6';
export default function () { const r = http.get('http://127.0.0.1:1/'); check(r, { told: (x) => x.status === 0 && x.error_code === 1212 && x.body === null && x.error !== '' }); }
