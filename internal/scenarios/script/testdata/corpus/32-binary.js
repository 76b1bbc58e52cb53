// want 4 GET /bytes
// want 4 GET /bytes?none
// want 4 POST /echo AB
// check bytes 4/4
// check none 4/4
import http from 'k6/http';
import { check } from 'k6';
const b = __ENV.BASE_URL;
export default function () {
  const r = http.get(`${b}/bytes`, { responseType: 'binary' });
  check(r, { bytes: (x) => new Uint8Array(x.body)[2] === 254 && x.body.byteLength === 4 });
  check(http.get(`${b}/bytes?none`, { responseType: 'none' }), { none: (x) => x.body === null });
  http.post(`${b}/echo`, new Uint8Array([65, 66]).buffer);
}
