// refuse the module "k6" has no "slep" here; did you mean "sleep"?
import { slep } from 'k6';
export default function () { slep(1); }
