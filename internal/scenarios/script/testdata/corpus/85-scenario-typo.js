// refuse 85-scenario-typo.js:6: options.scenarios.api.preAllocatedVus
// refuse did you mean preAllocatedVUs?
import http from 'k6/http';
export const options = {
  scenarios: {
    api: { executor: 'constant-arrival-rate', rate: 10, duration: '1s', preAllocatedVUs: 1, preAllocatedVus: 2 },
  },
};
export default function () { http.get(`${__ENV.BASE_URL}/x`); }
