// want 4 GET /home
// want 4 GET /cart?step=1
// want 4 GET /cart?step=2
// check home is up 4/4
// check cart is up 8/8
import http from 'k6/http';
import { group, check } from 'k6';

export const options = {
  thresholds: {
    'group_duration{group:::shop}': ['avg < 2000'],
    'group_duration{group:::shop::cart}': ['avg < 1000', 'max<10000'],
    'http_req_duration{group:::shop::cart}': ['p(95)<1000'],
    'http_reqs{kind:cart,step:1}': ['count==4'],
    'checks{check:home is up}': ['rate==1'],
  },
};

export default function () {
  group('shop', () => {
    check(http.get(`${__ENV.BASE_URL}/home`), { 'home is up': (r) => r.status === 200 });
    const total = group('cart', function () {
      let sum = 0;
      for (const step of [1, 2]) {
        const r = http.get(`${__ENV.BASE_URL}/cart?step=${step}`, { tags: { kind: 'cart', step } });
        check(r, { 'cart is up': (x) => x.status == 200 });
        sum += r.json('items.#');
      }
      return sum;
    });
    if (total !== 4) { throw new Error(`the group returned ${total}`); }
  });
}
