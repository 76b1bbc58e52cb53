// want 4 GET /secret Authorization=Basic dXNlcjpwYXNz
import http from 'k6/http';
export default function () {
  http.get(`http://user:pass@${__ENV.HOSTPORT}/secret`);
}
