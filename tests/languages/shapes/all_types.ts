// Operators that read and write every type of the contract, and fail in every way.

import { Reject, component, filter, integer, mapper, read, selector, vector } from "djhost-sdk";

const optional = { optional: true } as const;

const typesMapper = mapper({
  name: "ts_types_mapper",
  summary: "Writes what it reads, once more.",
  reads: {
    any: read.json("any", optional),
    num: read.number("num", optional),
    int: read.integer("int", optional),
    flag: read.boolean("flag", optional),
    list: read.texts("list", optional),
    nums: read.numbers("nums", optional),
    ints: read.integers("ints", optional),
    blob: read.blob("blob", optional),
    blobs: read.blobs("blobs", optional),
    vec: read.vector(2, "vec", optional),
  },
  writes: {
    "w.any": "json",
    "w.num": "f64",
    "w.int": "s64",
    "w.flag": "boolean",
    "w.list": "utf8-list",
    "w.nums": "f64-list",
    "w.ints": "s64-list",
    "w.blob": "bytes",
    "w.blobs": "bytes-list",
    "w.vec": vector(2),
  },
  row: ({ any, num, int, flag, list, nums, ints, blob, blobs, vec }) => ({
    "w.any": any,
    "w.num": num,
    "w.int": int,
    "w.flag": flag,
    "w.list": list,
    "w.nums": nums,
    "w.ints": ints,
    "w.blob": blob,
    "w.blobs": blobs,
    "w.vec": vec,
  }),
});

const failingFilter = filter({
  name: "ts_failing_filter",
  summary: "Rejects and fails.",
  stats: { ts_length: "s64", ts_first: "utf8" },
  keep: (stats) => Number(stats.ts_length) > 0,
  row({ text }) {
    if (text === "reject") throw new Reject("rejected by name");
    if (text === "fail") throw new RangeError("failed by name");
    return { ts_length: text.length, ts_first: text.slice(0, 1) };
  },
});

const columnsFilter = filter({
  name: "ts_columns_filter",
  summary: "Drops the rows of four bytes, over columns.",
  columns({ rows, rowIds, text }, _, common) {
    if (common.seed !== 42 || rowIds.length !== rows) throw new Error("wrong batch");
    return Array.from({ length: rows }, (_, i) => text.offsets[i + 1] - text.offsets[i] !== 4);
  },
});

const topSelector = selector({
  name: "ts_top_selector",
  summary: "Keeps the rows with the greatest numbers.",
  params: { n: integer({ default: 2, min: 1 }) },
  reads: { int: read.integer("int", optional) },
  key: "s64",
  row: ({ int }) => int,
  choose(keys, { n }) {
    const least = keys.filter((key) => key !== null).sort((a, b) => b - a)[n - 1];
    return keys.map((key) => key !== null && key >= least);
  },
});

export const ops = component(typesMapper, failingFilter, columnsFilter, topSelector);
