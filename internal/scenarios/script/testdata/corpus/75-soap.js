// want 4 POST /echo Content-Type=text/xml; charset=utf-8 <Envelope><Body><Add><a>1</a><b>2</b></Add></Body></Envelope>
// check answered 4/4
import http from 'k6/http';
import { check } from 'k6';
import { parseHTML } from 'k6/html';
import { findBetween } from 'https://jslib.k6.io/k6-utils/1.4.0/index.js';
const soap = (a, b) => `<Envelope><Body><Add><a>${a}</a><b>${b}</b></Add></Body></Envelope>`;
export default function () {
  const res = http.post(`${__ENV.BASE_URL}/echo`, soap(1, 2), { headers: { 'Content-Type': 'text/xml; charset=utf-8', SOAPAction: 'Add' } });
  check(res, { answered: (r) => r.status === 200 && r.body.indexOf('Add') !== -1 && findBetween(r.body, '<b>', '</b>') === '2' && parseHTML(r.body).find('add').text() === '12' });
}
