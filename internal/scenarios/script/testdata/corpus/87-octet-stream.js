// want 4 POST /echo Content-Type=application/octet-stream data
// want 4 GET /bytes
// check bytes 4/4
import http from 'k6/http';
import { check } from 'k6';
const file = open('./data.txt', 'b');
export const options = { discardResponseBodies: true };
export default function () {
  const up = http.post(`${__ENV.BASE_URL}/echo`, file, { headers: { 'Content-Type': 'application/octet-stream', 'Content-Length': file.byteLength.toString() }, responseType: 'text' });
  const down = http.get(`${__ENV.BASE_URL}/bytes`, { responseType: 'binary' });
  check(up, { bytes: (r) => r.body === 'data' && new Uint8Array(down.body)[3] === 255 && down.body instanceof ArrayBuffer });
}
