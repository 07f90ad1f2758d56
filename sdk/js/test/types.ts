// Compiled by `npm test`: the functions get typed parameters and fields, and wrong uses are errors.

import { choice, filter, integer, list, mapper, number, read, string } from "djhost-sdk";

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
