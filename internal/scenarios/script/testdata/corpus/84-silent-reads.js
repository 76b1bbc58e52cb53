// want 4 GET /r
// log 84-silent-reads.js:13
// log a script reads dns of timings, which has no such property
// log a script reads iteration of exec.scenario, which has no such property
// log did you mean idInTest
// log a script reads methd of request
// log did you mean status_text
// log 84-silent-reads.js:17
import http from 'k6/http';
import exec from 'k6/execution';
export const options = {
  vus: 1, iterations: 1,
  noConectionReuse: true,
};
export default function () {
  const r = http.get(`${__ENV.BASE_URL}/r`);
  let n = r.timings.dns ? 1 : 0;
  n += exec.scenario.iteration ? 1 : 0;
  n += exec.vu.idInTests ? 1 : 0;
  n += r.request.methd ? 1 : 0;
  n += r.statusTxt ? 1 : 0;
  return n;
}
