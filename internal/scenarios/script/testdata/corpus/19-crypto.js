// want 4 GET /sig?s=5031fe3d989c6d1537a013fa6e739da23463fdaec3b70137d828e36ace221bd0&m=5d41402abc4b2a76b9719d911017c592&b=aGk
// check all 4/4
import http from 'k6/http';
import { check } from 'k6';
import crypto, { md5 } from 'k6/crypto';
import encoding from 'k6/encoding';
export default function () {
  const s = crypto.hmac('sha256', 'key', 'data', 'hex');
  http.get(`${__ENV.BASE_URL}/sig?s=${s}&m=${md5('hello', 'hex')}&b=${encoding.b64encode('hi', 'rawurl')}`);
  const h = crypto.createHash('sha1'); h.update('a'); h.update('b');
  check(null, { all: () => h.digest('hex') === crypto.sha1('ab', 'hex') && encoding.b64decode('aGk', 'rawstd', 's') === 'hi' && new Uint8Array(crypto.randomBytes(8)).length === 8 });
}
