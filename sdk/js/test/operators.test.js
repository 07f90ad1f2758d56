import assert from "node:assert/strict";
import { test } from "node:test";

import {
  InvalidParams, KenLM, Reject, Tokenizer, choice, component, deduplicator, expander, filter, hash128, integer, list, mapper, model, number, read,
  selector, string, vector,
} from "djhost-sdk";
import { run } from "djhost-sdk/testing";

import { decode, encode } from "../src/utf8.js";
import { alnumFilter } from "../examples/js/alnum_filter.js";
import { fluencyFilter } from "../examples/js/fluency_filter.js";
import { histogramMapper } from "../examples/js/histogram_mapper.js";
import { prefixDeduplicator } from "../examples/js/prefix_deduplicator.js";
import { splitMapper } from "../examples/js/split_mapper.js";

const texts = (...values) => values.map((text) => ({ text }));
const summary = "Does it.";

test("a filter keeps by its range and reuses the stats that rows have", () => {
  const rows = [...texts("abc", "!!!"), { text: "!!!", __dj__stats__: { js_alnum_ratio: 0.9 } }];
  const kept = run(alnumFilter, rows, { min_ratio: 0.5 });
  assert.deepEqual(kept.map((row) => row.__dj__stats__.js_alnum_ratio), [1, 0.9]);
  assert.equal(run(alnumFilter, texts("a!"), { min_ratio: 0.5, min_closed_interval: false }).length, 0);
  assert.equal(run(alnumFilter, texts("a!", "ab"), { min_ratio: 0.6, reversed_range: true }).length, 2);
});

test("a filter has several stats and a rule", () => {
  const op = filter({
    name: "chatty_filter",
    summary,
    reads: { query: read.text("meta.query"), text: read.text() },
    stats: { query_len: "s64", text_len: "s64" },
    keep: (stats) => stats.text_len > stats.query_len,
    row: ({ query, text }) => ({ query_len: query.length, text_len: text.length }),
  });
  const kept = run(op, [{ meta: { query: "a" }, text: "bb" }, { meta: { query: "aa" }, text: "b" }]);
  assert.deepEqual(kept, [{ meta: { query: "a" }, text: "bb", __dj__stats__: { query_len: 1, text_len: 2 } }]);
});

test("a filter without stats says yes or no, also over columns", () => {
  const op = filter({ name: "short_filter", summary, columns: ({ rows, text }) => Array.from({ length: rows }, (_, i) => text.offsets[i + 1] - text.offsets[i] < 3) });
  assert.deepEqual(run(op, texts("ab", "abc")), texts("ab"));
});

test("a mapper changes the text, or several fields", () => {
  const upper = mapper({ name: "upper_mapper", summary, row: ({ text }) => (text === "stay" ? null : text.toUpperCase()) });
  assert.deepEqual(run(upper, texts("äöü", "stay", "日本")), texts("ÄÖÜ", "stay", "日本"));
  const title = mapper({
    name: "title_mapper",
    summary,
    writes: { "meta.title": "utf8", words: "s64", tags: "utf8-list", any: "json" },
    row: ({ text }) => ({ "meta.title": text.slice(0, 2), words: text.length, tags: [text, "é"], any: { deep: [1, null] } }),
  });
  assert.deepEqual(run(title, texts("abc")), [{ text: "abc", meta: { title: "ab" }, words: 3, tags: ["abc", "é"], any: { deep: [1, null] } }]);
});

test("bytes, lists of whole numbers and vectors are fields", () => {
  const made = run(histogramMapper, [{ file: Uint8Array.of(0, 64, 128, 255) }, { file: null }]);
  assert.deepEqual(made.map((row) => row.histogram && Array.from(row.histogram)), [[0.25, 0.25, 0.25, 0.25], null].map((v) => v ?? undefined));
  const copy = mapper({
    name: "copy_mapper",
    summary,
    reads: { ints: read.integers(), pictures: read.blobs("image_bytes"), v: read.vector(2) },
    writes: { "w.ints": "s64-list", "w.blobs": "bytes-list", "w.v": vector(2) },
    row: ({ ints, pictures, v }) => ({ "w.ints": ints, "w.blobs": pictures, "w.v": v }),
  });
  const [{ w }] = run(copy, [{ ints: [1, -2], shots: [Uint8Array.of(1), Uint8Array.of()], v: [0.5, 1] }], { image_bytes_key: "shots" });
  assert.deepEqual(w, { ints: [1, -2], blobs: [Uint8Array.of(1), Uint8Array.of()], v: Float32Array.of(0.5, 1) });
  const wide = mapper({ name: "wide_mapper", summary, writes: { v: vector(2) }, row: () => ({ v: [1, 2, 3] }) });
  assert.throws(() => run(wide, texts("a")), /3 numbers where 2 are declared/);
});

test("a double takes the place of a model", () => {
  class Lengths extends KenLM {
    score(text) {
      return -text.length;
    }
  }
  const kept = run(fluencyFilter, texts("ab", "abc"), { model: new Lengths() });
  assert.deepEqual(kept, [{ text: "ab", __dj__stats__: { js_log_probability: -2 } }]);
  assert.throws(() => run(fluencyFilter, texts("ab"), { model: "en.arpa" }), /`model`: give a double, a `KenLM` of your own/);
  const described = fluencyFilter.describe();
  assert.deepEqual(JSON.parse(described.paramsSchema).properties.model["x-model"], { kind: "kenlm" });
  assert.equal(described.needs.models, true);
  const brief = filter({
    name: "brief_filter",
    summary,
    params: { tokenizer: model.tokenizer({ optional: true }) },
    row: ({ text }, { tokenizer }) => tokenizer === null || tokenizer.count(text) < 3,
  });
  assert.equal(run(brief, texts("a b c d")).length, 1);
  assert.equal(brief.describe().needs.models, true);
});

test("calls of models are cut, and what fails is told", () => {
  const calls = [];
  const tokenizer = new Tokenizer({
    count({ offsets }) {
      calls.push(offsets.length - 1);
      return { values: Uint32Array.from({ length: offsets.length - 1 }, (_, i) => offsets[i + 1] - offsets[i]), failed: offsets.length === 2 ? [{ row: 0, reason: "no" }] : [] };
    },
  });
  assert.throws(() => tokenizer.count("ab"), (error) => error instanceof Reject && error.message === "no");
  calls.length = 0;
  const counts = tokenizer.count(["abc", "y".repeat(1 << 19), ...new Array(4095).fill("x"), "z"]);
  assert.deepEqual(calls, [1, 1, 4096]);
  assert.deepEqual([counts.length, counts[2], counts[0].message], [4098, 1, "no"]);
});

test("an expander makes rows", () => {
  assert.deepEqual(run(splitMapper, texts("a\nb\n\n \nc", "\n", "d")), texts("a\nb", "c", "d"));
  const op = expander({ name: "twice_mapper", summary, writes: { n: "s64" }, row: () => [{ n: 1 }, { n: 2 }] });
  assert.deepEqual(run(op, texts("a")), [{ text: "a", n: 1 }, { text: "a", n: 2 }]);
});

test("a deduplicator compares code points", () => {
  assert.deepEqual(run(prefixDeduplicator, texts("😀a", "😀b", "😀ac"), { length: 2 }), texts("😀a", "😀b"));
  const op = deduplicator({ name: "bands_deduplicator", summary, perRow: 2, row: ({ text }) => (text === "" ? null : [text[0], text[1]]) });
  assert.deepEqual(run(op, texts("ab", "xb", "ba", "", "")), texts("ab", "ba", "", ""));
});

test("a selector chooses among all keys", () => {
  const op = selector({ name: "longest_selector", summary, key: "f64", row: ({ text }) => text.length, choose: (keys) => keys.map((k) => k === Math.max(...keys)) });
  assert.deepEqual(run(op, texts("a", "abc", "ab")), texts("abc"));
});

test("rows are rejected with a reason", () => {
  const op = mapper({ name: "picky_mapper", summary, row: ({ text }) => { if (text === "bad") throw new Reject("no"); } });
  assert.throws(() => run(op, texts("good", "bad")), /row 1 is rejected: no/);
});

test("parameters are read and checked", () => {
  const params = { ratio: number({ max: 1 }), words: list(string(), { default: [] }), mode: choice(["a", "b"], { default: "a" }), n: integer({ default: 1 }) };
  let seen;
  const op = mapper({ name: "p_mapper", summary, params, prepare: (values) => (seen = values), row: () => null });
  op.create('{"ratio": 0.5, "words": ["x"], "text_key": "body"}');
  assert.deepEqual(seen, { ratio: 0.5, words: ["x"], mode: "a", n: 1 });
  const refused = (text, message) => assert.throws(() => op.create(text), (error) => error instanceof InvalidParams && message.test(error.message));
  refused("{}", /`ratio` is missing/);
  refused('{"ratio": "high"}', /`ratio`: expected a number, not "high"/);
  refused('{"ratio": 2}', /`ratio`: expected at most 1/);
  refused('{"ratio": 1, "words": [1]}', /`words\[0\]`: expected a string/);
  refused('{"ratio": 1, "mode": "c"}', /`mode`: expected `a` or `b`/);
  refused('{"ratio": 1, "n": 1.5}', /`n`: expected a whole number/);
  refused('{"ratio": 1, "m": 1}', /no parameter `m`: valid are `ratio`, `words`, `mode`, `n`/);
  const schema = JSON.parse(op.describe().paramsSchema);
  assert.deepEqual(schema.required, ["ratio"]);
  assert.deepEqual(schema.properties.words, { type: "array", default: [], items: { type: "string" } });
});

test("errors are those of the contract", () => {
  const broken = mapper({ name: "broken_mapper", summary, row: () => { throw new TypeError("oh"); } });
  const { Op } = component(broken);
  const batch = { rowIds: BigUint64Array.of(1n), fields: [{ path: "text", values: { tag: "utf8", val: { offsets: Uint32Array.of(0, 0), data: new Uint8Array() } } }] };
  assert.throws(() => Op.create("broken_mapper", "{}").process(batch), (error) => error.tag === "failed" && /TypeError: oh/.test(error.val));
  assert.throws(() => Op.create("broken_mapper", '{"x": 1}'), { tag: "invalid-params" });
});

test("mistakes in a definition are found at once", () => {
  assert.throws(() => mapper({ name: "Bad Name", summary, row: () => null }), /is no name/);
  assert.throws(() => mapper({ name: "m", row: () => null }), /needs a summary/);
  assert.throws(() => filter({ name: "f", summary, stats: { a: "f64" }, row: () => 1 }), /give `range` or `keep`/);
});

test("UTF-8 goes both ways", () => {
  for (const text of ["", "plain", "é日本😀", "\u0000\u007f\u0080", "x".repeat(10000) + "é"]) {
    assert.deepEqual(encode(text), new TextEncoder().encode(text));
    assert.equal(decode(encode(text)), text);
  }
  assert.equal(decode(encode("a\ud800b")), "a\ufffdb");
});

test("the hash is MurmurHash3_x86_128", () => {
  const hex = (text) => Array.from(new Uint32Array(hash128(encode(text)).buffer), (n) => n.toString(16).padStart(8, "0")).join("");
  assert.equal(hex(""), "00000000000000000000000000000000");
  assert.equal(hex("a"), "a794933c5556b01b5556b01b5556b01b");
  assert.equal(hex("The quick brown fox jumps over the lazy dog"), "2f1583c3ecee2c675d7bf66ce5e91d2c");
  assert.equal(hex("é日本😀"), "dbc4961a8f74ca4ced2cc836ee7d386d");
});
