// want 4 GET /login
// check selectors 4/4
import http from 'k6/http';
import { check } from 'k6';
export default function () {
  const r = http.get(__ENV.BASE_URL + '/login');
  check(r, { selectors: (x) => x.json('user.tags.1') === 'b' && x.json('user.id') === 7 && x.json('user.none') === undefined && x.json('user.tags.#') === 2 });
}
