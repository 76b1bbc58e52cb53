// want 4 GET /status/503
// fails status 503
import http from 'k6/http';
export default function () { http.get(`${__ENV.BASE_URL}/status/503`); }
