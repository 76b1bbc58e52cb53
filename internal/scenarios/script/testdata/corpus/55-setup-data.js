// want 1 POST /users Content-Type=application/json {"n":3}
// want 4 GET /users/1
// want 1 DELETE /users
// check frozen copies 4/4
import http from 'k6/http';
import { check } from 'k6';

export function setup() {
  const res = http.post(`${__ENV.BASE_URL}/users`, JSON.stringify({ n: 3 }), { headers: { 'Content-Type': 'application/json' } });
  return { ids: res.json().items.map((x) => x.id), when: new Date(0), none: undefined, nested: { list: [1, [2, 3]] } };
}

export default function (data) {
  const own = data.nested.list[1][1];
  data.mark = (data.mark || 0) + 1;
  http.get(`${__ENV.BASE_URL}/users/${data.ids[0]}`);
  check(data, { 'frozen copies': (d) => own === 3 && typeof d.when === 'string' && !('none' in d) });
}

export function teardown(data) {
  if (data.ids.length === 2) { http.del(`${__ENV.BASE_URL}/users`); }
}
