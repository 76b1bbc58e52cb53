// want 4 GET /p
// log a request has the parameter headrs, which does nothing; did you mean headers?
// log a script reads statusCode of a response, which has no such property
// log options.discardResponseBody: is no option and does nothing; did you mean
import http from 'k6/http';
export const options = { discardResponseBody: true };
export default function () { const r = http.get(`${__ENV.BASE_URL}/p`, { headrs: {} }); if (r.statusCode === 1) { throw new Error('x'); } }
