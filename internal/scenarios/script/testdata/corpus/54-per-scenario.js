// want 4 GET /v1/contacts?scenario=contacts
// want 4 GET /v2/news?scenario=news
// want 4 GET /v3/default?scenario=plain
// check named 12/12
import http from 'k6/http';
import exec from 'k6/execution';
import { check } from 'k6';

export const options = {
  discardResponseBodies: true,
  scenarios: {
    contacts: { executor: 'constant-vus', exec: 'contacts', vus: 2, duration: '3s', env: { VERSION: 'v1' }, tags: { example_tag: 'c' } },
    news: { executor: 'per-vu-iterations', exec: 'news', vus: 2, iterations: 2, startTime: '3s', maxDuration: '1m', env: { VERSION: 'v2' }, tags: { example_tag: 'n' } },
    plain: { executor: 'ramping-vus', startVUs: 0, stages: [{ duration: '2s', target: 2 }], gracefulRampDown: '0s', startTime: '63s' },
  },
  thresholds: {
    'http_req_duration{example_tag:c}': ['p(95)<250'],
    'http_reqs{scenario:news}': ['count>3'],
    'iteration_duration{scenario:plain}': ['max<60000'],
    'iterations{scenario:contacts}': ['count>=4'],
  },
};

function go(path) {
  const r = http.get(`${__ENV.BASE_URL}/${__ENV.VERSION || 'v3'}/${path}?scenario=${exec.scenario.name}`);
  check(r, { named: (x) => x.status === 200 && x.body === null });
}
export function contacts() { go('contacts'); }
export function news() { go('news'); }
export default function () { go('default'); }
