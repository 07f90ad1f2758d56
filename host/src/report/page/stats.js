// A stat: histogram, thresholds to move, numbers.

const sum = (list) => list.reduce((a, b) => a + b, 0);

// The number with the fewest digits from `from` up to, and without, `below`.
const roundest = (from, below) => {
  for (let digits = -9; digits <= 16; digits += 1) {
    const unit = 10 ** Math.abs(digits);
    const value = digits < 0 ? Math.ceil(from / unit) * unit : Math.ceil(from * unit) / unit;
    if (value >= from && value < below) return value + 0;
  }
  return from;
};

// The values that a threshold can be moved to, ascending. Only what is known can be answered: without
// the rows that stayed, thresholds can only be relaxed.
const choices = (stat, side) => {
  const now = stat.bounds[side];
  const { knows_kept: all, bounds: { reversed } } = stat;
  const relaxes = (value) => now === null ? false : (side === 'min') !== reversed ? value <= now : value >= now;
  const { stops, between } = stat.curve;
  // Between a value and the next all thresholds keep the same rows: the one with the fewest digits.
  const short = (at) => {
    if (between || stops.length < 2) return stops[at];
    if (side === 'max') return roundest(stops[at], at + 1 < stops.length ? stops[at + 1] : 2 * stops[at] - stops[at - 1]);
    return -roundest(-stops[at], at > 0 ? -stops[at - 1] : stops[1] - 2 * stops[0]);
  };
  const values = Array.from(new Set(stops.map((value, at) => (all || relaxes(value) ? short(at) : null)).filter((value) => value !== null)));
  if (now !== null && !values.includes(now)) values.push(now);
  values.sort((a, b) => a - b);
  // No bound keeps more, unless rows in the range go.
  const none = all || !reversed ? [null] : [];
  return side === 'min' ? [...none, ...values] : [...values, ...none];
};

// In an analysis no op has run after another: rows that stay are those of the filter alone.
const answer = (stat, job, tried) => {
  const { stay, lost, gained, result } = whatIf(stat, tried);
  const now = stat.rows_out;
  const moved = tried.min !== stat.bounds.min || tried.max !== stat.bounds.max;
  const about = stat.inexact ? 'about ' : '';
  const parts = [h('p', { class: 'answer' }, h('strong', null, about + count(stay)), ` rows stay at this op (${percent(stay, job.rows_in_of[stat.op])} of those that come to it)`,
    moved ? `; now ${count(now)}: ${stay >= now ? '+' : '−'}${count(Math.abs(stay - now))}` : ', as it ran')];
  if (moved && result !== null && !stat.estimate) {
    parts.push(h('p', null, job.analysis ? 'All filters together would keep ' : 'The result would have ', h('strong', null, gained ? `${count(result)} to ${count(result + gained)}` : count(result)), ' rows',
      gained ? `: ${counted(gained, 'row')} ${job.analysis ? 'would stay here, and other filters may drop some of them.' : `that would stay here ${gained === 1 ? 'has' : 'have'} not been seen by the later ops.`}` : '.'));
  }
  if (moved && stat.estimate) {
    parts.push(h('p', null, 'Estimate: the result would have ',
      result === null ? 'another number of rows' : `about ${gained ? `${count(result)} to ${count(result + gained)}` : count(result)} rows`, `, because ${stat.estimate}.`));
  }
  if (moved && result === null && stat.result_note) parts.push(h('p', { class: 'soft' }, `How many of them reach the result is not known: ${stat.result_note}.`));
  const changes = ['min', 'max'].map((side, at) => (tried[side] !== stat.bounds[side] && stat.params[at]
    ? `${stat.params[at]}: ${tried[side] === null ? 'no bound' : tried[side]}` : null)).filter((text) => text);
  if (changes.length) parts.push(h('p', null, 'In the recipe: ', h('code', null, `${stat.name}: {${changes.join(', ')}}`)));
  return parts;
};

const sliders = (stat, job, redraw) => {
  const tried = { ...stat.bounds };
  const said = h('output', { 'aria-live': 'polite' }, answer(stat, job, tried));
  const button = h('button', { type: 'button', disabled: true }, 'Back to as the job ran');
  const update = () => {
    said.replaceChildren(...answer(stat, job, tried));
    button.disabled = tried.min === stat.bounds.min && tried.max === stat.bounds.max;
    redraw(tried);
  };
  const resets = [];
  const rows = ['min', 'max'].map((side, at) => {
    const now = stat.bounds[side];
    const values = choices(stat, side);
    if ((now === null && !stat.params[at]) || values.length < 2) return null;
    const id = `s${stat.op}-${stat.key}-${side}-${job.number}`;
    const value = h('output', { for: id });
    const input = h('input', { type: 'range', id, min: 0, max: values.length - 1, step: 1, 'data-stat': stat.key, 'data-op': stat.op, 'data-side': side });
    const show = () => {
      const words = tried[side] === null ? 'no bound' : number(tried[side]);
      value.textContent = words + (tried[side] === now ? ' (as it ran)' : '');
      input.setAttribute('aria-valuetext', words);
    };
    const reset = () => { tried[side] = now; input.value = values.indexOf(now); show(); };
    input.addEventListener('input', () => { tried[side] = values[Number(input.value)]; show(); update(); });
    resets.push(reset);
    reset();
    return h('div', { class: 'slider' }, h('label', { for: id }, stat.params[at] || `${side} of ${stat.key}`), input, value);
  }).filter((row) => row);
  if (!rows.length) return null;
  button.addEventListener('click', () => { resets.forEach((reset) => reset()); update(); });
  const exactly = stat.curve.between
    ? `The thresholds move between ${count(stat.curve.stops.length)} of the values; at each the number of rows is exact.`
    : '';
  const hint = stat.knows_kept ? exactly : `${exactly} Thresholds can only be relaxed here: of the rows that stayed, the value is not known.`;
  return h('div', null, rows, said, button, stat.inexact ? h('p', { class: 'soft' }, `Estimate: ${stat.inexact}.`) : hint ? h('p', { class: 'soft hint' }, hint) : null);
};

const statView = (stat, job, other) => {
  const title = `${stat.key} at op ${opName(stat)}`;
  const draw = (tried) => histogram(
    `Histogram of ${title}: ${counted(stat.count, 'row')} from ${number(stat.min)} to ${number(stat.max)}`,
    stat.histogram, stat.bounds, tried, other ? other.histogram : null,
  );
  const box = h('div', null, draw(stat.bounds));
  const move = stat.bounds && !job.stats_note ? sliders(stat, job, (tried) => box.replaceChildren(draw(tried))) : null;
  const row = (one, who) => [who, count(one.count), count(one.kept), number(one.mean), number(one.deviation), number(one.min), ...one.percentiles.map(([, value]) => number(value)), number(one.max)];
  const columns = [['', ''], ['rows', 'n'], ['kept', 'n'], ['mean', 'n'], ['deviation', 'n'], ['min', 'n'],
    ...stat.percentiles.map(([share]) => [`${number(100 * share)} %`, 'n']), ['max', 'n']];
  const rows = [row(stat, job.job.job_id), ...(other ? [row(other, other.job_id)] : [])];
  const { edges, kept, dropped } = stat.histogram;
  return h('article', { class: 'stat', 'aria-label': title },
    h('h3', null, h('code', null, stat.key), ` · op ${opName(stat)}`),
    h('figure', null, box, other ? h('figcaption', null, `Outline: ${other.job_id}. Both as shares of their rows.`) : null),
    key([...(stat.knows_kept || stat.kept ? [['kept', 'kept']] : []), ['dropped', 'dropped']]),
    stat.kept_note ? h('p', { class: 'soft' }, stat.kept_note) : null,
    move,
    details('Numbers', table(`${title}${stat.curve.between ? '; percentiles are the next of the values to which thresholds move' : ''}`, columns, rows)),
    folded(Infinity, 'Histogram as a table', table('Histogram', [['from', 'n'], ['to', 'n'], ['kept', 'n'], ['dropped', 'n']], kept.map((n, at) => [number(edges[at]), number(edges[at + 1]), count(n), count(dropped[at])]))));
};
