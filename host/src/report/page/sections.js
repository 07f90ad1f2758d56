// The sections of the page. Each gets a job, and perhaps another one to compare it with.

const overview = (job) => {
  const { job: j } = job;
  const all = j.rows_total || j.rows_read;
  const p = j.partitions;
  return [
    tiles([
      ['state', h('span', { class: `state ${j.status}` }, j.status)],
      ['rows read', j.rows_total && j.is_running ? `${count(j.rows_read)} of ${count(j.rows_total)}` : count(j.rows_read)],
      [job.analysis ? 'rows that all filters would keep' : 'rows in the result', `${count(j.rows_out)} (${percent(j.rows_out, all)})`],
      ['in quarantine', count(j.quarantined)],
      ['input', bytes(j.input_bytes)],
      job.analysis ? null : ['result', bytes(j.output_bytes)],
      ['time at work', seconds(j.duration)],
      ['CPU time', seconds(j.cpu_seconds || null)],
      ['peak memory', bytes(j.peak_memory)],
      ['partitions', j.is_running ? `${p.done} of ${p.total}` : count(p.total)],
      ['attempts', count(job.attempts.length)],
    ]),
    j.is_running ? h('p', null, h('label', null, `${(100 * j.fraction).toFixed(1)} %${j.eta_seconds ? `, ${seconds(j.eta_seconds)} to go` : ''}, ${count(j.rows_per_second)} rows/s `,
      h('progress', { max: 1, value: j.fraction }))) : null,
    j.error_message ? note(j.error_message, 'error') : null,
    j.resumption_command && !j.is_running && j.status !== 'completed' ? h('p', null, 'To continue: ', h('code', null, j.resumption_command)) : null,
    job.expected.length ? table('What the recipe expects', [['what', ''], ['at least', 'n'], ['at most', 'n'], ['is', 'n'], ['', '']],
      job.expected.map((one) => [one.key, number(one.min), number(one.max), number(one.value), one.is_met ? 'met' : 'not met'])) : null,
    job.findings.length ? [h('h3', null, 'Worth a look'), h('ul', null, job.findings.map((one) => h('li', null, one.message)))] : null,
    job.notes.map((text) => note(text)), job.warnings.map((text) => note(text)),
  ];
};

const gone = (op) => [['kept', op.rows_out], ['dropped', op.dropped], ['merged', op.merged], ['quarantined', op.quarantined]];

const funnel = (job, other) => {
  if (!job.ops.length) return [h('p', { class: 'soft' }, 'No op has begun.')];
  const before = (name) => (other ? other.ops.find((op) => op.name === name) : null);
  const difference = (a, b) => (b ? `${a - b >= 0 ? '+' : '−'}${count(Math.abs(a - b))}` : '–');
  const columns = [['op', ''], ['rows in', 'n'], ['rows out', 'n'], ['dropped', 'n'], ['merged', 'n'], ['quarantined', 'n'], ['made', 'n'], ['removed', 'n'], ['bytes in', 'n'],
    ...(other ? [[`out, against ${other.job.job_id}`, 'n'], ['dropped, against it', 'n']] : [])];
  const rows = job.ops.map((op) => [opName(op), count(op.rows_in), count(op.rows_out), count(op.dropped), count(op.merged), count(op.quarantined), count(op.created),
    percent(op.rows_in + op.created - op.rows_out, op.rows_in), bytes(op.bytes_in),
    ...(other ? [difference(op.rows_out, before(op.name) && before(op.name).rows_out), difference(op.dropped, before(op.name) && before(op.name).dropped)] : [])]);
  const missing = other ? other.ops.filter((op) => !job.ops.some((mine) => mine.name === op.name)) : [];
  if (job.analysis) {
    return [
      h('p', { class: 'soft' }, 'An analysis: each filter judged all rows, whatever the others did.'),
      bars('Rows that each filter would keep and drop', job.ops.filter((op) => op.kind === 'filter').map((op) => [opName(op), gone(op), `keeps ${percent(op.rows_out, op.rows_in)}`])),
      key([['kept', 'would stay'], ['dropped', 'would be dropped'], ['quarantined', 'quarantine']]),
      details('Numbers', table('Rows that each filter would keep and drop', columns, rows)),
    ];
  }
  return [
    bars(`Rows through the ${counted(job.ops.length, 'op')} of ${job.job.job_id}: ${count(job.job.rows_read)} read, ${count(job.job.rows_out)} in the result`, [
      ['read', [['kept', job.job.rows_read]], `${count(job.job.rows_read)} rows, ${bytes(job.job.input_bytes)}`],
      ...job.ops.map((op) => [opName(op), gone(op), `${count(op.rows_out)}${op.rows_out === op.rows_in ? '' : ` (−${percent(op.rows_in - op.rows_out, op.rows_in)})`}`]),
      ['result', [['kept', job.job.rows_out]], `${count(job.job.rows_out)} rows, ${bytes(job.job.output_bytes)}`],
    ]),
    key([['kept', 'goes on'], ['dropped', 'dropped'], ['merged', 'merged'], ['quarantined', 'quarantine']]),
    details('Numbers', table('Rows through the ops; bytes are those that the op was given', columns, rows),
      missing.length ? h('p', null, `Only in ${other.job.job_id}: ${missing.map(opName).join(', ')}`) : null),
  ];
};

const statsSection = (job, other) => {
  if (!job.stats.length && job.job.is_running) return [h('p', { class: 'soft' }, job.trace === 'off' ? 'Not known: the job has no trace.' : 'Shown when the first tasks have ended.')];
  if (!job.stats.length) return [h('p', { class: 'soft' }, job.trace ? 'No filter computed a stat.' : 'Not known: the job has no trace.')];
  const known = (stat) => {
    const twin = other ? other.stats.find((one) => one.key === stat.key && one.name === stat.name) : null;
    return twin ? { ...twin, job_id: other.job.job_id } : null;
  };
  const only = other ? other.stats.filter((stat) => !job.stats.some((mine) => mine.key === stat.key && mine.name === stat.name)) : [];
  return [job.stats_note ? note(job.stats_note) : null, job.stats.map((stat) => statView(stat, job, known(stat))),
    only.length ? h('p', null, `Only in ${other.job.job_id}: ${only.map((stat) => `${stat.key} (${stat.name})`).join(', ')}`) : null];
};

const analysed = (job) => {
  const found = job.analysis;
  if (!found) return [];
  const statName = ([op, name]) => `${op} ${name}`;
  const { correlation: c, overlap: o, groups: g } = found;
  const rows = Math.max(0, ...job.stats.map((stat) => stat.count));
  const dropping = o.ops.map((op, at) => at).filter((at) => o.both[at][at] > 0);
  return [
    found.ratio < 1 ? note(`Of a sample: ${percent(found.ratio, 1)} of the rows, chosen by a hash.`) : null,
    h('h3', null, `Bounds that keep ${percent(found.keep, 1)} of the rows, each alone`),
    found.suggestions.length ? table('Suggested bounds', [['op', ''], ['stat', ''], ['bounds', ''], ['keep', 'n']],
      found.suggestions.map((one) => [`${one.op} ${one.name}`, one.key, Object.entries(one.params).map(([name, value]) => `${name}: ${value}`).join(', '), percent(one.rows, rows)]))
      : h('p', { class: 'soft' }, 'No filter has a range.'),
    h('h3', null, 'What filters would drop together'),
    dropping.length ? table(`Rows that both would drop${o.estimate ? `; estimated ${o.estimate}` : ''}`, [['', ''], ['only it', 'n'], ...dropping.map((at) => [opName({ op: o.ops[at][0], name: o.ops[at][1] }), 'n'])],
      dropping.map((at) => [opName({ op: o.ops[at][0], name: o.ops[at][1] }), count(o.alone[at]), ...dropping.map((other) => count(o.both[at][other]))]))
      : h('p', { class: 'soft' }, 'No filter would drop a row.'),
    h('h3', null, 'Stats that go together'),
    table(`Pearson correlation of stats, of ${counted(c.rows, 'row')}`, [['', ''], ...c.stats.map(([op, name]) => [`${op} ${name}`, 'n'])],
      c.stats.map((stat, at) => [statName(stat), ...c.coefficients[at].map((r) => (r === null ? '–' : h(Math.abs(r) >= 0.5 ? 'strong' : 'span', null, r.toFixed(2))))])),
    g ? [h('h3', null, `By ${g.field}`), g.stats.map((stat, at) => details(statName(stat), table(`${statName(stat)} by ${g.field}`,
      [[g.field, ''], ['rows', 'n'], ['would stay', 'n'], ['mean', 'n'], ['5 %', 'n'], ['50 %', 'n'], ['95 %', 'n']],
      g.groups.filter((group) => group.stats[at]).map((group) => {
        const [n, kept, mean, shares] = group.stats[at];
        return [group.value, count(n), percent(kept, n), number(mean), ...shares.map(number)];
      }))))] : null,
  ];
};

const quarantine = (job) => (job.quarantine.length ? job.quarantine.map((reason) => h('article', null,
  h('h3', null, `${counted(reason.rows, 'row')}${reason.who ? ` · ${reason.who}` : ''}`), h('p', { class: 'text' }, reason.reason),
  reason.examples.length === 0 ? null : details('Examples', reason.examples.map((row) => [h('p', { class: 'soft' }, place(row)), h('p', { class: 'text' }, row.text)]))))
  : [h('p', { class: 'soft' }, 'No row is in quarantine.')]);

const example = (all, build) => all.map((one) => h('div', { class: 'example' }, build(one)));
const shown = (row) => [h('p', { class: 'soft' }, place(row)), row.text === null ? null : h('p', { class: 'text' }, row.text)];

const duplicates = (job) => job.duplicates.map((found) => h('article', null, h('h3', null, `op ${opName(found)}`),
  found.note ? note(found.note) : null,
  h('p', null, `${counted(found.merged, 'row')} dropped for ${count(found.clusters)} that stay.`),
  found.sizes.length ? folded(found.sizes.length, 'Sizes of clusters', table('Clusters by the number of their rows', [['rows', 'n'], ['clusters', 'n'], ['rows dropped', 'n']],
    found.sizes.slice(0, 500).map(([size, n]) => [count(size), count(n), count(n * (size - 1))]))) : null,
  found.largest.map((cluster) => details(`${count(cluster.size)} rows: ${cluster.stays.text === null ? place(cluster.stays) : cluster.stays.text.slice(0, 70)}`,
    h('p', { class: 'lead' }, 'Stays:'), shown(cluster.stays), h('p', { class: 'lead' }, `Dropped${cluster.size - 1 > cluster.members.length ? ', the first of them' : ''}:`), cluster.members.map(shown)))));

const cost = (job) => [
  bars(`CPU seconds of each op of ${job.job.job_id}`, job.ops.map((op) => [opName(op), [['kept', op.cpu_seconds]], `${seconds(op.cpu_seconds)}, ${bytes(op.peak_memory)}`])),
  details('Numbers', table('Time and memory of ops, summed over workers; memory is that of the largest instance',
    [['op', ''], ['CPU', 'n'], ['wall', 'n'], ['MB per CPU second', 'n'], ['memory', 'n'], ['failed calls', 'n']],
    job.ops.map((op) => [opName(op), seconds(op.cpu_seconds), seconds(op.wall_seconds), number(Number(op.mb_per_cpu_second.toPrecision(3))), bytes(op.peak_memory), count(op.traps)]))),
];

const timeline = (job) => {
  const { lines, checkpoints } = job.timeline;
  const began = lines.map((line) => line.start).filter((time) => time);
  const until = job.job.end_time || job.generated;
  const start = Math.min(...began, ...job.attempts.map((attempt) => attempt.start), until);
  const kinds = { done: 'kept', running: 'out', failed: 'quarantined' };
  const name = (line) => (line.first === line.last ? `partition ${line.first}` : `partitions ${line.first} to ${line.last}`);
  return [
    job.attempts.length ? [h('h3', null, 'Attempts'), spans('Attempts over time', job.attempts.map((attempt) => [attempt.start, attempt.end || until,
      attempt.status === 'completed' ? 'kept' : attempt.status === 'running' ? 'out' : 'quarantined', `attempt ${attempt.attempt}: ${attempt.status}`]), [], start, until)] : null,
    lines.length ? [h('h3', null, 'Partitions and checkpoints'), spans(`${counted(job.timeline.partitions, 'partition')} over time`,
      lines.map((line) => [line.start, line.end || until, kinds[line.state] || 'out', `${name(line)}: ${line.state}, ${counted(line.rows_in, 'row')}`]),
      checkpoints.map(([time, row, op, size]) => [time, row, `checkpoint after op ${op}, ${bytes(size)}`]), start, until),
    key([['kept', 'done'], ['out', 'in work'], ['quarantined', 'failed, died or stopped'], ['dropped', 'checkpoint']])] : null,
    folded(lines.length, 'Numbers',
      table('Attempts', [['attempt', ''], ['began', ''], ['time', 'n'], ['ended', '']], job.attempts.map((attempt) => [attempt.attempt, moment(attempt.start), seconds(attempt.end ? attempt.end - attempt.start : null), attempt.status])),
      table('Partitions', [['partition', ''], ['state', ''], ['began', ''], ['time', 'n'], ['rows in', 'n'], ['rows out', 'n'], ['retries', 'n'], ['error', '']],
        lines.map((line) => [name(line), line.state, moment(line.start), seconds(line.end && line.start ? line.end - line.start : null), count(line.rows_in), count(line.rows_out), count(line.retries), line.error || ''])),
      h('p', null, `${counted(job.job.checkpoints, 'checkpoint')}, ${bytes(job.job.checkpoint_bytes)}; ${counted(job.job.resumed, 'partition')} went on from one in the last attempt.`)),
  ];
};

// What differs between two texts: what they begin and end with in common stays as it is.
const change = (before, after) => {
  const [a, b] = [Array.from(before), Array.from(after)];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const part = (list) => list.slice(start, list.length - end).join('');
  return h('p', { class: 'text' }, a.slice(0, start).join(''), part(a) ? h('del', null, part(a)) : null, part(b) ? h('ins', null, part(b)) : null, a.slice(a.length - end).join(''));
};

const examples = (job) => job.examples.map((of) => h('article', { class: job.examples.length > 8 ? 'few' : null }, h('h3', null, `op ${opName(of)}`),
  of.changed.length ? details(`${counted(of.changed.length, 'sample')} of what it changed`, example(of.changed, (one) => [h('p', { class: 'soft' }, `${place(one.row)} · ${one.field}`), change(one.before, one.after)])) : null,
  of.dropped.length ? details(`${counted(of.dropped.length, 'row')} that it dropped, closest to its threshold`, example(of.dropped, (one) => [h('p', { class: 'lead' }, one.why), shown(one.row)])) : null));

const setup = (job) => [
  tiles([['dataset', job.job.dataset_path], ['result', job.job.export_path], ['run directory', job.job.work_dir], ['began', moment(job.job.start_time)], ['ended', moment(job.job.end_time)]]),
  details('Recipe with every default', h('pre', { tabindex: '0', 'aria-label': 'recipe' }, job.recipe)),
  details('Parameters of ops', table('As operators were given them', [['op', ''], ['place in the recipe', 'n'], ['parameters', '']], job.ops.map((op) => [opName(op), op.position, JSON.stringify(op.params)]))),
  details('Versions and digests', table('Versions and digests', [['what', ''], ['version or digest', '']], job.digests)),
];

// [id, title, view, whether two jobs are shown in one]
const SECTIONS = [
  ['overview', 'Overview', overview],
  ['rows', 'Rows through the recipe', funnel],
  ['analysis', 'Analysis', analysed],
  ['stats', 'Stats and thresholds', statsSection, true],
  ['quarantine', 'Quarantine', quarantine],
  ['duplicates', 'Duplicates', duplicates],
  ['examples', 'Examples', examples],
  ['cost', 'Time and memory', cost],
  ['timeline', 'Timeline', timeline],
  ['setup', 'Recipe and digests', setup],
];
