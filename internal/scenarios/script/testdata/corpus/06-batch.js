// want 4 GET /a
// want 4 GET /b
// want 4 POST /c Content-Type=application/x-www-form-urlencoded k=v
// want 4 GET /d
// check order 4/4
// check named 4/4
import http from 'k6/http';
import { check } from 'k6';
const b = __ENV.BASE_URL;
export default function () {
  const rs = http.batch([['GET', `${b}/a`], `${b}/b`, { method: 'POST', url: `${b}/c`, body: { k: 'v' } }]);
  check(rs, { order: (x) => x.length === 3 && x[0].json('path') === '/a' && x[2].json('path') === '/c' });
  const named = http.batch({ d: { method: 'GET', url: `${b}/d` } });
  check(named, { named: (x) => x.d.status === 200 });
}
