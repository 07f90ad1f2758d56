// Runs an operator without WebAssembly, through the code that a component runs: for unit tests.

import { encode, reader } from "./columns.js";
import { Model, doubles } from "./models.js";

const STATS = "__dj__stats__";

const get = (row, path) => path.split(".").reduce((value, name) => value?.[name], row) ?? null;

function put(row, path, value) {
  const names = path.split(".");
  const last = names.pop();
  let at = row;
  for (const name of names) at = at[name] ??= {};
  at[last] = value;
}

function values({ tag, val }, rows) {
  const value = reader({ tag, val }, tag);
  return Array.from({ length: rows }, (_, i) => value(i));
}

const finished = {
  filtered({ keep, stats }, rows) {
    for (const { path, values: column } of stats) values(column, rows.length).forEach((v, i) => put(rows[i], `${STATS}.${path}`, v));
    return rows.filter((_, i) => keep[i] === 1);
  },
  updated({ updates }, rows) {
    for (const { path, rows: changed, values: column } of updates) {
      values(column, changed.length).forEach((v, i) => put(rows[changed[i]], path, v));
    }
    return rows;
  },
  rows({ origins, fields }, rows) {
    const made = Array.from(origins, (origin) => structuredClone(rows[origin]));
    for (const { path, values: column } of fields) values(column, made.length).forEach((v, i) => put(made[i], path, v));
    return made;
  },
  fingerprints({ width, perRow, data, validity }, rows) {
    const seen = new Set();
    return rows.filter((_, i) => {
      if (validity !== undefined && ((validity[i >> 3] >> (i & 7)) & 1) === 0) return true;
      const at = (j) => (i * perRow + j) * width;
      const prints = Array.from({ length: perRow }, (_, j) => `${j}:${data.slice(at(j), at(j) + width)}`);
      const duplicate = prints.some((print) => seen.has(print));
      prints.forEach((print) => seen.add(print));
      return !duplicate;
    });
  },
  keys({ keys }, rows, instance) {
    const flags = instance.select(keys);
    return rows.filter((_, i) => flags[i] === 1);
  },
};

/** In place of a model there is a double, an object of a class of the test. */
function created(operator, params) {
  const lent = Object.entries(params).filter(([, value]) => value instanceof Model);
  lent.forEach(([name, double]) => doubles.set(name, double));
  try {
    return operator.create(JSON.stringify({ ...params, ...Object.fromEntries(lent.map(([name]) => [name, "a double"])) }));
  } finally {
    doubles.clear();
  }
}

export function run(operator, given, params = {}) {
  const rows = structuredClone(given);
  if (rows.length === 0) return [];
  const instance = created(operator, params);
  const { reads, writesStats } = instance.signature();
  const field = (path, type) => ({ path, values: encode(type, rows.map((row) => get(row, path))) });
  for (const { path, required } of reads) {
    const missing = rows.findIndex((row) => get(row, path) === null);
    if (required && missing >= 0) throw new Error(`row ${missing} has no \`${path}\``);
  }
  const stats = writesStats.map(({ path, type }) => [`${STATS}.${path}`, type]).filter(([path]) => rows.some((row) => get(row, path) !== null));
  const fields = [...reads.map(({ path, type }) => field(path, type)), ...stats.map(([path, type]) => field(path, type))];
  const { tag, val } = instance.process({ rowIds: BigUint64Array.from(rows, (_, i) => BigInt(i)), fields });
  if (val.rejected.length > 0) throw new Error(`row ${val.rejected[0].row} is rejected: ${val.rejected[0].reason}`);
  return finished[tag](val, rows, instance);
}
