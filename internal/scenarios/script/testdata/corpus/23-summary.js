// want 4 GET /s
import http from 'k6/http';
import { textSummary } from 'https://jslib.k6.io/k6-summary/0.0.2/index.js';
export const options = { summaryTrendStats: ['avg', 'p(99)'] };
export default function () { http.get(`${__ENV.BASE_URL}/s`); }
export function handleSummary(data) { return { stdout: textSummary(data, { indent: ' ', enableColors: true }), 'summary.json': JSON.stringify(data) }; }
