import { encode, reader, typeOf } from "./columns.js";
import { Base, operator } from "./operator.js";
import { keeps } from "./params.js";

const STATS = "__dj__stats__.";

class FilterInstance extends Base {
  signature() {
    const writesStats = Object.entries(this.definition.stats ?? {}).map(([path, type]) => ({ path, type: typeOf(type) }));
    return { ...super.signature(), writesStats };
  }

  process(batch) {
    const { stats = {}, range, keep } = this.definition;
    const keys = Object.keys(stats);
    const given = batch.fields.slice(this.inputs.length);
    const known = keys.map((key) => given.find((f) => f.path === STATS + key)).map((f) => (f ? reader(f.values, f.values.tag) : () => null));
    const before = (i) => known.map((value) => value(i));
    const missing = keys.length === 0 ? undefined : (i) => before(i).includes(null);
    const isOne = (answer) => keys.length === 1 && (typeof answer !== "object" || Array.isArray(answer) || ArrayBuffer.isView(answer));
    const one = (answer) => (isOne(answer) ? [answer] : keys.map((key) => answer[key]));
    const { answers, rejected } = this.calls(batch, keys.length === 0 ? Boolean : one, missing);
    const lost = new Set(rejected.map(({ row }) => row));
    const flags = new Uint8Array(answers.length);
    const values = keys.map(() => new Array(answers.length).fill(null));
    const bounds = range?.(this.params) ?? [];
    answers.forEach((answer, i) => {
      if (lost.has(i)) return;
      if (keys.length === 0) {
        flags[i] = answer ? 1 : 0;
        return;
      }
      const row = before(i).map((old, k) => old ?? answer[k]);
      row.forEach((value, k) => (values[k][i] = value));
      const kept = range
        ? keeps(this.common, row[0], ...bounds)
        : keep(Object.fromEntries(keys.map((key, k) => [key, row[k]])), this.params, this.common);
      flags[i] = kept ? 1 : 0;
    });
    const fields = keys.map((path, k) => ({ path, values: encode(stats[path], values[k]) }));
    return { tag: "filtered", val: { keep: flags, stats: fields, rejected } };
  }
}

/** A filter: see `FilterDefinition` in `index.d.ts`. */
export function filter(definition) {
  const { name, stats = {}, range, keep } = definition;
  const count = Object.keys(stats).length;
  if (range && (keep || count !== 1)) throw new TypeError(`\`${name}\`: \`range\` is for one stat and takes the place of \`keep\``);
  if (count > 0 && !range && !keep) throw new TypeError(`\`${name}\`: give \`range\` or \`keep\``);
  return operator("filter", definition, FilterInstance);
}
