// want 2 GET /first
// want 2 GET /again
import http from 'k6/http';
let token;
export default function () { if (!token) { token = 'x'; http.get(`${__ENV.BASE_URL}/first`); } else { http.get(`${__ENV.BASE_URL}/again`); } }
