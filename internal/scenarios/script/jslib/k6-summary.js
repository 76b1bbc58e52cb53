// textSummary and jUnit of k6-summary, in perfctl's own words.
function figure(value, metric, unit) {
  if (value === undefined || value === null) {
    return '-';
  }
  if (metric.contains === 'time') {
    const scale = { s: 1000, ms: 1, us: 0.001 }[unit];
    if (scale) {
      return `${(value / scale).toFixed(2)}${unit}`;
    }
    if (value >= 60000) {
      return `${Math.floor(value / 60000)}m${((value % 60000) / 1000).toFixed(0)}s`;
    }
    if (value >= 1000) {
      return `${(value / 1000).toFixed(2)}s`;
    }
    return value >= 1 ? `${value.toFixed(2)}ms` : `${(value * 1000).toFixed(2)}µs`;
  }
  if (metric.contains === 'data') {
    const units = ['B', 'kB', 'MB', 'GB', 'TB'];
    let v = value;
    let i = 0;
    while (v >= 1000 && i < units.length - 1) {
      v /= 1000;
      i++;
    }
    return `${i === 0 ? v.toFixed(0) : v.toFixed(1)} ${units[i]}`;
  }
  return Number.isInteger(value) ? String(value) : value.toFixed(6).replace(/0+$/, '').replace(/\.$/, '');
}

function lineOf(metric, data, options) {
  const v = metric.values;
  const unit = options.summaryTimeUnit || (data.options && data.options.summaryTimeUnit);
  switch (metric.type) {
    case 'trend': {
      const stats = (data.options && data.options.summaryTrendStats) || ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)'];
      return stats.map((s) => `${s}=${s === 'count' ? v[s] : figure(v[s], metric, unit)}`).join(' ');
    }
    case 'counter':
      return `${figure(v.count, metric)}  ${figure(v.rate, metric)}/s`;
    case 'rate':
      return `${(v.rate * 100).toFixed(2)}%  ${v.passes} out of ${v.passes + v.fails}`;
    default:
      return `${figure(v.value, metric)}  min=${figure(v.min, metric)} max=${figure(v.max, metric)}`;
  }
}

function checksOf(group, indent, lines) {
  const pad = indent.repeat(lines.depth);
  for (const c of group.checks || []) {
    lines.push(`${pad}${c.fails === 0 ? '✓' : '✗'} ${c.name}`);
    if (c.fails > 0) {
      lines.push(`${pad} ↳  ${Math.floor((100 * c.passes) / (c.passes + c.fails))}% — ✓ ${c.passes} / ✗ ${c.fails}`);
    }
  }
  for (const g of group.groups || []) {
    lines.push('', `${pad}█ ${g.name}`, '');
    lines.depth++;
    checksOf(g, indent, lines);
    lines.depth--;
  }
}

export function textSummary(data, options = {}) {
  const indent = options.indent === undefined ? ' ' : options.indent;
  const lines = [];
  lines.depth = 1;
  if (data.root_group) {
    checksOf(data.root_group, '  ', lines);
    lines.push('');
  }
  const names = Object.keys(data.metrics).sort();
  const width = Math.max(...names.map((n) => n.length), 10) + 3;
  for (const name of names) {
    const m = data.metrics[name];
    let mark = ' ';
    if (m.thresholds) {
      mark = Object.keys(m.thresholds).every((t) => m.thresholds[t].ok) ? '✓' : '✗';
    }
    lines.push(`${mark} ${name}${'.'.repeat(width - name.length)}: ${lineOf(m, data, options)}`);
  }
  return lines.map((l) => indent + l).join('\n');
}

const escapes = { '<': '&lt;', '>': '&gt;', '&': '&amp;', "'": '&apos;', '"': '&quot;' };

export function humanizeValue(value, metric, timeUnit) {
  return figure(value, metric, timeUnit);
}

export function jUnit(data, options = {}) {
  const clean = (s) => s.replace(/[<>&'"]/g, (c) => escapes[c]);
  const cases = [];
  let failures = 0;
  for (const name of Object.keys(data.metrics)) {
    const thresholds = data.metrics[name].thresholds || {};
    for (const t of Object.keys(thresholds)) {
      const head = `<testcase name="${clean(name)} - ${clean(t)}"`;
      if (thresholds[t].ok) {
        cases.push(`${head} />`);
      } else {
        failures++;
        cases.push(`${head}><failure message="failed" /></testcase>`);
      }
    }
  }
  const title = clean(options.name || 'k6 thresholds');
  return `<?xml version="1.0"?>\n<testsuites tests="${cases.length}" failures="${failures}">\n<testsuite name="${title}" tests="${cases.length}" failures="${failures}">\n${cases.join('\n')}\n</testsuite>\n</testsuites>`;
}

export default { textSummary, jUnit, humanizeValue };
