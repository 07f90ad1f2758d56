// Models that the recipe lends. They stay in the host, once for all instances; the methods take one text, or an array of texts, which is much
// faster. What fails for one text of several is a `Reject` in its place; for a text alone it is thrown.

import { decodeTexts, encodeTexts } from "./columns.js";
import { InvalidParams, Reject } from "./params.js";
import { service } from "#service";

/** What one call passes to the host at most; more units only for a single text. */
const MOST_TEXTS = 4096;
const MOST_UNITS = 1 << 19;

/** Doubles by parameter, for tests. */
export const doubles = new Map();

/** What the host says. */
const said = (error) => error?.payload ?? error?.message ?? String(error);

const cut = (offsets, values) => Array.from({ length: offsets.length - 1 }, (_, i) => Array.from(values.slice(offsets[i], offsets[i + 1])));

function* batches(texts) {
  let batch = [];
  let size = 0;
  for (const text of texts) {
    if (batch.length > 0 && (batch.length === MOST_TEXTS || size + text.length > MOST_UNITS)) {
      yield batch;
      batch = [];
      size = 0;
    }
    batch.push(text);
    size += text.length;
  }
  if (batch.length > 0) yield batch;
}

/** A model of any kind. */
export class Model {
  #handle;

  constructor(handle) {
    this.#handle = handle;
  }

  /** Calls a method of the host. */
  ask(method, ...args) {
    if (this.#handle === undefined) throw new Error(`this double of a model has no \`${method}\``);
    try {
      return this.#handle[method](...args);
    } catch (error) {
      throw new Error(said(error));
    }
  }

  /** The answers for all texts. `ask` gets a column of some of them, and returns `found`, their answers, and what `failed`. */
  ofTexts(texts, ask) {
    if (typeof texts === "string" || texts instanceof Uint8Array) {
      const [answer] = this.ofTexts([texts], ask);
      if (answer instanceof Reject) throw answer;
      return answer;
    }
    const answers = [];
    for (const batch of batches(texts)) {
      const { found, failed = [] } = ask(encodeTexts(batch));
      for (const { row, reason } of failed) found[row] = new Reject(reason);
      for (const answer of found) answers.push(answer);
    }
    return answers;
  }
}

export class KenLM extends Model {
  score(texts, { begin = true, end = true } = {}) {
    return this.ofTexts(texts, (some) => ({ found: Array.from(this.ask("score", some, begin, end)) }));
  }
}

export class FastText extends Model {
  labels() {
    return decodeTexts(this.ask("labels"));
  }

  classify(texts, { k = 1 } = {}) {
    const labels = this.labels();
    return this.ofTexts(texts, (some) => {
      const { offsets, ids, scores } = this.ask("classify", some, k);
      return { found: cut(offsets, Array.from(ids, (id, i) => ({ label: labels[id], score: scores[i] }))) };
    });
  }
}

export class Tokenizer extends Model {
  count(texts, { special = false } = {}) {
    return this.ofTexts(texts, (some) => {
      const { values, failed } = this.ask("count", some, special);
      return { found: Array.from(values), failed };
    });
  }

  encode(texts, { special = false } = {}) {
    return this.ofTexts(texts, (some) => {
      const { offsets, ids, failed } = this.ask("encode", some, special);
      return { found: cut(offsets, ids), failed };
    });
  }

  pieces(texts) {
    return this.ofTexts(texts, (some) => {
      const { offsets, values, failed } = this.ask("pieces", some);
      return { found: cut(offsets, decodeTexts(values)), failed };
    });
  }

  decode(ids) {
    const { values, failed } = this.ask("decode", Uint32Array.of(0, ids.length), Uint32Array.from(ids));
    if (failed.length > 0) throw new Reject(failed[0].reason);
    return decodeTexts(values)[0];
  }
}

/** The class of an array of numbers, by the case of the contract. */
const ARRAYS = { f32: Float32Array, int64: BigInt64Array, uint8: Uint8Array };

export class Onnx extends Model {
  run(inputs) {
    const sent = Object.entries(inputs).map(([name, { shape, data }]) => {
      const tag = Object.keys(ARRAYS).find((tag) => data instanceof ARRAYS[tag]);
      if (tag === undefined) throw new TypeError(`\`${name}\`: the data of a tensor is a Float32Array, a BigInt64Array or a Uint8Array`);
      return { name, shape: Uint32Array.from(shape), data: { tag, val: data } };
    });
    return Object.fromEntries(this.ask("run", sent).map(({ name, shape, data }) => [name, { shape: Array.from(shape), data: data.val }]));
  }
}

export class Lines extends Model {
  contains(texts) {
    return this.ofTexts(texts, (some) => ({ found: Array.from(this.ask("contains", some), Boolean) }));
  }
}

export class Words extends Lines {}

export class Substrings extends Words {
  occurrences(texts, { most }) {
    return this.ofTexts(texts, (some) => ({ found: Array.from(this.ask("occurrences", some, most)) }));
  }
}

function opened(Kind, parameter, optional) {
  if (doubles.has(parameter)) return doubles.get(parameter);
  if (service === undefined) {
    if (optional) return null;
    throw new InvalidParams(`\`${parameter}\`: give a double, a \`${Kind.name}\` of your own, to \`run\``);
  }
  if (optional && !service.lent().includes(parameter)) return null;
  try {
    return new Kind(service.Model.open(parameter));
  } catch (error) {
    throw new InvalidParams(`\`${parameter}\`: ${said(error)}`);
  }
}

/** A parameter that names a model. */
const lent = (kind, Kind) => ({ doc, optional = false } = {}) => {
  const schema = { type: "string", format: "model", "x-model": { kind, ...(optional ? { optional } : {}) } };
  if (doc !== undefined) schema.description = doc;
  const read = (value, place) => {
    if (typeof value !== "string") throw new InvalidParams(`\`${place}\`: expected the name of a model, not ${JSON.stringify(value)}`);
    return opened(Kind, place, optional);
  };
  return { schema, read, fallback: optional ? null : undefined };
};

/** Parameters that name models: `params: { model: model.kenlm() }`. The calls are marked as pure: of an operator without models nothing here stays, and
 * so no import of the host. */
export const model = {
  kenlm: /* @__PURE__ */ lent("kenlm", KenLM),
  fasttext: /* @__PURE__ */ lent("fasttext", FastText),
  tokenizer: /* @__PURE__ */ lent("tokenizer", Tokenizer),
  onnx: /* @__PURE__ */ lent("onnx", Onnx),
  lines: /* @__PURE__ */ lent("lines", Lines),
  words: /* @__PURE__ */ lent("words", Words),
  substrings: /* @__PURE__ */ lent("substrings", Substrings),
};
