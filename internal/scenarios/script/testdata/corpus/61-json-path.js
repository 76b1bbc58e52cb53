// want 4 GET /store
// check selectors 4/4
import http from 'k6/http';
import { check } from 'k6';

export default function () {
  const res = http.get(`${__ENV.BASE_URL}/store`);
  check(res, {
    selectors: (r) =>
      r.json('store.books.#') === 3 && r.json('store.books.#.title').join() === 'A,B,C' && r.json('store.books.#(price>10).title') === 'B' &&
      r.json('store.books.#(price>5)#.title').length === 2 && r.json('store.open') === true && r.json('store.owner') === null &&
      r.json('store.missing') === undefined && r.json().store.books[0].price === 4.5 && r.json('store.books.0')['title'] === 'A',
  });
}
