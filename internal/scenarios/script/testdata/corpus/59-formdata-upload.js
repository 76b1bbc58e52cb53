// want 4 POST /upload Content-Type=multipart/form-data; boundary=B --B|Content-Disposition: form-data; name="aBinaryFile"; filename="logo.bin"|Content-Type: image/png||data|--B|Content-Disposition: form-data; name="aTextField"||hello|--B|Content-Disposition: form-data; name="aTextFile"; filename="text.txt"|Content-Type: text/plain||plain text|--B--|
// check stored 4/4
import http from 'k6/http';
import { check } from 'k6';
import { FormData } from 'https://jslib.k6.io/formdata/0.0.2/index.js';

const binary = open('./data.txt', 'b');
const text = 'plain text';

export default function () {
  const fd = new FormData();
  fd.append('aBinaryFile', { data: new Uint8Array(binary).buffer, filename: 'logo.bin', content_type: 'image/png' });
  fd.append('aTextField', 'hello');
  fd.append('aTextFile', http.file(text, 'text.txt', 'text/plain'));
  const res = http.post(`${__ENV.BASE_URL}/upload`, fd.body(), { headers: { 'Content-Type': 'multipart/form-data; boundary=' + fd.boundary } });
  check(res, { stored: (r) => r.status === 200 });
}
