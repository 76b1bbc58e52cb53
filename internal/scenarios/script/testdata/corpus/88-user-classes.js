// want 4 GET /p/1
// want 4 GET /p/2
// check state 4/4
import http from 'k6/http';
import { check } from 'k6';
class Page { constructor(n) { this.n = n; } open() { return http.get(`${__ENV.BASE_URL}/p/${this.n}`); } get label() { return `p${this.n}`; } static of(...n) { return n.map((x) => new Page(x)); } }
const counts = new Map();
let visits = 0;
function* pages() { yield* Page.of(1, 2); }
export let options = { vus: 2, iterations: 4 };
export default function () {
  for (const p of pages()) { p.open(); counts.set(p.label, (counts.get(p.label) ?? 0) + 1); }
  visits += 1;
  const { p1, ...rest } = Object.fromEntries(counts.entries());
  check(null, { state: () => p1 === visits && rest.p2 === visits && [3, 1, 2].sort((a, b) => a - b).join() === '1,2,3' && 'abc'.at(-1) === 'c' && [1, [2, [3]]].flat(2).length === 3 && Object.entries(rest).length === 1 && `${1_000}` === '1000' && /(?<y>\d{4})/.exec('in 2026').groups.y === '2026' });
}
