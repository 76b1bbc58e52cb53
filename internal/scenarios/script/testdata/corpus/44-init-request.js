// refuse a request is not possible outside functions
import http from 'k6/http';
http.get('http://localhost:1/');
export default function () {}
