// Charts as SVG. Each is an image with a label for screen readers; the table behind it has the numbers.

// As wide as the page is drawn, so that letters have their size on a phone, too.
const narrow = window.matchMedia('(max-width: 560px)');
let [WIDTH, HALF] = [720, 720];
const measure = (jobs) => {
  WIDTH = narrow.matches ? Math.max(260, document.documentElement.clientWidth - 48) : 720;
  // Of two jobs side by side.
  HALF = jobs > 1 && !narrow.matches ? 470 : WIDTH;
};

const chart = (label, width, height, ...children) => s('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label }, children);

const rect = (kind, x, y, width, height, title) => s('rect', {
  class: kind, x: x.toFixed(2), y: y.toFixed(2), width: Math.max(width, 0).toFixed(2), height: Math.max(height, 0).toFixed(2),
}, title ? s('title', null, title) : null);

const label = (x, y, text, anchor) => s('text', { x: x.toFixed(1), y: y.toFixed(1), 'text-anchor': anchor || 'start' }, text);

const key = (kinds) => h('ul', { class: 'key', 'aria-hidden': 'true' }, kinds.map(([kind, text]) => h('li', null,
  s('svg', { viewBox: '0 0 10 10' }, s('rect', { class: kind, width: 10, height: 10 })), text)));

const range = (values) => values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);

// Horizontal bars of several parts: rows are [name, [[kind, size], …], text behind]. Many are several
// images, so that none is cut at the end of a page of paper.
const bars = (title, rows) => {
  const most = Math.max(1, ...rows.map(([, parts]) => parts.reduce((sum, [, size]) => sum + size, 0)));
  // On paper an image is as wide as the page.
  const [each, together] = [34, Math.floor(HALF / 36)];
  const line = ([name, parts, text], at) => {
    let x = 0;
    const y = at * each;
    const blocks = parts.map(([kind, size]) => {
      const width = HALF * size / most;
      const block = size > 0 ? rect(kind, x, y + 16, Math.max(width, 1), 12, `${kind} ${count(size)}`) : null;
      x += width;
      return block;
    });
    return [label(0, y + 12, name), label(HALF, y + 12, text, 'end'), blocks];
  };
  const images = Math.ceil(rows.length / together);
  return Array.from({ length: images }, (_, image) => {
    const some = rows.slice(image * together, (image + 1) * together);
    const part = images > 1 ? `, image ${image + 1} of ${images}` : '';
    return chart(title + part, HALF, some.length * each, some.map(line));
  });
};

// A histogram with the thresholds that were and those that are tried. `second` is another job's.
const histogram = (title, data, bounds, tried, second) => {
  const height = 150;
  const bottom = height - 18;
  const edges = data.edges;
  const [first, last] = second ? range([...edges, ...second.edges]) : [edges[0], edges[edges.length - 1]];
  const x = (value) => WIDTH * Math.min(1.001, Math.max(-0.001, (value - first) / (last - first || 1)));
  const sums = (one) => one.kept.map((n, at) => n + one.dropped[at]);
  // Bins of two jobs may have other widths: rows per width, as a share of all rows, compare.
  const density = (one, at, n) => n / (second ? (one.edges[at + 1] - one.edges[at]) * (sums(one).reduce((a, b) => a + b, 0) || 1) : 1);
  const tops = [data, second].filter((one) => one).flatMap((one) => sums(one).map((n, at) => density(one, at, n)));
  const most = Math.max(...tops, Number.MIN_VALUE);
  const y = (n) => (bottom - 14) * n / most;
  const columns = data.kept.map((kept, at) => {
    const [left, right] = [x(edges[at]), x(edges[at + 1])];
    const width = Math.max(right - left - (right - left > 3 ? 1 : 0), 0.5);
    const [low, high] = [y(density(data, at, kept)), y(density(data, at, data.dropped[at]))];
    const text = `${number(edges[at])} to ${number(edges[at + 1])}: ${count(kept)} kept, ${count(data.dropped[at])} dropped`;
    return [rect('kept', left, bottom - low, width, low, text), rect('dropped', left, bottom - low - high, width, high, text)];
  });
  const outline = second ? s('path', {
    class: 'second',
    d: second.edges.slice(0, -1).map((edge, at) => {
      const top = (bottom - y(density(second, at, sums(second)[at]))).toFixed(1);
      return `${at ? 'L' : 'M'}${x(edge).toFixed(1)},${top}L${x(second.edges[at + 1]).toFixed(1)},${top}`;
    }).join(''),
  }) : null;
  const line = (kind, value) => (value === null || value === undefined ? null
    : s('line', { class: kind, x1: x(value).toFixed(1), x2: x(value).toFixed(1), y1: 0, y2: bottom }));
  const marks = (narrow.matches ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1]).map((share) => label(share * WIDTH, height - 4, number(Number((first + share * (last - first)).toPrecision(3))),
    share === 0 ? 'start' : share === 1 ? 'end' : 'middle'));
  const shades = tried ? [
    tried.min === null ? null : rect('shade', 0, 0, x(tried.min), bottom),
    tried.max === null ? null : rect('shade', x(tried.max), 0, WIDTH - x(tried.max), bottom),
  ].filter(() => !tried.reversed) : [];
  return chart(title, WIDTH, height, columns, outline, s('line', { class: 'axis', x1: 0, x2: WIDTH, y1: bottom, y2: bottom }), shades,
    bounds ? [line('bound', bounds.min), line('bound', bounds.max)] : null,
    tried ? [tried.min === bounds.min ? null : line('moved', tried.min), tried.max === bounds.max ? null : line('moved', tried.max)] : null,
    label(WIDTH, 9, second ? 'shares' : `${count(most)} rows`, 'end'), marks);
};

// Spans of time: rows are [start, end, kind, title]; marks are [time, row, title].
const spans = (title, rows, marks, start, end) => {
  const each = Math.max(3, Math.min(18, 360 / Math.max(rows.length, 1)));
  const height = rows.length * each + 20;
  const x = (time) => HALF * Math.min(1, Math.max(0, (time - start) / (end - start || 1)));
  return chart(title, HALF, height, rows.map(([from, to, kind, text], at) => (from === null ? null
    : rect(kind, x(from), at * each, Math.max(x(to) - x(from), 1.5), each - (each > 5 ? 2 : 0.5), text))),
  marks.map(([time, row, text]) => s('circle', { class: 'dropped', cx: x(time).toFixed(1), cy: (row * each + each / 2 - 1).toFixed(1), r: Math.min(3, each / 2) }, s('title', null, text))),
  s('line', { class: 'axis', x1: 0, x2: HALF, y1: height - 18, y2: height - 18 }),
  [0, 0.25, 0.5, 0.75, 1].map((share) => label(share * HALF, height - 4, seconds(share * (end - start)), share === 0 ? 'start' : share === 1 ? 'end' : 'middle')));
};
