// want 4 POST /orders Content-Type=application/json X-Test=a {"id":1,"name":"x"}
// want 4 POST /form Content-Type=application/x-www-form-urlencoded a=1&b=x+y&list=1&list=2
// check created 4/4
import http from 'k6/http';
import type { RefinedResponse } from 'k6/http';
import { check } from 'k6';

interface Order { id: number; name: string }

export let options = { iterations: 4, vus: 2 };

const send = (o: Order): any => http.post(`${__ENV.BASE_URL}/orders`, JSON.stringify(o), { headers: { 'Content-Type': 'application/json', 'X-Test': 'a' } });

export default (): void => {
  const r = send({ id: 1, name: 'x' });
  check(r, { created: (x: any) => x.status == 200 && x.json().items?.[0]?.id === 1 });
  http.post(`${__ENV.BASE_URL}/form`, { b: 'x y', a: 1, list: [1, 2] });
};
