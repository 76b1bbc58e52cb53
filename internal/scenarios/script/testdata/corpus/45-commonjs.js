// want 4 GET /cjs
const http = require('k6/http');
const { check } = require('k6');
module.exports.options = { vus: 1, iterations: 4 };
module.exports.default = function () { check(http.get(`${__ENV.BASE_URL}/cjs`), { ok: (r) => r.status === 200 }); };
