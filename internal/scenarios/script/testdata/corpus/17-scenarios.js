// want 4 GET /browse
// want 4 GET /buy/eu
// check names 8/8
import http from 'k6/http';
import { check } from 'k6';
import exec from 'k6/execution';
export const options = {
  scenarios: {
    browse: { executor: 'constant-vus', vus: 2, duration: '5s', exec: 'browse', tags: { team: 'a' } },
    buy: { executor: 'ramping-arrival-rate', startRate: 1, timeUnit: '1s', preAllocatedVUs: 2, stages: [{ target: 5, duration: '5s' }], exec: 'buy', env: { REGION: 'eu' }, startTime: '2s', gracefulStop: '1s' },
  },
  thresholds: { 'http_req_duration{scenario:buy}': ['p(95)<800'], 'http_reqs{team:a}': ['count>0'] },
};
export function browse() { http.get(`${__ENV.BASE_URL}/browse`); check(exec, { names: (e) => e.scenario.name === 'browse' && e.scenario.executor === 'constant-vus' }); }
export function buy() { http.get(`${__ENV.BASE_URL}/buy/${__ENV.REGION}`); check(exec, { names: (e) => e.scenario.name === 'buy' }); }
