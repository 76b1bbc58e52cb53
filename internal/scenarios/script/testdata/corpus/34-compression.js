// want 4 POST /z Content-Encoding=gzip
// want 4 GET /gzip
// check unpacked 4/4
import http from 'k6/http';
import { check } from 'k6';
export default function () { http.post(`${__ENV.BASE_URL}/z`, 'aaaa', { compression: 'gzip' }); check(http.get(`${__ENV.BASE_URL}/gzip`), { unpacked: (r) => r.json('packed') === true }); }
