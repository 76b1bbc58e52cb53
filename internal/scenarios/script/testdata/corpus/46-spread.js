// want 4 GET /spread?a=1&b=2
import http from 'k6/http';
const common = { http_req_failed: ['rate<0.05'], http_req_duration: [{ threshold: 'p(95)<3000', abortOnFail: false }] };
export const options = { thresholds: { ...common, checks: ['rate>0.5'] }, vus: parseInt(__ENV.VUS || '2', 10), duration: __ENV.DURATION || '3s', tags: { env: 'test' } };
class Api { #base; constructor(base) { this.#base = base; } query(o) { return `${this.#base}/spread?${Object.entries(o).map(([k, v]) => `${k}=${v}`).join('&')}`; } }
const api = new Api(__ENV.BASE_URL);
export default () => { http.get(api.query({ a: 1, b: 2 })); };
