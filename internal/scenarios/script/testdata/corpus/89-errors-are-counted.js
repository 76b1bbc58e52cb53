// want 2 GET /before
// fails TypeError: Cannot read property 'x' of undefined
// fails 89-errors-are-counted.js:10
import http from 'k6/http';
import exec from 'k6/execution';
export default function () {
  if (exec.scenario.iterationInTest % 2 === 0) {
    http.get(`${__ENV.BASE_URL}/before`);
  } else {
    return exec.nothing.x;
  }
}
