import { bitmap, encode, reader } from "./columns.js";
import { hash128 } from "./hash.js";
import { Base, operator } from "./operator.js";
import { encode as utf8 } from "./utf8.js";

const WIDTH = 16;

function print(value) {
  const bytes = typeof value === "string" ? hash128(utf8(value)) : value;
  if (!(bytes instanceof Uint8Array) || bytes.length !== WIDTH) throw new Error(`a fingerprint is a string, or ${WIDTH} bytes`);
  return bytes;
}

class DeduplicatorInstance extends Base {
  process(batch) {
    const { perRow = 1 } = this.definition;
    const finish = (value) => {
      if (value === null || value === undefined) return null;
      const prints = Array.isArray(value) ? value : [value];
      if (prints.length !== perRow) throw new Error(`gave ${prints.length} fingerprints instead of ${perRow}`);
      return prints.map(print);
    };
    const { answers, rejected } = this.calls(batch, finish);
    const data = new Uint8Array(answers.length * perRow * WIDTH);
    answers.forEach((prints, i) => prints?.forEach((bytes, j) => data.set(bytes, (i * perRow + j) * WIDTH)));
    const validity = bitmap(answers.map((prints) => prints !== null));
    return { tag: "fingerprints", val: { width: WIDTH, perRow, data, validity, rejected } };
  }
}

class SelectorInstance extends Base {
  process(batch) {
    const { answers, rejected } = this.calls(batch, (value) => value);
    return { tag: "keys", val: { keys: encode(this.definition.key, answers), rejected } };
  }

  select(keys) {
    const { val } = keys;
    const rows = val.values && !val.offsets ? val.values.length : val.offsets.length - 1;
    const key = reader(keys, keys.tag);
    const flags = this.definition.choose(Array.from({ length: rows }, (_, i) => key(i)), this.params, this.common);
    if (flags.length !== rows) throw new Error(`chose among ${flags.length} rows instead of ${rows}`);
    return Uint8Array.from(flags, (flag) => (flag ? 1 : 0));
  }
}

/** A deduplicator: see `DeduplicatorDefinition` in `index.d.ts`. */
export const deduplicator = (definition) => operator("deduplicator", definition, DeduplicatorInstance);

/** A selector: see `SelectorDefinition` in `index.d.ts`. */
export const selector = (definition) => operator("selector", definition, SelectorInstance);
