// want 4 GET /x
import http from 'k6/http';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
const c = new Counter('my_count'); const g = new Gauge('my_gauge'); const r = new Rate('my_rate'); const t = new Trend('my_time', true);
export const options = { thresholds: { my_count: ['count==4'], 'my_time{kind:x}': ['avg<1000'], my_rate: ['rate>0.5'], my_gauge: ['value<10'] } };
export default function () {
  const res = http.get(`${__ENV.BASE_URL}/x`);
  c.add(1); g.add(3); r.add(res.status === 200); t.add(res.timings.waiting, { kind: 'x' });
}
