// want 4 GET /hidden Authorization=Basic dXNlcjpwYXNzd2Q=
// check encodings 4/4
import { b64decode, b64encode } from 'k6/encoding';
import http from 'k6/http';
import { check } from 'k6';
export default function () {
  const credentials = `user:passwd`;
  http.get(`${__ENV.BASE_URL}/hidden`, { headers: { Authorization: `Basic ${b64encode(credentials)}` } });
  const text = 'hello ✓ world?>';
  check(null, {
    encodings: () => b64encode('foo?>', 'rawurl') === 'Zm9vPz4' && b64decode(b64encode(text), 'std', 's') === text &&
      new Uint8Array(b64decode('AQID'))[2] === 3 && b64encode(new Uint8Array([1, 2, 3]).buffer) === 'AQID' && btoa('ab') === 'YWI=' && atob('YWI=') === 'ab' &&
      String.fromCharCode(...new Uint8Array(b64decode('YWI=', 'std'))) === 'ab',
  });
}
