// FormData: a multipart body built by hand, in perfctl's own words.
function bytesOf(data) {
  if (typeof data === 'string') {
    return new TextEncoder().encode(data);
  }
  return new Uint8Array(data.buffer || data);
}

export class FormData {
  constructor() {
    this.parts = [];
    this.boundary = '----perfctl';
    for (let i = 0; i < 24; i++) {
      this.boundary += Math.floor(Math.random() * 36).toString(36);
    }
  }

  append(name, value, filename) {
    if (value && value.data !== undefined) {
      this.parts.push({ name, data: value.data, filename: filename || value.filename, type: value.content_type });
    } else {
      this.parts.push({ name, data: typeof value === 'object' && !ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer) ? String(value) : (value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? value : String(value)), filename });
    }
  }

  body() {
    const chunks = [];
    for (const p of this.parts) {
      let head = `--${this.boundary}\r\nContent-Disposition: form-data; name="${p.name}"`;
      if (p.filename !== undefined) {
        head += `; filename="${p.filename}"`;
      }
      head += '\r\n';
      if (p.type || p.filename !== undefined) {
        head += `Content-Type: ${p.type || 'application/octet-stream'}\r\n`;
      }
      chunks.push(bytesOf(`${head}\r\n`), bytesOf(p.data), bytesOf('\r\n'));
    }
    chunks.push(bytesOf(`--${this.boundary}--\r\n`));
    const whole = new Uint8Array(chunks.reduce((n, c) => n + c.length, 0));
    let at = 0;
    for (const c of chunks) {
      whole.set(c, at);
      at += c.length;
    }
    return whole.buffer;
  }
}
