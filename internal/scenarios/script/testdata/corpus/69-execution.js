// want 4 GET /vu
// check known 4/4
import http from 'k6/http';
import exec, { instance, scenario, test, vu } from 'k6/execution';
import { check } from 'k6';
export const options = { vus: 2, iterations: 4, tags: { run: 'nightly' } };
export default function () {
  vu.metrics.tags.mood = 'fine';
  http.get(`${__ENV.BASE_URL}/vu`);
  check(exec, {
    known: (e) => vu.idInTest >= 1 && vu.idInInstance === __VU && vu.iterationInInstance === __ITER && scenario.iterationInTest >= 0 && scenario.progress >= 0 &&
      scenario.startTime > 0 && instance.vusActive >= 1 && instance.vusInitialized >= 1 && instance.currentTestRunDuration >= 0 && instance.iterationsInterrupted === 0 &&
      test.options.vus === 2 && e.vu.metrics.tags.run === 'nightly' && e.vu.tags.mood === 'fine' && test.options.scenarios.default.executor === 'shared-iterations',
  });
}
