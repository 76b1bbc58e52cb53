// want 4 GET /private Authorization=Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c
import http from 'k6/http';
import crypto from 'k6/crypto';
import encoding from 'k6/encoding';
function sign(data, hashAlg, secret) {
  const hasher = crypto.createHMAC(hashAlg, secret);
  hasher.update(data);
  // Some manual base64 rawurl encoding, as `Hasher.digest(encodingType)` has it
  return hasher.digest('base64').replace(/\//g, '_').replace(/\+/g, '-').replace(/=/g, '');
}
function encode(payload, secret) {
  const header = encoding.b64encode(JSON.stringify({ alg: 'HS256', typ: 'JWT' }), 'rawurl');
  const body = encoding.b64encode(JSON.stringify(payload), 'rawurl');
  return [header, body, sign(header + '.' + body, 'sha256', secret)].join('.');
}
export default function () {
  const token = encode({ sub: '1234567890', name: 'John Doe', iat: 1516239022 }, 'your-256-bit-secret'); // the example of jwt.io
  http.get(`${__ENV.BASE_URL}/private`, { headers: { Authorization: `Bearer ${token}` } });
}
