// Compiled by `npm test`: the functions get typed parameters and fields, and wrong uses are errors.

import { type KenLM, type Tokenizer, choice, filter, integer, list, mapper, model, number, read, string, vector } from "djhost-sdk";

mapper({
  name: "typed_mapper",
  summary: "Has one parameter of each type.",
  params: { ratio: number(), words: list(string()), mode: choice(["a", "b"], { default: "a" }), count: integer({ default: 1 }) },
  reads: { text: read.text(), lang: read.text("meta.lang", { optional: true }), tags: read.texts() },
  writes: { title: "utf8", score: "f64" },
  row({ text, lang, tags }, { ratio, words, mode, count }) {
    const checked: [string, string | null, string[], number, string[], "a" | "b", number] = [text, lang, tags, ratio, words, mode, count];
    // @ts-expect-error `lang` may be null
    lang.length;
    // @ts-expect-error there is no such mode
    mode === "c";
    return { title: checked[0], score: ratio };
  },
});

// @ts-expect-error a field has the type that `writes` says
mapper({ name: "m", summary: "s", writes: { score: "f64" }, row: () => ({ score: "high" }) });

// @ts-expect-error a stat has a type that the contract knows
filter({ name: "f", summary: "s", stats: { count: "i32" }, range: () => [1, 2], row: () => 1 });

mapper({
  name: "lent_mapper",
  summary: "Has models, bytes and vectors.",
  params: { model: model.kenlm(), tokenizer: model.tokenizer({ optional: true }) },
  reads: { file: read.blob(), files: read.blobs("files", { optional: true }), ints: read.integers(), v: read.vector(3, "v", { optional: true }) },
  writes: { out: vector(3), ints: "s64-list", file: "bytes" },
  row({ file, files, ints, v }, { model, tokenizer }) {
    const checked: [Uint8Array, Uint8Array[] | null, number[], Float32Array | null, KenLM, Tokenizer | null] = [file, files, ints, v, model, tokenizer];
    const score: number = model.score("a");
    const scores: number[] = model.score(["a", "b"]);
    // @ts-expect-error it may be null
    tokenizer.count("a");
    // @ts-expect-error a language model does not classify
    model.classify("a");
    return { out: [score, ...scores], ints: checked[2], file: checked[0] };
  },
});
