// The part of Papa Parse that scripts use: parse and unparse of text.
function guess(text) {
  const line = text.split(/\r\n|\n|\r/, 1)[0];
  let best = ',';
  let most = 0;
  for (const d of [',', '\t', '|', ';']) {
    const n = line.split(d).length;
    if (n > most) {
      most = n;
      best = d;
    }
  }
  return best;
}

function rowsOf(text, delimiter, quote, errors) {
  const rows = [];
  let row = [];
  let field = '';
  let at = 0;
  const end = text.length;
  // Where the next of each sign is that ends a field; a sign is looked for again only
  // when it was passed.
  const ends = [delimiter, '\n', '\r'].map((sign) => ({ sign, at: -1 }));
  const fieldEnd = () => {
    let nearest = end;
    for (const e of ends) {
      if (e.at < at) {
        const found = text.indexOf(e.sign, at);
        e.at = found < 0 ? end : found;
      }
      if (e.at < nearest) {
        nearest = e.at;
      }
    }
    return nearest;
  };
  for (;;) {
    if (text[at] === quote && field === '') {
      at++;
      for (;;) {
        const close = text.indexOf(quote, at);
        if (close < 0) {
          errors.push({ type: 'Quotes', code: 'MissingQuotes', message: 'Quoted field unterminated', row: rows.length });
          field += text.slice(at);
          at = end;
          break;
        }
        field += text.slice(at, close);
        if (text[close + 1] !== quote) {
          at = close + 1;
          break;
        }
        field += quote;
        at = close + 2;
      }
    }
    const stop = fieldEnd();
    field += text.slice(at, stop);
    at = stop;
    row.push(field);
    field = '';
    if (at >= end) {
      rows.push(row);
      return rows;
    }
    if (text.startsWith(delimiter, at)) {
      at += delimiter.length;
      continue;
    }
    at += text[at] === '\r' && text[at + 1] === '\n' ? 2 : 1;
    rows.push(row);
    row = [];
    if (at >= end) {
      rows.push(['']);
      return rows;
    }
  }
}

function typed(text) {
  if (text === 'true' || text === 'TRUE') {
    return true;
  }
  if (text === 'false' || text === 'FALSE') {
    return false;
  }
  if (text === '') {
    return null;
  }
  return /^\s*-?(\d+\.?|\.\d+|\d+\.\d+)([eE][-+]?\d+)?\s*$/.test(text) ? parseFloat(text) : text;
}

function parse(input, config = {}) {
  let text = String(input);
  if (text.charCodeAt(0) === 0xfeff) {
    text = text.slice(1);
  }
  const errors = [];
  const delimiter = config.delimiter || guess(text);
  let rows = text === '' ? [] : rowsOf(text, delimiter, config.quoteChar || '"', errors);
  if (config.comments) {
    const mark = config.comments === true ? '#' : config.comments;
    rows = rows.filter((r) => !r[0].startsWith(mark));
  }
  if (config.skipEmptyLines) {
    rows = rows.filter((r) => (config.skipEmptyLines === 'greedy' ? r.some((f) => f.trim() !== '') : r.length > 1 || r[0] !== ''));
  }
  const converts = config.transform || config.dynamicTyping;
  const convert = (value, key) => {
    if (!converts) {
      return value;
    }
    let out = config.transform ? config.transform(value, key) : value;
    const dynamic = typeof config.dynamicTyping === 'object' ? config.dynamicTyping[key] : config.dynamicTyping;
    if (dynamic && typeof out === 'string') {
      out = typed(out);
    }
    return out;
  };
  let fields;
  let data;
  if (config.header) {
    fields = (rows.shift() || []).map((f, i) => (config.transformHeader ? config.transformHeader(f, i) : f));
    data = rows.map((r, n) => {
      const item = {};
      fields.forEach((f, i) => {
        if (i < r.length) {
          item[f] = convert(r[i], f);
        }
      });
      if (r.length > fields.length) {
        item.__parsed_extra = r.slice(fields.length);
        errors.push({ type: 'FieldMismatch', code: 'TooManyFields', message: `Too many fields: expected ${fields.length} fields but parsed ${r.length}`, row: n });
      } else if (r.length < fields.length) {
        errors.push({ type: 'FieldMismatch', code: 'TooFewFields', message: `Too few fields: expected ${fields.length} fields but parsed ${r.length}`, row: n });
      }
      return item;
    });
  } else {
    data = rows.map((r) => r.map((v, i) => convert(v, i)));
  }
  if (config.preview) {
    data = data.slice(0, config.preview);
  }
  const result = { data, errors, meta: { delimiter, linebreak: text.includes('\r\n') ? '\r\n' : '\n', aborted: false, truncated: false, cursor: text.length } };
  if (fields) {
    result.meta.fields = fields;
  }
  if (config.step) {
    for (const item of data) {
      config.step({ data: item, errors: [], meta: result.meta }, { abort() {}, pause() {}, resume() {} });
    }
  }
  if (config.complete) {
    config.complete(result);
  }
  return result;
}

function unparse(input, config = {}) {
  const delimiter = config.delimiter || ',';
  const quoted = (v) => {
    const text = v === null || v === undefined ? '' : String(v);
    return config.quotes || text.includes(delimiter) || /["\r\n]|^\s|\s$/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  };
  const rows = input.data || input;
  const lines = [];
  let fields = input.fields || config.columns;
  if (!fields && rows.length > 0 && !Array.isArray(rows[0])) {
    fields = Object.keys(rows[0]);
  }
  if (fields && config.header !== false) {
    lines.push(fields.map(quoted).join(delimiter));
  }
  for (const r of rows) {
    lines.push((Array.isArray(r) ? r : fields.map((f) => r[f])).map(quoted).join(delimiter));
  }
  return lines.join(config.newline || '\r\n');
}

const Papa = { parse, unparse };
export { parse, unparse };
export default Papa;
