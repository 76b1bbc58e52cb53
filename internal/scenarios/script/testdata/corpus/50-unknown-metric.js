// refuse my_typo
import { Counter } from 'k6/metrics';
const c = new Counter('orders');
export const options = { thresholds: { 'my_typo{a:b}': ['count>1'] } };
export default function () { c.add(1); }
