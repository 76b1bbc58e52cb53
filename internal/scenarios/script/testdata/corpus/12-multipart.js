// want 4 POST /upload Content-Type=multipart/form-data; boundary=B --B|Content-Disposition: form-data; name="title"||t|--B|Content-Disposition: form-data; name="f"; filename="a.txt"|Content-Type: text/plain||data|--B--|
import http from 'k6/http';
const file = open('./data.txt');
export default function () {
  http.post(`${__ENV.BASE_URL}/upload`, { title: 't', f: http.file(file, 'a.txt', 'text/plain') });
}
