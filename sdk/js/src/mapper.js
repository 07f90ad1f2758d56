import { encode, reader, typeOf } from "./columns.js";
import { Base, operator } from "./operator.js";

class MapperInstance extends Base {
  constructor(...args) {
    super(...args);
    this.writes = Object.entries(this.definition.writes ?? { [this.common.text_key]: "utf8" });
  }

  signature() {
    return { ...super.signature(), writes: this.writes.map(([path, type]) => ({ path, type: typeOf(type) })) };
  }

  /** The function's result for a row as an object of fields. */
  byPath(value) {
    if (value === null || value === undefined) return {};
    if (!this.definition.writes) return { [this.writes[0][0]]: value };
    const wrong = Object.keys(value).find((path) => !this.writes.some(([written]) => written === path));
    if (wrong !== undefined) throw new Error(`\`${wrong}\` is not among \`writes\``);
    return value;
  }

  process(batch) {
    const { answers, rejected } = this.calls(batch, (value) => this.byPath(value));
    const updates = [];
    for (const [path, type] of this.writes) {
      const before = batch.fields.find((f) => f.path === path && f.values.tag === type);
      const old = before && ["utf8", "f64", "s64", "boolean"].includes(type) ? reader(before.values, type) : undefined;
      const rows = [];
      const values = [];
      answers.forEach((answer, i) => {
        if (answer === null || !(path in answer) || (old && old(i) === answer[path])) return;
        rows.push(i);
        values.push(answer[path]);
      });
      if (rows.length > 0) updates.push({ path, rows: Uint32Array.from(rows), values: encode(type, values) });
    }
    return { tag: "updated", val: { updates, rejected } };
  }
}

class ExpanderInstance extends MapperInstance {
  process(batch) {
    const { answers, rejected } = this.calls(batch, (value) => Array.from(value ?? [], (item) => this.byPath(item)));
    const origins = [];
    const made = [];
    answers.forEach((items, i) => {
      for (const item of items ?? []) {
        origins.push(i);
        made.push(item);
      }
    });
    const fields = this.writes.map(([path, type]) => ({ path, values: encode(type, made.map((item) => item[path])) }));
    return { tag: "rows", val: { origins: Uint32Array.from(origins), fields, rejected } };
  }
}

/** A mapper: see `MapperDefinition` in `index.d.ts`. */
export const mapper = (definition) => operator("mapper", definition, MapperInstance);

/** A mapper that makes 0..n rows of each: see `ExpanderDefinition` in `index.d.ts`. */
export const expander = (definition) => operator("mapper", definition, ExpanderInstance);
