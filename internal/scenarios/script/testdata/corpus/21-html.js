// want 4 GET /page
// want 4 POST /search Content-Type=application/x-www-form-urlencoded csrf=c1&go=Go&q=shoes
// want 4 GET /items/1
// check title 4/4
// check links 4/4
import http from 'k6/http';
import { check } from 'k6';
export default function () {
  const r = http.get(`${__ENV.BASE_URL}/page`);
  const doc = r.html();
  check(doc, { title: (d) => d.find('head title').text() === 'Shop', links: (d) => d.find('a').map((i, a) => a.attr('href')).join() === '/items/1,/items/2' });
  r.submitForm({ formSelector: 'form', fields: { q: 'shoes' } });
  r.clickLink({ selector: 'a:first-of-type' });
}
