// want 4 POST /graphql Authorization=Bearer t Content-Type=application/json {"query":"query($id: ID!) { item(id: $id) { id } }","variables":{"id":2}}
// check data 4/4
import http from 'k6/http';
import { check } from 'k6';
const query = 'query($id: ID!) { item(id: $id) { id } }';
const headers = { Authorization: 'Bearer t', 'Content-Type': 'application/json' };
export default function () {
  const res = http.post(`${__ENV.BASE_URL}/graphql`, JSON.stringify({ query, variables: { id: 2 } }), { headers, tags: { name: 'item' } });
  check(res, { data: (r) => r.status === 200 && JSON.parse(r.body).items[1].id === 2 && r.headers['Content-Type'] === 'application/json' && r.request.method === 'POST' && r.request.headers['Content-Type'][0] === 'application/json' });
}
