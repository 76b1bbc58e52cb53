// env LEVEL=stress
// want 4 GET /from-file
// check chosen 4/4
import http from 'k6/http';
import exec from 'k6/execution';
import { check } from 'k6';
const all = JSON.parse(open('./levels.json'));
const level = __ENV.LEVEL ? all[__ENV.LEVEL] : all.smoke;
export const options = Object.assign({ insecureSkipTLSVerify: true, noConnectionReuse: false, userAgent: 'MyK6/1.0', setupTimeout: '10s' }, level, {
  thresholds: { ...level.thresholds, http_reqs: ['count>0'] },
});
export default function () {
  http.get(`${__ENV.BASE_URL}/from-file`);
  check(exec.test.options, { chosen: (o) => o.scenarios.default.stages.length === 2 && o.userAgent === 'MyK6/1.0' });
}
