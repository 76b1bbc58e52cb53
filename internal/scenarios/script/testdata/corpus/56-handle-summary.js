// want 4 GET /s
import http from 'k6/http';
import { check } from 'k6';
import { Trend } from 'k6/metrics';
import { textSummary, jUnit } from 'https://jslib.k6.io/k6-summary/0.1.0/index.js';
import { htmlReport } from 'https://raw.githubusercontent.com/benc-uk/k6-reporter/main/dist/bundle.js';

const waiting = new Trend('waiting_time', true);
export const options = { summaryTrendStats: ['med', 'p(75)', 'p(99.9)', 'count'], thresholds: { waiting_time: ['p(75)<60000'] } };

export function setup() { return { started: true }; }

export default function () {
  const r = http.get(`${__ENV.BASE_URL}/s`);
  waiting.add(r.timings.waiting);
  check(r, { up: (x) => x.status === 200 });
}

export function handleSummary(data) {
  const m = data.metrics.waiting_time;
  const keys = Object.keys(m.values).sort().join(' ');
  if (keys !== 'count med p(75) p(99.9)') { throw new Error(`a trend has ${keys}`); }
  if (!data.setup_data || !data.setup_data.started) { throw new Error('no setup_data'); }
  return {
    stdout: textSummary(data, { indent: '→ ', enableColors: false }),
    'junit.xml': jUnit(data),
    'summary.html': htmlReport(data, { title: 'run of <today>' }),
    'summary.json': JSON.stringify(data, null, 2),
  };
}
