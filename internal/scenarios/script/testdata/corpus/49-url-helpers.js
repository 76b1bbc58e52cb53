// want 4 GET /q?term=a+b&page=2
import http from 'k6/http';
import { URL, URLSearchParams } from 'https://jslib.k6.io/url/1.0.0/index.js';
export default function () { const u = new URL(`${__ENV.BASE_URL}/q`); u.searchParams.append('term', 'a b'); u.searchParams.append('page', '2'); http.get(u.toString()); return new URLSearchParams('a=1').get('a'); }
