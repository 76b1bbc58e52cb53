// want 4 GET /front
// want 4 GET /image.png
// want 4 POST /log Content-Type=application/x-www-form-urlencoded k=v
// want 4 PUT /prefs X-Test=b {"a":1}
// want 4 GET /late
// check batched 4/4
import http from 'k6/http';
import { check } from 'k6';
export const options = { batch: 15, batchPerHost: 2 };
export default function () {
  const u = __ENV.BASE_URL;
  const list = http.batch([
    ['GET', `${u}/front`, null, { tags: { ctype: 'html' } }],
    { method: 'GET', url: `${u}/image.png`, params: { responseType: 'binary' } },
    ['POST', `${u}/log`, { k: 'v' }],
    { method: 'PUT', url: `${u}/prefs`, body: '{"a":1}', params: { headers: { 'X-Test': 'b' } } },
  ]);
  const named = http.batch({ late: `${u}/late` });
  check(null, { batched: () => list.every((r) => r.status === 200) && named.late.status === 200 && list[1].body.byteLength > 0 && list.length === 4 });
}
