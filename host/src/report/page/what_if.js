// How many rows other bounds keep, from a stat's step function.

// Whether bounds keep a value: as `Bounds::keeps` of the host has it.
const keeps = (bounds, value) => {
  const minClosed = bounds.min_closed !== bounds.reversed;
  const maxClosed = bounds.max_closed !== bounds.reversed;
  const above = bounds.min === null || (minClosed ? value >= bounds.min : value > bounds.min);
  const below = bounds.max === null || (maxClosed ? value <= bounds.max : value < bounds.max);
  return (above && below) !== bounds.reversed;
};

// Rows that stay at the op: {stay, lost, gained, result}. `lost` and `gained` are compared with what
// the job did; `result` are the rows of the result that the op still lets through, null if unknown.
const whatIf = (stat, bounds) => {
  const { stops, kept, dropped, result, between } = stat.curve;
  let [known, gained, still] = [0, 0, 0];
  const take = (at, from) => {
    known += from.kept[at];
    gained += from.dropped[at];
    still += result.length ? from.result[at] : 0;
  };
  for (let at = 0; at < stops.length; at += 1) if (keeps(bounds, stops[at])) take(at, stat.curve);
  if (between) {
    for (let at = 0; at <= stops.length; at += 1) {
      // Bounds are stops, so all values between two stops are judged alike.
      const [low, high] = [stops[at - 1], stops[at]];
      const inside = at === 0 ? high - 1 : at === stops.length ? low + 1 : low + (high - low) / 2;
      if (keeps(bounds, inside)) take(at, between);
    }
  }
  const lost = stat.knows_kept ? stat.kept - known : 0;
  return { stay: stat.rows_out - lost + gained, lost, gained, result: result.length ? stat.result_rows - (stat.result_known - still) : null };
};
