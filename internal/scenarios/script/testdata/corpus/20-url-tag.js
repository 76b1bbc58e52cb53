// want 2 GET /posts/1
// want 2 GET /posts/2
import http from 'k6/http';
export const options = { thresholds: { 'http_req_duration{name:PostsItemURL}': ['max<5000'] } };
export default function () {
  const id = (__ITER % 2) + 1;
  if (id === 1) { http.get(http.url`${__ENV.BASE_URL}/posts/${id}`); } else { http.get(`${__ENV.BASE_URL}/posts/${id}`, { tags: { name: 'PostsItemURL' } }); }
}
