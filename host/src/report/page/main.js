// Builds the page, and for a live job keeps it up to date.

const empty = (children) => !children.flat(Infinity).some((child) => child);

const view = (page) => {
  page.jobs.forEach((job, at) => {
    job.number = at;
    job.rows_in_of = Object.fromEntries(job.ops.map((op) => [op.op, op.rows_in]));
    for (const stat of job.stats) {
      const { result, between } = stat.curve;
      stat.result_known = sum(result) + (between ? sum(between.result) : 0);
      stat.result_rows = job.job.rows_out;
    }
  });
  const [job, other] = page.jobs;
  const pair = (title, build) => h('div', null, page.jobs.length > 1 ? h('h3', null, title) : null, build);
  const found = SECTIONS.map(([id, title, build, together]) => {
    const parts = together || !other ? [build(job, other)] : page.jobs.map((one, at) => build(one, page.jobs[1 - at]));
    if (parts.every(empty)) return null;
    const body = parts.length > 1 ? h('div', { class: 'two' }, parts.map((part, at) => pair(page.jobs[at].job.job_id, part))) : parts;
    return [id, title, h('section', { id, 'aria-labelledby': `h-${id}` }, h('h2', { id: `h-${id}` }, title), body)];
  }).filter((one) => one);
  return [
    h('a', { class: 'skip', href: '#main' }, 'To the content'),
    h('header', null, h('h1', null, other ? `${job.job.job_id} and ${other.job.job_id}` : job.job.job_id),
      h('p', null, `djhost ${job.djhost}, ${page.refresh_ms ? 'seen' : 'written'} ${moment(job.generated)}`),
      h('nav', { 'aria-label': 'sections' }, h('ul', null, found.map(([id, title]) => h('li', null, h('a', { href: `#${id}` }, title)))))),
    h('main', { id: 'main' }, found.map(([, , section]) => section)),
  ];
};

const root = document.getElementById('page');
let current = null;
const show = (page) => {
  current = page;
  measure(page.jobs.length);
  // What is open stays open, and the focus stays where it was.
  const path = (element) => Array.from(root.querySelectorAll('details')).indexOf(element);
  const open = Array.from(root.querySelectorAll('details[open]')).map(path);
  const focus = document.activeElement && document.activeElement.id;
  const top = window.scrollY;
  root.replaceChildren(...view(page));
  const all = root.querySelectorAll('details');
  open.forEach((at) => { if (all[at]) all[at].open = true; });
  if (focus && document.getElementById(focus)) document.getElementById(focus).focus();
  window.scrollTo(0, top);
};

const first = JSON.parse(document.getElementById('data').textContent);
show(first);

narrow.addEventListener('change', () => show(current));

// Prints what is folded, too, unless it is long.
let unfolded = [];
window.addEventListener('beforeprint', () => {
  unfolded = Array.from(root.querySelectorAll('details:not([open], .long)'));
  unfolded.forEach((one) => { one.open = true; });
});
window.addEventListener('afterprint', () => unfolded.forEach((one) => { one.open = false; }));

if (first.refresh_ms) {
  const status = h('p', { class: 'hidden', role: 'status' });
  document.body.append(status);
  const poll = async () => {
    let next = first.refresh_ms;
    try {
      const answered = await fetch(`data${window.location.search}`, { cache: 'no-store' });
      if (!answered.ok) throw new Error(`the server says ${answered.status}`);
      const page = await answered.json();
      show(page);
      status.textContent = page.jobs[0].job.status;
      if (!page.jobs[0].job.is_running) return;
    } catch (error) {
      // `djhost monitor --web` has ended, or the machine was asleep.
      status.textContent = `no news: ${error.message}`;
      document.title = `(no news) ${first.jobs[0].job.job_id}`;
      next = 10000;
    }
    setTimeout(poll, next);
  };
  if (first.jobs[0].job.is_running) setTimeout(poll, first.refresh_ms);
}
