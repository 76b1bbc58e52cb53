// want 4 GET /posts/1?draft=true
// want 4 GET /posts/2?draft=true
// want 4 DELETE /posts/2
import http from 'k6/http';
import { check } from 'k6';
export const options = {
  thresholds: { 'http_reqs{name:PostsItemURL}': ['count==8'], 'http_req_duration{name:http://${}/posts/${}}': ['max<60000'] },
};
export default function () {
  for (let id = 1; id <= 2; id++) {
    http.get(`${__ENV.BASE_URL}/posts/${id}?draft=true`, { tags: { name: 'PostsItemURL' } });
  }
  http.del(http.url`http://${__ENV.HOSTPORT}/posts/${2}`);
}
