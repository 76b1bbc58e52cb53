'use strict';
// Light or dark, and the names of figures where a table is too wide for the screen.
(() => {
  const root = document.documentElement, dark = matchMedia('(prefers-color-scheme: dark)');
  const set = t => { root.dataset.theme = t; };
  document.getElementById('theme').addEventListener('click', () => set(root.dataset.theme === 'dark' ? 'light' : 'dark'));
  dark.addEventListener('change', () => set(dark.matches ? 'dark' : 'light'));
  set(dark.matches ? 'dark' : 'light');
  for (const t of document.querySelectorAll('main table')) {
    const heads = [...t.querySelectorAll('thead th')].map(h => h.textContent);
    for (const r of t.querySelectorAll('tbody tr')) [...r.children].forEach((c, i) => { if (heads[i]) c.dataset.label = heads[i]; });
  }
})();
