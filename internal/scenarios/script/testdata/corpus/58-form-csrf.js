// want 4 GET /page
// want 4 POST /search Content-Type=application/x-www-form-urlencoded csrf=c1&q=shoes
// want 4 POST /search Content-Type=application/x-www-form-urlencoded csrf=c1&go=Go&q=boots
// want 4 GET /items/2
// check token 4/4
import http from 'k6/http';
import { check } from 'k6';

export default function () {
  const page = http.get(`${__ENV.BASE_URL}/page`);
  const token = page.html().find('input[name=csrf]').first().attr('value');
  check(token, { token: (t) => t === 'c1' && page.html('title').text() === 'Shop' });
  http.post(`${__ENV.BASE_URL}/search`, { q: 'shoes', csrf: token });
  page.submitForm({ formSelector: 'form', fields: { q: 'boots' } });
  page.clickLink({ selector: 'a:nth-child(2)' });
}
