// want 4 POST /crocs/ Authorization=Bearer t Content-Type=application/x-www-form-urlencoded name=Mr.+Croc&sex=M
// want 4 PATCH /crocs/1/ Authorization=Bearer t Content-Type=application/json {"name":"New"}
// want 4 GET /crocs/ Authorization=Bearer t
// want 4 DELETE /crocs/1/ Authorization=Bearer t
// check done 16/16
import http from 'k6/http';
import { check, group, fail } from 'k6';
const url = `${__ENV.BASE_URL}/crocs/`;
export default () => {
  const conf = (tag, more = {}) => ({ headers: { Authorization: `Bearer ${'t'}`, ...more }, tags: Object.assign({}, { name: 'Private' }, tag) });
  const res = http.post(url, { name: 'Mr. Croc', sex: 'M' }, conf({ name: 'Create' }));
  if (!check(res, { done: (r) => r.status === 200 })) { fail(`no croc: ${res.status} ${res.body}`); }
  const one = `${url}${res.json('items.0.id')}/`;
  group('update', () => { check(http.patch(one, JSON.stringify({ name: 'New' }), conf({ name: 'Update' }, { 'Content-Type': 'application/json' })), { done: (r) => r.status === 200 }); });
  check(http.get(url, conf({})), { done: (r) => r.status === 200 });
  check(http.del(one, null, conf({ name: 'Delete' })), { done: (r) => r.status === 200 });
};
