// refuse perfctl has no extensions of k6
import kafka from 'k6/x/kafka';
export default function () { kafka.produce(); }
