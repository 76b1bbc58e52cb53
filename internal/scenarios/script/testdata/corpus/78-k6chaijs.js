// want 4 GET /crocodiles
// check response status is 200 4/4
// check has valid json body 4/4
import http from 'k6/http';
import { describe, expect } from 'https://jslib.k6.io/k6chaijs/4.3.4.3/index.js';
export const options = { thresholds: { checks: [{ threshold: 'rate == 1.00' }], http_req_failed: [{ threshold: 'rate == 0.00' }] }, vus: 1, iterations: 1 };
export default function testSuite() {
  describe('crocodiles', () => {
    const response = http.get(`${__ENV.BASE_URL}/crocodiles`);
    expect(response.status, 'response status').to.equal(200);
    expect(response).to.have.validJsonBody();
    expect(response.json('items'), 'items').to.be.an('array');
    expect(response.json().items.length, 'number of them').to.be.above(1);
    expect(response.json('items.0'), 'first').to.have.property('id', 1);
    expect(response.json('items.#.id'), 'ids').to.include(2);
    expect({ a: [1] }, 'object').to.deep.equal({ a: [1] });
    expect('x', 'text').to.not.equal('y');
  });
}
