// Elements and numbers. Text enters the page as text nodes only.

const SVG = 'http://www.w3.org/2000/svg';

// An element with attributes and children; a child that is no node becomes text, null is left out.
const add = (element, attributes, children) => {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith('on')) throw new Error(`${name} is no attribute of this page`);
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined) element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
};
const h = (name, attributes, ...children) => add(document.createElement(name), attributes, children);
const s = (name, attributes, ...children) => add(document.createElementNS(SVG, name), attributes, children);

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const count = (n) => (n === null || n === undefined ? '–' : whole.format(n));
const counted = (n, noun) => `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
const number = (n) => {
  if (n === null || n === undefined) return '–';
  if (Number.isInteger(n) && Math.abs(n) < 1e15) return whole.format(n);
  return String(Number(n.toPrecision(5)));
};
const percent = (part, all) => {
  if (!(all > 0)) return '–';
  const share = 100 * part / all;
  return `${share > 0 && share < 0.01 ? '< 0.01' : share.toFixed(share < 10 ? 2 : 1)} %`;
};
const bytes = (n) => {
  if (!n) return '–';
  for (const unit of ['B', 'kB', 'MB', 'GB']) {
    if (n < 999.95) return unit === 'B' ? `${n} B` : `${n.toFixed(1)} ${unit}`;
    n /= 1000;
  }
  return `${n.toFixed(1)} TB`;
};
const seconds = (t) => {
  if (t === null || t === undefined) return '–';
  if (t < 9.95) return `${t.toFixed(t < 0.095 ? 2 : 1)} s`;
  if (t < 119.5) return `${Math.round(t)} s`;
  if (t < 7200) return `${Math.floor(t / 60)} min ${Math.round(t % 60)} s`;
  return `${Math.floor(t / 3600)} h ${Math.round(t % 3600 / 60)} min`;
};
const moment = (t) => (t ? `${new Date(1000 * t).toISOString().slice(0, 19).replace('T', ' ')} UTC` : '–');

// A table. Columns are [title, 'n' for numbers]; the first cell of a row is its header.
const table = (caption, columns, rows) => h('div', { class: 'wide', tabindex: '0', role: 'region', 'aria-label': caption },
  h('table', { class: columns.length > 10 || columns.map(([title]) => title).join('').length > 90 ? 'many' : null },
    h('caption', null, caption),
    h('thead', null, h('tr', null, columns.map(([title, kind]) => h('th', { scope: 'col', class: kind }, title)))),
    h('tbody', null, rows.map((cells) => h('tr', null, cells.map((cell, at) => (at === 0
      ? h('th', { scope: 'row', class: columns[0][1] }, cell)
      : h('td', { class: columns[at][1] }, cell))))))));

const details = (title, ...children) => h('details', null, h('summary', null, title), children);
// The same, on paper only if it is short or has been opened.
const folded = (items, title, ...children) => h('details', { class: items > 40 ? 'long' : null }, h('summary', null, title), children);
const note = (text, kind) => h('p', { class: `note ${kind || ''}` }, text);
const tiles = (pairs) => h('dl', { class: 'tiles' }, pairs.filter((pair) => pair).map(([name, value]) => h('div', null, h('dt', null, name), h('dd', null, value))));
const opName = (op) => `${op.op} ${op.name}`;
const place = (row) => (row.line ? `${row.file}:${row.line}` : `${row.file}, row_id ${row.row_id}`);
