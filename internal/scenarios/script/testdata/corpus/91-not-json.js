// want 4 GET /page
// fails cannot parse json: SyntaxError: 
// fails the body begins "<html>
// fails 91-not-json.js:8
import http from 'k6/http';
export default function () {
  const res = http.get(`${__ENV.BASE_URL}/page`);
  res.json();
}
