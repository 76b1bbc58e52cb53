// want 4 GET /csv/a%20b/2
import http from 'k6/http';
import papaparse from 'https://jslib.k6.io/papaparse/5.1.1/index.js';
import { SharedArray } from 'k6/data';
const rows = new SharedArray('csv', function () { return papaparse.parse(open('./rows.csv'), { header: true, skipEmptyLines: true, dynamicTyping: true }).data; });
export default function () { const r = rows[0]; http.get(`${__ENV.BASE_URL}/csv/${encodeURIComponent(r.name)}/${r.n + 1}`); }
