// want 8 GET /digest
// check let in 4/4
import http from 'k6/http';
import { check } from 'k6';
export default function () {
  const r = http.get(`http://user:pass@${__ENV.HOSTPORT}/digest`, { auth: 'digest' });
  check(r, { 'let in': (x) => x.status === 200 });
}
