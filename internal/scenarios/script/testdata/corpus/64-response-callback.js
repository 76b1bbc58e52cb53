// want 4 GET /status/418
// want 4 GET /status/500
// fails status
import http from 'k6/http';
http.setResponseCallback(http.expectedStatuses(418));
export const options = { thresholds: { http_req_failed: ['rate<=0.5'] } };
export default function () {
  http.get(`${__ENV.BASE_URL}/status/418`);
  http.get(`${__ENV.BASE_URL}/status/500`);
}
