// want 1 POST /login Content-Type=application/json {"email":"ada@x.test","name":"Ada, \"the\" first"}
// want 2 POST /login Content-Type=application/json {"email":"bob@x.test","name":"Bob"}
// want 1 POST /login Content-Type=application/json {"email":"eve@x.test","name":""}
import http from 'k6/http';
import { SharedArray } from 'k6/data';
import { scenario } from 'k6/execution';
import papaparse from 'https://jslib.k6.io/papaparse/5.1.1/index.js';

const people = new SharedArray('people', function () {
  return papaparse.parse(open('./people.csv'), { header: true, skipEmptyLines: true }).data;
});

export const options = { scenarios: { login: { executor: 'shared-iterations', vus: 2, iterations: people.length + 1, maxDuration: '1m' } } };

export default function () {
  const picks = [0, 1, 2, 1];
  const person = people[picks[scenario.iterationInTest % picks.length]];
  http.post(`${__ENV.BASE_URL}/login`, JSON.stringify({ email: person.email, name: person.name }), { headers: { 'Content-Type': 'application/json' } });
}
