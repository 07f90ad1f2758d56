// Write operators for djhost in JavaScript or TypeScript. The types in `index.d.ts` are the reference.

import { InvalidParams } from "./params.js";

export { vector } from "./columns.js";
export { filter } from "./filter.js";
export { deduplicator, selector } from "./global.js";
export { hash128 } from "./hash.js";
export { expander, mapper } from "./mapper.js";
export { FastText, KenLM, Lines, Onnx, Substrings, Tokenizer, Words, model } from "./models.js";
export { read } from "./operator.js";
export { InvalidParams, Reject, boolean, choice, integer, list, number, string } from "./params.js";

/** What the contract calls an error: thrown as it is, the bindings make it a result. */
function answer(call) {
  try {
    return call();
  } catch (error) {
    if (error instanceof InvalidParams) throw { tag: "invalid-params", val: error.message };
    const place = /at .*/.exec(error.stack ?? "")?.[0];
    throw { tag: "failed", val: `${error.name}: ${error.message}${place ? ` (${place})` : ""}` };
  }
}

/** The component's export: `export const ops = component(FILTER, MAPPER, …)`. */
export function component(...operators) {
  class Op {
    constructor(instance) {
      this.instance = instance;
    }

    // `want` is for operators with traits, and none has any here.
    static create(name, params, _want) {
      return answer(() => {
        const found = operators.find((operator) => operator.name === name);
        if (!found) throw new InvalidParams(`there is no operator \`${name}\` here`);
        return new Op(found.create(params));
      });
    }

    signature() {
      return this.instance.signature();
    }

    process(batch) {
      return answer(() => this.instance.process(batch));
    }

    select(keys) {
      return answer(() => this.instance.select(keys));
    }
  }
  return { describe: () => operators.map((operator) => operator.describe()), Op };
}
