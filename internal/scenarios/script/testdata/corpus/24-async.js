// want 4 GET /async
// want 4 GET /later
// check awaited 4/4
import http from 'k6/http';
import { check } from 'k6';
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
export default async function () {
  const r = await http.asyncRequest('GET', `${__ENV.BASE_URL}/async`);
  await wait(5);
  const [x] = await Promise.all([http.asyncRequest('GET', `${__ENV.BASE_URL}/later`)]);
  check(r, { awaited: (y) => y.status === 200 && x.status === 200 });
}
