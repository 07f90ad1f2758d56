// The common part of all kinds of operators: the fields they read, their parameters, and calls row
// by row.

import { reader, typeOf, vector } from "./columns.js";
import { Reject, readParams, schemaOf } from "./params.js";

/** A field to read. */
const field = (type, as) => (path, { optional = false } = {}) => ({ path, type, as, optional });

/** The types of fields for an operator's `reads`. Without a path the field has the name in `reads`. */
export const read = {
  text: field("utf8", "utf8"),
  bytes: field("utf8", "bytes"),
  json: field("json", "json"),
  number: field("f64", "f64"),
  integer: field("s64", "s64"),
  boolean: field("boolean", "boolean"),
  texts: field("utf8-list", "utf8-list"),
  numbers: field("f64-list", "f64-list"),
  integers: field("s64-list", "s64-list"),
  blob: field("bytes", "bytes"),
  blobs: field("bytes-list", "bytes-list"),
  vector: (width, path, options) => field(vector(width), "vector")(path, options),
};

/** The names that refer to the recipe's `text_key` and so on. */
const KEYS = { text: "text_key", images: "image_key", image_bytes: "image_bytes_key", audios: "audio_key", videos: "video_key" };

const NO_TRAITS = { leavesOutStats: false, givesDropReasons: false, takesClusters: false, jsonConstants: false };

/** An operator: `definition` as its author wrote it, `Instance` the class of it with parameters. */
export function operator(kind, definition, Instance) {
  const { name, summary, params = {}, cost = kind === "deduplicator" ? "medium" : "light" } = definition;
  if (!/^[a-z][a-z0-9_]{0,63}$/.test(name)) throw new TypeError(`\`${name}\` is no name for an operator: lower-case letters, digits and \`_\`, at most 64`);
  if (!summary) throw new TypeError(`\`${name}\` needs a summary: one sentence for \`djhost ops list\``);
  if (!definition.row === !definition.columns) throw new TypeError(`\`${name}\` needs either \`row\` or \`columns\`, a function`);
  const complete = { ...definition, params, reads: definition.reads ?? { text: read.text() } };
  const models = Object.values(params).some(({ schema }) => schema.format === "model");
  const needs = { media: false, files: false, models };
  const variant = kind === "deduplicator" ? { tag: kind, val: { tag: "equal" } } : { tag: kind };
  return {
    name,
    describe: () => ({ name, kind: variant, summary, paramsSchema: JSON.stringify(schemaOf(params)), cost, traits: NO_TRAITS, needs }),
    create: (text) => new Instance(complete, readParams(params, text)),
  };
}

/** An operator with its parameters. */
export class Base {
  constructor(definition, { common, values }) {
    this.definition = definition;
    this.common = common;
    this.params = values;
    definition.prepare?.(values);
    this.inputs = Object.entries(definition.reads).map(([name, input]) => {
      const path = input.path ?? name;
      return { ...input, name, path: path in KEYS ? common[KEYS[path]] : path };
    });
  }

  signature() {
    const reads = this.inputs.map(({ path, type, optional }) => ({ path, type: typeOf(type), required: !optional }));
    return { reads, writes: [], writesStats: [], wholeRows: false };
  }

  /**
   * The answers of the function for all rows, null where it rejects one or where the row is not needed, and the rejected rows. `finish` is
   * called while the row can still be blamed for its answer.
   */
  calls(batch, finish, needed = () => true) {
    const rows = batch.rowIds.length;
    const { row: byRow, columns: byColumn } = this.definition;
    const rejected = [];
    const answers = new Array(rows).fill(null);
    const guarded = (i, answer) => {
      try {
        const value = answer();
        if (value instanceof Reject) throw value;
        answers[i] = finish(value);
      } catch (error) {
        if (!(error instanceof Reject)) throw error;
        rejected.push({ row: i, reason: error.message });
      }
    };
    if (byColumn) {
      const fields = Object.fromEntries(this.inputs.map((input, i) => [input.name, batch.fields[i].values.val]));
      const found = byColumn({ rows, rowIds: batch.rowIds, ...fields }, this.params, this.common);
      if (found.length !== rows) throw new Error(`gave ${found.length} answers for ${rows} rows`);
      for (let i = 0; i < rows; i += 1) guarded(i, () => found[i]);
      return { answers, rejected };
    }
    const readers = this.inputs.map((input, i) => [input.name, reader(batch.fields[i].values, input.as)]);
    for (let i = 0; i < rows; i += 1) {
      if (!needed(i)) continue;
      const row = { id: batch.rowIds[i] };
      for (const [name, value] of readers) row[name] = value(i);
      guarded(i, () => byRow(row, this.params, this.common));
    }
    return { answers, rejected };
  }
}
