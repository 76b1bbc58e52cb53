// want 4 GET /m
// want 4 HEAD /m
// want 4 POST /m Content-Type=text/plain hi
// want 4 PUT /m hi
// want 4 PATCH /m hi
// want 4 DELETE /m
// want 4 OPTIONS /m
// want 4 PURGE /m X-Test=p
import http from 'k6/http';
const u = `${__ENV.BASE_URL}/m`;
export default function () {
  http.get(u);
  http.head(u);
  http.post(u, 'hi', { headers: { 'content-type': 'text/plain' } });
  http.put(u, 'hi');
  http.patch(u, 'hi');
  http.del(u);
  http.options(u);
  http.request('PURGE', u, null, { headers: { 'X-Test': 'p' } });
}
