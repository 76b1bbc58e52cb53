// want 4 POST /signed X-Test=e509c77de025d1146394fc38d420214ba63a81f66c6d18fd4ca260e4a9fac698
// check digests 4/4
import http from 'k6/http';
import crypto, { hmac, sha256, createHMAC } from 'k6/crypto';
import { check } from 'k6';
export default function () {
  const body = 'what do ya want for nothing?';
  const h = createHMAC('sha256', 'Jefe');
  h.update('what do ya want ');
  h.update('for nothing?');
  const expected = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'; // RFC 4231, test case 2
  check(null, {
    digests: () => hmac('sha256', 'Jefe', body, 'hex') === expected && h.digest('hex') === expected &&
      sha256('abc', 'hex') === 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' && crypto.md5('abc', 'hex') === '900150983cd24fb0d6963f7d28e17f72' &&
      crypto.sha1('abc', 'base64') === 'qZk+NkcGgWq6PiVxeFDCbJzQ2J0=' && new Uint8Array(crypto.sha512('abc', 'binary')).length === 64 && crypto.randomBytes(8).byteLength === 8,
  });
  const canonical = ['POST', '/signed', '', sha256(body, 'hex')].join('\n');
  const signature = hmac('sha256', hmac('sha256', 'key', '20260101', 'binary'), canonical, 'hex');
  http.post(`${__ENV.BASE_URL}/signed`, null, { headers: { 'X-Test': signature } });
}
