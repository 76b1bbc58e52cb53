// want 4 POST /items
// check drawn 4/4
import http from 'k6/http';
import { check, randomSeed } from 'k6';
import { randomIntBetween, randomItem, randomString, uuidv4, normalDistributionStages } from 'https://jslib.k6.io/k6-utils/1.2.0/index.js';
randomSeed(1234);
export const options = { stages: normalDistributionStages(3, 6, 3) };
export default function () {
  const items = ['a', 'b', 'c'];
  const order = { id: uuidv4(), n: randomIntBetween(1, 10), item: randomItem(items), note: randomString(12, 'abc') };
  check(order, { drawn: (o) => o.n >= 1 && o.n <= 10 && items.indexOf(o.item) >= 0 && /^[abc]{12}$/.test(o.note) && o.id.length === 36 });
  http.post(`${__ENV.BASE_URL}/items`);
}
