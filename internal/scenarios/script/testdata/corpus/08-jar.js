// want 4 GET /j Cookie=lang=de
// want 4 GET /plain
import http from 'k6/http';
const b = __ENV.BASE_URL;
export default function () {
  const jar = new http.CookieJar();
  jar.set(`${b}/`, 'lang', 'de', { path: '/', max_age: 600 });
  http.get(`${b}/j`, { jar });
  http.get(`${b}/plain`);
}
