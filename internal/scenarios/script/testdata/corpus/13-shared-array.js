// want 1 GET /u/ada
// want 1 GET /u/bob
// want 2 GET /u/cyd
// check frozen 4/4
import http from 'k6/http';
import { check } from 'k6';
import { SharedArray } from 'k6/data';
import exec from 'k6/execution';
const users = new SharedArray('users', () => JSON.parse(open('./users.json')).users);
export default function () {
  const i = Math.min(exec.scenario.iterationInTest, users.length - 1);
  http.get(`${__ENV.BASE_URL}/u/${users[i].name}`);
  check(users, { frozen: (u) => u.length === 3 && u.map((x) => x.name).join() === 'ada,bob,cyd' && u.find((x) => x.name === 'bob') !== undefined });
}
