// want 4 GET /sealed
// check sealed 4/4
import http from 'k6/http';
import { check } from 'k6';
import { crypto as wc } from 'k6/experimental/webcrypto';

const bytes = (t) => new TextEncoder().encode(t);
const hex = (b) => [...new Uint8Array(b)].map((x) => x.toString(16).padStart(2, '0')).join('');

export default async function () {
  const digest = await crypto.subtle.digest('SHA-256', bytes('abc'));
  const key = await wc.subtle.importKey('raw', bytes('Jefe'), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
  const mac = await crypto.subtle.sign('HMAC', key, bytes('what do ya want for nothing?'));
  const aes = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt', 'decrypt']);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const secret = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, aes, bytes('hidden'));
  const plain = new TextDecoder().decode(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, aes, secret));
  const ok = await crypto.subtle.verify({ name: 'HMAC' }, key, mac, bytes('what do ya want for nothing?'));
  http.get(`${__ENV.BASE_URL}/sealed`);
  check(null, {
    sealed: () => hex(digest).startsWith('ba7816bf') && hex(mac).startsWith('5bdcc146') && plain === 'hidden' && ok && secret.byteLength === 6 + 16,
  });
}
