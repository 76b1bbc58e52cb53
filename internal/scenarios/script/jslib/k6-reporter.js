// htmlReport of k6-reporter, in perfctl's own words and look.
const escapes = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' };
const clean = (s) => String(s).replace(/[<>&"]/g, (c) => escapes[c]);

function cell(v) {
  if (typeof v !== 'number') {
    return clean(v);
  }
  return Number.isInteger(v) ? String(v) : v.toFixed(2);
}

function checksOf(group, rows) {
  for (const c of group.checks || []) {
    const bad = c.fails > 0 ? ' class="bad"' : '';
    rows.push(`<tr${bad}><td>${clean(group.path || '')} ${clean(c.name)}</td><td>${c.passes}</td><td>${c.fails}</td></tr>`);
  }
  for (const g of group.groups || []) {
    checksOf(g, rows);
  }
}

export function htmlReport(data, options = {}) {
  const title = clean(options.title || 'Load test');
  const rows = [];
  let missed = 0;
  for (const name of Object.keys(data.metrics).sort()) {
    const m = data.metrics[name];
    const values = Object.keys(m.values).map((k) => `${clean(k)} ${cell(m.values[k])}`).join(' · ');
    const rules = Object.keys(m.thresholds || {}).map((t) => {
      missed += m.thresholds[t].ok ? 0 : 1;
      return `${m.thresholds[t].ok ? '✓' : '✗'} ${clean(t)}`;
    });
    const bad = rules.some((r) => r[0] === '✗') ? ' class="bad"' : '';
    rows.push(`<tr${bad}><td>${clean(name)}</td><td>${values}</td><td>${rules.join('<br>')}</td></tr>`);
  }
  const checks = [];
  if (data.root_group) {
    checksOf(data.root_group, checks);
  }
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title><style>body{font:15px sans-serif;margin:2rem}`
    + `table{border-collapse:collapse;margin:1rem 0}td,th{border:1px solid #ccc;padding:.3rem .6rem;text-align:left}.bad{background:#fdd}</style></head>`
    + `<body><h1>${title}</h1><p>${missed} thresholds missed</p><table><tr><th>metric</th><th>values</th><th>thresholds</th></tr>${rows.join('')}</table>`
    + `<table><tr><th>check</th><th>passed</th><th>failed</th></tr>${checks.join('')}</table></body></html>`;
}

export default { htmlReport };
