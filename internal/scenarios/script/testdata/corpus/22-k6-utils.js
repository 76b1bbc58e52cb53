// want 4 GET /random
// check helpers 4/4
import http from 'k6/http';
import { check } from 'k6';
import { randomIntBetween, randomItem, randomString, uuidv4, findBetween } from 'https://jslib.k6.io/k6-utils/1.4.0/index.js';
export default function () {
  http.get(`${__ENV.BASE_URL}/random`);
  const n = randomIntBetween(3, 5);
  check(n, { helpers: (x) => x >= 3 && x <= 5 && ['a', 'b'].includes(randomItem(['a', 'b'])) && randomString(8).length === 8 && /^[0-9a-f]{8}-[0-9a-f]{4}-4/.test(uuidv4()) && findBetween('<b>x</b>', '<b>', '</b>') === 'x' });
}
