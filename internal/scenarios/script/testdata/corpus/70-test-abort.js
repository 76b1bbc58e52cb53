// want 1 GET /health
// fails the service is down
import http from 'k6/http';
import exec from 'k6/execution';
export default function () {
  if (exec.scenario.iterationInTest === 0) {
    http.get(`${__ENV.BASE_URL}/health`);
  }
  exec.test.abort('the service is down');
}
