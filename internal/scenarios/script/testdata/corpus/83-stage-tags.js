// want 4 GET /tagged
// check tagged 4/4
import http from 'k6/http';
import exec from 'k6/execution';
import { check } from 'k6';
import { tagWithCurrentStageIndex, tagWithCurrentStageProfile, getCurrentStageIndex } from 'https://jslib.k6.io/k6-utils/1.3.0/index.js';
export const options = { stages: [{ target: 5, duration: '5s' }, { target: 10, duration: '10s' }], thresholds: { 'http_reqs{stage:0}': ['count==4'], 'http_reqs{stage_profile:ramp-up}': ['count==4'] } };
export default function () {
  tagWithCurrentStageIndex();
  tagWithCurrentStageProfile();
  http.get(`${__ENV.BASE_URL}/tagged`);
  check(exec.vu.metrics.tags, { tagged: (t) => t.stage === '0' && t.stage_profile === 'ramp-up' && getCurrentStageIndex() === 0 });
}
