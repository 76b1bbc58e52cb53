'use strict';
// Draws the charts of the report from its data. All text goes in as text nodes;
// nothing is loaded and nothing is evaluated.
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const svgNS = 'http://www.w3.org/2000/svg';
  const root = document.documentElement;

  // Theme: the system's, until the reader chooses.
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const setTheme = t => { root.dataset.theme = t; redraw(); };
  document.getElementById('theme').addEventListener('click', () => setTheme(root.dataset.theme === 'dark' ? 'light' : 'dark'));
  dark.addEventListener('change', () => setTheme(dark.matches ? 'dark' : 'light'));

  const el = (name, attrs, ...kids) => {
    const e = svgKind.has(name) ? document.createElementNS(svgNS, name) : document.createElement(name);
    for (const k in attrs) if (attrs[k] !== undefined) e.setAttribute(k, attrs[k]);
    e.append(...kids);
    return e;
  };
  const svgKind = new Set(['svg', 'path', 'line', 'rect', 'text', 'g']);

  // What all charts over time share.
  const end = Math.max(data.end, data.t.length * data.bin, data.bin);
  const state = { from: 0, to: end, cursor: null };
  const timeCharts = [];
  const redraw = () => { for (const c of timeCharts) c.draw(); others.forEach(f => f()); };
  const others = [];

  const clock = s => {
    const sec = Math.round(s * 10) / 10;
    if (sec < 60) return sec + 's';
    const h = Math.floor(sec / 3600), m = Math.floor(sec % 3600 / 60), r = Math.round(sec % 60);
    return (h ? h + ':' + String(m).padStart(2, '0') : m) + ':' + String(r).padStart(2, '0');
  };
  const show = (v, unit) => {
    if (v === null || v === undefined) return '–';
    const n = (x, d = 3) => Math.abs(x) >= 1000 ? Math.round(x).toLocaleString('en') : String(+x.toPrecision(d));
    switch (unit) {
      case 'ms': return v === 0 ? '0s' : v >= 1000 ? n(v / 1000) + 's' : v >= 1 ? n(v) + 'ms' : n(v * 1000) + 'µs';
      case 's': return show(v * 1e3, 'ms');
      case 'bytes': for (const [f, u] of [[1e9, ' GB'], [1e6, ' MB'], [1e3, ' kB']]) if (Math.abs(v) >= f) return n(v / f) + u; return n(v) + ' B';
      case 'bytes/s': return show(v, 'bytes') + '/s';
      case 'ratio': return n(v * 100) + '%';
      case 'percent': return n(v) + '%';
      case '1/s': return n(v) + '/s';
    }
    return n(v);
  };

  // Ticks at 1, 2 or 5 times a power of ten; for time, at whole seconds, minutes, hours.
  const nice = (low, high, most) => {
    const raw = (high - low) / most || 1, p = Math.pow(10, Math.floor(Math.log10(raw)));
    const step = [1, 2, 5, 10].map(f => f * p).find(s => s >= raw);
    const out = [];
    for (let v = Math.ceil(low / step) * step; v <= high + step / 1e6; v += step) out.push(+v.toPrecision(12));
    return out;
  };
  const timeTicks = (low, high, most) => {
    const step = [.1, .2, .5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400].find(s => (high - low) / s <= most) || 172800;
    const out = [];
    for (let v = Math.ceil(low / step) * step; v <= high; v += step) out.push(v);
    return out;
  };
  const logTicks = (low, high, most = 7) => {
    const out = [];
    for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++) for (const f of [1, 2, 5]) out.push(f * Math.pow(10, e));
    const inside = out.filter(v => v >= low && v <= high);
    if (inside.length < 3) return nice(low, high, Math.min(4, most)).filter(v => v >= low); // less than a decade
    if (inside.length <= most) return inside;
    const tens = inside.filter(v => Math.abs(Math.log10(v) - Math.round(Math.log10(v))) < 1e-9), every = Math.ceil(tens.length / most);
    return tens.length < 2 ? inside.filter((v, i) => i % Math.ceil(inside.length / most) === 0) : tens.filter((v, i) => (tens.length - 1 - i) % every === 0);
  };

  // Where a text of the time axis is held, so that neither end is cut off.
  const held = (px, width, text) => px + 3.5 * text.length > width ? 'end' : px < 3.5 * text.length ? 'start' : 'middle';

  const caption = (title, unit, help) => {
    const legend = el('ul', { class: 'legend' });
    // A narrow screen breaks a name where one of its words ends.
    const b = el('b', { title: help }, ...title.split(/(?<=[_{,:])/).flatMap((part, i) => i ? [document.createElement('wbr'), part] : [part]));
    return [el('figcaption', {}, el('span', {}, b, ' ', el('span', { class: 'unit' }, unit)), legend), legend];
  };
  const unitName = { ms: 'time', '1/s': 'per second', bytes: 'bytes', 'bytes/s': 'bytes per second', ratio: 'share', percent: 'percent', s: 'time', count: 'number' };

  // The same figures as a table, made when somebody opens it.
  const dataTable = (head, rows) => {
    const d = el('details', { class: 'data' }, el('summary', {}, 'Figures'));
    d.addEventListener('toggle', () => {
      if (!d.open || d.querySelector('table')) return;
      d.append(el('div', { class: 'scroll tall' }, el('table', {},
        el('thead', {}, el('tr', {}, ...head.map(h => el('th', { class: 'n' }, h)))),
        el('tbody', {}, ...rows().map(r => el('tr', {}, ...r.map(c => el('td', { class: 'n' }, c))))))));
    });
    return d;
  };

  const M = { left: 58, right: 10, top: 14, bottom: 20 };

  // A percentile has the same colour in every chart, whichever are told there.
  const hue = (s, i) => { const k = ['p50', 'p95', 'p99', 'max'].indexOf(s.name); return (k < 0 ? i : k) % 8; };

  function timeChart(figure, panel, height) {
    const [cap, legend] = caption(panel.title, [panel.log && panel.unit === 'ms' ? '' : unitName[panel.unit] ?? panel.unit, panel.log ? 'log axis' : ''].filter(Boolean).join(', '), panel.help);
    const svg = el('svg', { role: 'img', tabindex: '0', height, 'aria-label': panel.title + ' over time. ' + panel.help });
    const hidden = new Set(), outputs = [], limits = panel.limits || [];
    // One line that is named as its chart needs no name.
    const alone = panel.series.length === 1 && panel.series[0].name === panel.title;
    panel.series.forEach((s, i) => {
      const out = el('output', {}), b = el('button', { type: 'button', 'aria-pressed': 'true' }, ...(alone ? [] : [el('i', { class: 's' + hue(s, i) }), s.name]), out);
      b.addEventListener('click', () => {
        hidden.has(i) ? hidden.delete(i) : hidden.add(i);
        b.setAttribute('aria-pressed', String(!hidden.has(i)));
        chart.draw();
      });
      outputs.push(out);
      legend.append(el('li', {}, b));
    });
    figure.append(cap);
    if (panel.note) figure.append(el('p', { class: 'missed' }, '✗ missed: ' + panel.note));
    if (panel.help && (panel.note || height > 112)) figure.append(el('p', { class: 'help' }, panel.help));
    if (panel.untold) figure.append(el('p', { class: 'help' }, panel.untold));
    figure.append(svg, dataTable(['time', ...panel.series.flatMap(s => s.base ? [s.name, 'baseline'] : [s.name])],
      () => data.t.map((t, i) => [clock(t), ...panel.series.flatMap(s => (s.base ? [s.values[i], s.base[i]] : [s.values[i]]).map(v => show(v, panel.unit)))])));

    let width = 0, down = null;
    const x = t => M.left + (t - state.from) / (state.to - state.from) * (width - M.left - M.right);
    const timeAt = px => Math.min(Math.max(state.from + (px - M.left) / (width - M.left - M.right) * (state.to - state.from), state.from), state.to);
    const mid = i => Math.min(data.t[i] + data.bin / 2, end);

    const range = () => {
      let low = Infinity, high = -Infinity;
      panel.series.forEach((s, k) => {
        if (hidden.has(k)) return;
        for (const values of [s.values, s.base || []]) values.forEach((v, i) => {
          if (v === null || mid(i) < state.from || mid(i) > state.to || panel.log && v <= 0) return;
          low = Math.min(low, v); high = Math.max(high, v);
        });
      });
      if (high === -Infinity) return null;
      if (panel.log) {
        const reach = panel.note ? 1000 : 30; // the target that was missed is worth the room
        for (const l of limits) if (l.value > 0 && l.value < high * reach && l.value > low / reach) { high = Math.max(high, l.value * 1.2); low = Math.min(low, l.value); }
        return [low / 1.25, high * 1.25];
      }
      for (const l of limits) if (l.value < high * 4 || high <= 0) high = Math.max(high, l.value);
      low = Math.min(low, 0);
      return [low, high === low ? low + 1 : high + (high - low) * .06];
    };

    const chart = {
      draw() {
        width = svg.clientWidth || figure.clientWidth - 24;
        if (width <= 0) return;
        svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
        svg.replaceChildren();
        const bottom = height - M.bottom, r = range();
        data.stages.forEach((s, i) => {
          const a = Math.max(s.from, state.from), b = Math.min(s.to, state.to);
          if (b <= a) return;
          svg.append(el('rect', { class: 'stage' + (i % 2 ? ' alt' : ''), x: x(a), y: M.top, width: x(b) - x(a), height: bottom - M.top }));
          if (height > 120 && x(b) - x(a) > 6.2 * s.name.length) svg.append(el('text', { class: 'stage-name', x: x(a) + 3, y: M.top - 4 }, s.name));
        });
        for (const f of data.faults) {
          const a = Math.max(f.from, state.from), b = Math.min(f.to, state.to);
          if (b <= a) continue;
          const band = el('rect', { class: 'fault', x: x(a), y: M.top, width: Math.max(x(b) - x(a), 2), height: bottom - M.top });
          band.append(el('title', {}, 'broken on purpose: ' + f.title));
          svg.append(band);
        }
        for (const f of data.marks) {
          const a = Math.max(f.from, state.from), b = Math.min(f.to, state.to);
          if (b > a) svg.append(el('rect', { class: 'flag', x: x(a), y: bottom - 4, width: Math.max(x(b) - x(a), 2), height: 4 }));
        }
        for (const t of timeTicks(state.from, state.to, width / 90)) svg.append(el('text', { class: 'tick', x: x(t), y: height - 5, 'text-anchor': held(x(t), width, clock(t)) }, clock(t)));
        if (!r) { svg.append(el('text', { x: width / 2, y: height / 2, 'text-anchor': 'middle' }, 'nothing recorded here')); chart.cursor(); return; }
        const f = panel.log ? Math.log10 : v => v;
        const y = v => bottom - (f(v) - f(r[0])) / (f(r[1]) - f(r[0])) * (bottom - M.top);
        for (const v of panel.log ? logTicks(...r, Math.max(height / 28, 2)) : nice(r[0], r[1], height / 42)) {
          svg.append(el('line', { class: 'grid', x1: M.left, x2: width - M.right, y1: y(v), y2: y(v) }),
            el('text', { x: M.left - 6, y: y(v) + 4, 'text-anchor': 'end' }, show(v, panel.unit)));
        }
        const mine = limits.filter(l => l.value >= r[0] && l.value <= r[1]).sort((a, b) => a.value - b.value);
        for (const l of mine) svg.append(el('line', { class: 'limit', x1: M.left, x2: width - M.right, y1: y(l.value), y2: y(l.value) }));
        // The baseline first, so that it is behind.
        panel.series.forEach((s, k) => {
          if (hidden.has(k) || !s.base) return;
          let d = '', open = false;
          s.base.forEach((v, i) => {
            if (v === null || panel.log && v <= 0) { open = false; return; }
            if (mid(i) < state.from - data.bin || mid(i) > state.to + data.bin) return;
            d += (open ? 'L' : 'M') + x(mid(i)).toFixed(1) + ' ' + y(v).toFixed(1);
            open = true;
          });
          svg.append(el('path', { class: `line base s${hue(s, k)}`, d, fill: 'none' }));
        });
        panel.series.forEach((s, k) => {
          if (hidden.has(k)) return;
          let d = '', open = false, first = 0, last = 0, lone = [];
          const close = () => { if (open && s.style === 'area') d += `L${last} ${bottom}L${first} ${bottom}Z`; if (open && first === last) lone.push([first, d]); open = false; };
          s.values.forEach((v, i) => {
            if (v === null || panel.log && v <= 0) return close();
            if (mid(i) < state.from - data.bin || mid(i) > state.to + data.bin) return;
            const px = +x(mid(i)).toFixed(1), py = +y(v).toFixed(1);
            d += (open ? 'L' : 'M') + px + ' ' + py;
            if (!open) { first = px; d += `l.01 0`; }
            open = true; last = px;
          });
          close();
          svg.append(el('path', { class: `${s.style === 'area' ? 'area' : 'line'} ${s.style || ''} s${hue(s, k)}`, d, fill: s.style === 'area' ? undefined : 'none', 'stroke-linecap': 'round' }));
        });
        for (const p of svg.querySelectorAll('path.line')) p.style.fill = 'none';
        // The limits' names stand over all lines, each at its own, and beside that of a
        // limit that is so near that they would be written over one another.
        let taken = [];
        for (const l of mine) {
          const at = y(l.value) < M.top + 12 ? y(l.value) + 12 : y(l.value) - 3, near = taken.filter(t => Math.abs(t.at - at) < 12);
          const name = el('text', { class: 'limit-name', x: Math.min(width - M.right - 2, ...near.map(t => t.left - 8)), y: at, 'text-anchor': 'end' }, l.name);
          svg.append(name);
          taken.push({ at, left: +name.getAttribute('x') - (name.getComputedTextLength() || 6.2 * l.name.length) });
        }
        chart.cursor();
      },
      // The cursor and the figures under it move without drawing the rest anew.
      cursor() {
        svg.querySelectorAll('.cursor').forEach(e => e.remove());
        const i = state.cursor;
        panel.series.forEach((s, k) => { outputs[k].textContent = i === null ? '' : show(s.values[i], panel.unit) + (s.base && s.base[i] !== null ? ' (' + show(s.base[i], panel.unit) + ')' : ''); });
        if (i === null || mid(i) < state.from || mid(i) > state.to) return;
        svg.append(el('line', { class: 'cursor', x1: x(mid(i)), x2: x(mid(i)), y1: M.top, y2: height - M.bottom }),
          el('text', { class: 'cursor', x: Math.min(x(mid(i)) + 4, width - 46), y: M.top + 10 }, clock(data.t[i])));
      },
    };

    const place = e => e.clientX - svg.getBoundingClientRect().left;
    svg.addEventListener('pointermove', e => {
      setCursor(Math.floor(timeAt(place(e)) / data.bin));
      if (down === null) return;
      svg.querySelectorAll('.brush').forEach(b => b.remove());
      svg.append(el('rect', { class: 'brush', x: Math.min(down, place(e)), y: M.top, width: Math.abs(place(e) - down), height: height - M.top - M.bottom }));
    });
    svg.addEventListener('pointerleave', () => { if (down === null) setCursor(null); });
    svg.addEventListener('pointerdown', e => { if (e.button === 0 && e.pointerType !== 'touch') { down = place(e); svg.setPointerCapture(e.pointerId); } });
    svg.addEventListener('pointerup', e => {
      if (down === null) return;
      const a = timeAt(Math.min(down, place(e))), b = timeAt(Math.max(down, place(e)));
      const moved = Math.abs(place(e) - down);
      down = null;
      moved > 5 ? zoom(a, b) : chart.draw();
    });
    svg.addEventListener('dblclick', () => zoom(0, end));
    svg.addEventListener('keydown', e => {
      const at = state.cursor ?? Math.floor(state.from / data.bin), span = state.to - state.from;
      const centre = state.cursor === null ? state.from + span / 2 : mid(state.cursor);
      switch (e.key) {
        case 'ArrowRight': case 'ArrowLeft': {
          const next = Math.min(Math.max(at + (e.key === 'ArrowRight' ? 1 : -1) * (e.shiftKey ? 10 : 1), 0), data.t.length - 1);
          setCursor(next);
          document.getElementById('said').textContent = clock(data.t[next]) + ': ' + panel.series.map(s => s.name + ' ' + show(s.values[next], panel.unit)).join(', ');
          break;
        }
        case '+': case '=': zoom(centre - span / 4, centre + span / 4); break;
        case '-': zoom(centre - span, centre + span); break;
        case '0': case 'Escape': zoom(0, end); break;
        default: return;
      }
      e.preventDefault();
    });
    timeCharts.push(chart);
  }

  const setCursor = i => {
    i = i === null || i < 0 || i >= data.t.length ? null : i;
    if (i === state.cursor) return;
    state.cursor = i;
    for (const c of timeCharts) c.cursor();
  };
  const zoom = (from, to) => {
    from = Math.max(from, 0); to = Math.min(to, end);
    const least = Math.min(4 * data.bin, end);
    if (to - from < least) { const m = (from + to) / 2; from = Math.max(Math.min(m - least / 2, end - least), 0); to = from + least; }
    state.from = from; state.to = to;
    redraw();
  };

  // The percentile spectrum: how long the slowest of so many took.
  function spectrum(figure) {
    const height = 260, [cap, legend] = caption('Percentile spectrum', 'response time by percentile, log axes', 'how long the fastest so many percent took, by stage');
    const svg = el('svg', { role: 'img', height, 'aria-label': 'Response time by percentile and stage' });
    figure.append(cap, svg, dataTable(['stage', 'percentile', 'response time'],
      () => data.curves.flatMap(c => c.points.map(p => [c.name, +((1 - 1 / p[0]) * 100).toPrecision(7) + '%', show(p[1], 'ms')]))));
    data.curves.forEach((c, i) => legend.append(el('li', {}, el('span', {}, el('i', { class: 's' + i % 8 }), ' ' + c.name))));
    others.push(() => {
      const width = svg.clientWidth || figure.clientWidth - 24, all = data.curves.flatMap(c => c.points);
      svg.replaceChildren();
      svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
      if (!all.length) { svg.append(el('text', { x: width / 2, y: height / 2, 'text-anchor': 'middle' }, 'nothing recorded')); return; }
      const top = Math.max(...all.map(p => p[0]), 100), ys = all.map(p => p[1]).filter(v => v > 0);
      const low = Math.min(...ys) / 1.2, high = Math.max(...ys) * 1.2;
      const x = r => M.left + Math.log10(r) / Math.log10(top) * (width - M.left - M.right);
      const y = v => height - M.bottom - Math.log10(v / low) / Math.log10(high / low) * (height - M.bottom - M.top);
      for (const v of logTicks(low, high)) svg.append(el('line', { class: 'grid', x1: M.left, x2: width - M.right, y1: y(v), y2: y(v) }), el('text', { x: M.left - 6, y: y(v) + 4, 'text-anchor': 'end' }, show(v, 'ms')));
      for (const [r, name] of [[2, '50'], [10, '90'], [100, '99'], [1e3, '99.9'], [1e4, '99.99'], [1e5, '99.999'], [1e6, '99.9999']]) if (r <= top) svg.append(
        el('line', { class: 'grid', x1: x(r), x2: x(r), y1: M.top, y2: height - M.bottom }), el('text', { class: 'tick', x: x(r), y: height - 5, 'text-anchor': held(x(r), width, name + '%') }, name + '%'));
      data.curves.forEach((c, i) => {
        const p = el('path', { class: 'line s' + i % 8 + (c.base ? ' base' : ''), d: c.points.filter(p => p[1] > 0).map((p, k) => (k ? 'L' : 'M') + x(p[0]).toFixed(1) + ' ' + y(p[1]).toFixed(1)).join('') });
        p.style.fill = 'none';
        svg.append(p);
      });
    });
  }

  // The heat map: stronger where more arrivals had that response time then.
  function heatMap(figure) {
    const height = 260, [cap, legend] = caption('Response times over time', 'the stronger the colour, the more arrivals; log axis', 'how many arrivals had which response time when');
    const canvas = el('canvas', { height, role: 'img', 'aria-label': 'Heat map of response times over time' });
    const readout = el('li', {});
    legend.append(readout);
    figure.append(cap, canvas, dataTable(['time', 'response time up to', 'arrivals'], () => data.heat.cells.map(c => [clock(data.t[c[0]]), show(data.heat.rows[c[1]], 'ms'), String(c[2])])));
    const most = Math.max(1, ...data.heat.cells.map(c => c[2])), rows = data.heat.rows;
    const byCell = new Map(data.heat.cells.map(c => [c[0] + '/' + c[1], c[2]]));
    let g = null;
    const draw = () => {
      const width = canvas.clientWidth || figure.clientWidth - 24, scale = devicePixelRatio || 1;
      canvas.width = width * scale; canvas.height = height * scale; canvas.style.height = height + 'px';
      const c = canvas.getContext('2d'), css = getComputedStyle(root);
      c.scale(scale, scale);
      c.font = '11px system-ui, sans-serif';
      c.fillStyle = css.getPropertyValue('--dim');
      if (!rows.length) { c.textAlign = 'center'; c.fillText('nothing recorded', width / 2, height / 2); return; }
      const bottom = height - M.bottom, rowHeight = (bottom - M.top) / rows.length;
      const x = t => M.left + (t - state.from) / (state.to - state.from) * (width - M.left - M.right);
      const y = i => bottom - (i + 1) * rowHeight;
      g = { x, y, rowHeight, width, bottom };
      c.textAlign = 'right';
      // At 1, 2 and 5 times a power of ten, as far as there is room: a tenth of a decade is a row.
      const marks = rowHeight * 3 < 11 ? [0] : [0, 3, 7];
      rows.forEach((v, i) => { const e = Math.round(Math.log10(v) * 10); if (marks.includes((e % 10 + 10) % 10)) c.fillText(show(+v.toPrecision(1), 'ms'), M.left - 6, y(i) + 4); });
      for (const t of timeTicks(state.from, state.to, width / 90)) {
        c.textAlign = { start: 'left', middle: 'center', end: 'right' }[held(x(t), width, clock(t))];
        c.fillText(clock(t), x(t), height - 5);
      }
      c.save();
      c.beginPath(); c.rect(M.left, M.top - 2, width - M.left - M.right, bottom - M.top + 4); c.clip();
      c.fillStyle = css.getPropertyValue('--accent');
      for (const [b, r, n] of data.heat.cells) {
        c.globalAlpha = .12 + .88 * Math.log1p(n) / Math.log1p(most);
        const a = x(data.t[b]);
        c.fillRect(a, y(r), Math.max(x(data.t[b] + data.bin) - a, .7), Math.max(rowHeight - .4, .6));
      }
      c.restore();
    };
    canvas.addEventListener('pointermove', e => {
      if (!g) return;
      const box = canvas.getBoundingClientRect(), t = state.from + (e.clientX - box.left - M.left) / (g.width - M.left - M.right) * (state.to - state.from);
      const b = Math.floor(t / data.bin), r = Math.floor((g.bottom - (e.clientY - box.top)) / g.rowHeight);
      setCursor(b);
      readout.textContent = rows[r] === undefined || b < 0 ? '' : `${clock(b * data.bin)}: ${byCell.get(b + '/' + r) || 0} up to ${show(rows[r], 'ms')}`;
    });
    canvas.addEventListener('pointerleave', () => { readout.textContent = ''; setCursor(null); });
    others.push(draw);
  }

  for (const box of document.querySelectorAll('.charts')) {
    const ids = (box.dataset.panels || '').split(' '), groups = (box.dataset.groups || '').split(' ');
    const mine = ids[0] ? ids.map(id => data.panels.find(p => p.id === id)).filter(Boolean) : data.panels.filter(p => p.group && groups.includes(p.group));
    for (const p of mine) {
      const figure = el('figure', { class: 'chart', 'data-panel': p.id });
      box.append(figure);
      timeChart(figure, p, p.id === 'response' || p.note ? 230 : box.classList.contains('small') ? 112 : 130);
    }
    if (mine.length) continue;
    const around = box.closest('.also') || box.closest('section');
    if (!around.querySelector('table, ul')) around.hidden = true;
  }
  // Long tables are folded where the screen is narrow.
  if (innerWidth <= 560) for (const d of document.querySelectorAll('details.long')) d.open = false;
  // On a narrow screen each row of a table is a block, whose figures need their names.
  for (const t of document.querySelectorAll('main table')) {
    const heads = [...t.querySelectorAll('thead th')].map(h => h.classList.contains('mark') ? '' : h.textContent);
    if (heads.length) for (const r of t.querySelectorAll('tbody tr')) [...r.children].forEach((c, i) => { if (heads[i]) c.dataset.label = heads[i]; });
  }
  if (data.curves.length || data.heat.rows.length) {
    spectrum(document.getElementById('spectrum'));
    heatMap(document.getElementById('heat'));
  } else document.getElementById('distribution').hidden = true;
  for (const b of document.querySelectorAll('button[data-from]')) b.addEventListener('click', () => {
    const from = +b.dataset.from, to = +b.dataset.to, margin = (to - from) * .5;
    zoom(from - margin, to + margin);
    document.getElementById('over-time').scrollIntoView();
  });
  let wait = 0;
  addEventListener('resize', () => { cancelAnimationFrame(wait); wait = requestAnimationFrame(redraw); });
  addEventListener('beforeprint', redraw);
  setTheme(dark.matches ? 'dark' : 'light');
})();
