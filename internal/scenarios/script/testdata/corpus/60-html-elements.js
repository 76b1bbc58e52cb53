// want 4 GET /page
// want 4 GET /items/1
// want 4 GET /items/2
// check elements 4/4
import http from 'k6/http';
import { parseHTML } from 'k6/html';
import { check } from 'k6';

export default function () {
  const res = http.get(`${__ENV.BASE_URL}/page`);
  const doc = parseHTML(res.body);
  const seen = [];
  doc.find('a').each(function (index, element) {
    seen.push(`${index} ${element.nodeName()} ${element.getAttribute('href')} ${element.innerHTML()} ${element.textContent()}`);
  });
  const texts = doc.find('a').map((i, el) => el.text());
  const first = doc.find('a').get(0);
  check(seen, {
    elements: (s) => s.join(';') === '0 a /items/1 one one;1 a /items/2 two two' && texts.join() === 'one,two' && first.hasAttribute('href') &&
      doc.find('a').toArray().length === 2 && first.attributes().href.value === '/items/1' && doc.find('body').children().size() === 3 && first.id() === '',
  });
  doc.find('a').toArray().forEach((a) => http.get(`${__ENV.BASE_URL}${a.attr('href')}`));
}
