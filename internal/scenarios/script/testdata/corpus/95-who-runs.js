// log in setup 0 0
// log in teardown 0
// log metadata of samples goes nowhere
// log a script reads OCSP_STATUS_GOOD of k6/http
// check in a user 4/4
// check hex 4/4
import { check } from 'k6';
import http from 'k6/http';
import crypto from 'k6/crypto';
import exec from 'k6/execution';

export function setup() { console.log('in setup', __VU, exec.vu.idInTest); }
export default function () {
  exec.vu.metrics.metadata.trace = 'x';
  check(null, {
    'in a user': () => __VU > 0 && __VU === exec.vu.idInTest && exec.vu.metrics.metadata.trace === 'x' && http.OCSP_STATUS_GOOD === undefined,
    'hex': () => crypto.hexEncode(new Uint8Array([1, 255]).buffer) === '01ff',
  });
}
export function teardown() { console.log('in teardown', __VU); }
