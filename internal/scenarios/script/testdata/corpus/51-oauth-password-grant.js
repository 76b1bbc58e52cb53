// want 1 POST /oauth/token Authorization=Basic YXBwOnMzY3JldA== Content-Type=application/x-www-form-urlencoded grant_type=password&password=pw&username=ada
// want 4 GET /me Authorization=Bearer tok-1 X-Test=json
// check profile has an id 4/4
import http from 'k6/http';
import encoding from 'k6/encoding';
import { check, sleep } from 'k6';

const BASE_URL = __ENV.BASE_URL;

export const options = {
  stages: [{ duration: '5s', target: 2 }, { duration: '5s', target: 0 }],
  thresholds: { http_req_failed: ['rate<0.01'], 'http_req_duration{name:Profile}': ['p(95)<500', 'p(99)<1500'] },
};

function authenticate() {
  const credentials = encoding.b64encode(`${'app'}:${'s3cret'}`);
  const response = http.post(`${BASE_URL}/oauth/token`, { grant_type: 'password', username: 'ada', password: 'pw' }, {
    headers: { Authorization: `Basic ${credentials}` }, tags: { name: 'Token' },
  });
  return response.json();
}

export function setup() { return authenticate(); }

export default function (auth) {
  const params = { headers: { Authorization: `${auth.token_type} ${auth.access_token}`, 'X-Test': 'json' }, tags: { name: 'Profile' } };
  const res = http.get(`${BASE_URL}/me`, params);
  check(res, { 'profile has an id': (r) => r.status === 200 && r.json('items.0.id') === 1 }, { my: 'tag' });
  sleep(0.001);
}
