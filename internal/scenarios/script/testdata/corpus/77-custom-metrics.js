// want 4 GET /x
// log a value that is no number was given to the metric waiting
import http from 'k6/http';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
export const errors = new Counter('errors');
export const size = new Gauge('content_size');
export const good = new Rate('good');
export const waiting = new Trend('waiting');
export const options = {
  thresholds: {
    errors: [{ threshold: 'count<100', abortOnFail: true, delayAbortEval: '1s' }],
    'errors{errorType:authError}': ['count<=20'],
    content_size: ['value<40000'], good: ['rate>0.9'], waiting: ['avg<60000', 'med<60000'],
    'http_req_duration{staticAsset:yes}': ['p(95)<60000', 'min<60000'],
  },
};
export default function () {
  const res = http.get(`${__ENV.BASE_URL}/x`, { tags: { staticAsset: 'yes' } });
  errors.add(0); errors.add(1, { errorType: 'authError' });
  size.add(res.body.length);
  good.add(res.status === 200); good.add(true);
  waiting.add(res.timings.waiting); waiting.add('x');
}
