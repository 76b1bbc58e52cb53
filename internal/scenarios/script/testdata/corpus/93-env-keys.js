// env FLAVOUR=sweet
// check all names 4/4
// check own first 4/4
// check gone 4/4
import { check } from 'k6';

export const options = { scenarios: { one: { executor: 'per-vu-iterations', env: { ONLY_HERE: 'yes' } } } };
const before = Object.keys(__ENV);
export default function () {
  __ENV.MINE = 'x';
  const names = Object.keys(__ENV);
  check(null, {
    'all names': () => before.includes('FLAVOUR') && before.includes('BASE_URL') && names.includes('ONLY_HERE') && names.includes('MINE') && 'FLAVOUR' in __ENV &&
      Object.entries(__ENV).some(([k, v]) => k === 'FLAVOUR' && v === 'sweet') && { ...__ENV }.FLAVOUR === 'sweet' && JSON.parse(JSON.stringify(__ENV)).FLAVOUR === 'sweet',
    'own first': () => __ENV.MINE === 'x' && __ENV.NOWHERE === undefined && !('NOWHERE' in __ENV),
    'gone': () => { delete __ENV.FLAVOUR; const left = __ENV.FLAVOUR; const listed = Object.keys(__ENV).includes('FLAVOUR'); __ENV.FLAVOUR = 'sweet'; return left === undefined && !listed && __ENV.FLAVOUR === 'sweet'; },
  });
}
