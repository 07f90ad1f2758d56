// Columns: the values of one field for some rows, in Arrow's memory layout. The shapes are those that the bindings use for the contract.

import { decode, encode as bytesOf } from "./utf8.js";

const isSet = (validity, i) => validity === undefined || ((validity[i >> 3] >> (i & 7)) & 1) === 1;

/** The LSB-first bitmap of some flags; undefined if all are true. */
export function bitmap(flags) {
  if (flags.every(Boolean)) return undefined;
  const bits = new Uint8Array((flags.length + 7) >> 3);
  flags.forEach((flag, i) => flag && (bits[i >> 3] |= 1 << (i & 7)));
  return bits;
}

const bytesAt = (texts, i) => texts.data.subarray(texts.offsets[i], texts.offsets[i + 1]);

const readers = {
  utf8: (column, i) => decode(bytesAt(column, i)),
  bytes: bytesAt,
  json: (column, i) => JSON.parse(decode(bytesAt(column, i))),
  f64: (column, i) => column.values[i],
  s64: (column, i) => Number(column.values[i]),
  boolean: (column, i) => column.values[i] !== 0,
  "utf8-list": (column, i) => {
    const found = [];
    for (let at = column.offsets[i]; at < column.offsets[i + 1]; at += 1) found.push(readers.utf8(column.values, at));
    return found;
  },
  "f64-list": (column, i) => Array.from(column.values.slice(column.offsets[i], column.offsets[i + 1])),
  "s64-list": (column, i) => Array.from(column.values.slice(column.offsets[i], column.offsets[i + 1]), Number),
  "bytes-list": (column, i) => {
    const found = [];
    for (let at = column.offsets[i]; at < column.offsets[i + 1]; at += 1) found.push(bytesAt(column.values, at));
    return found;
  },
  vector: (column, i) => column.values.slice(i * column.width, (i + 1) * column.width),
};

/** The type of vectors of so many numbers. */
export const vector = (width) => ({ tag: "vector", val: width });

/** A column type as the contract has it: `"utf8"` becomes `{ tag: "utf8" }`. */
export const typeOf = (type) => (typeof type === "string" ? { tag: type } : type);

/** A function that returns the value of a row, null if it has none. `as` is a case of a column, or `bytes` for strings that are not decoded. */
export function reader(column, as) {
  const { val } = column;
  const read = readers[as];
  const validity = val.validity ?? undefined;
  return validity === undefined ? (i) => read(val, i) : (i) => (isSet(validity, i) ? read(val, i) : null);
}

function offsetsOf(lengths) {
  const offsets = new Uint32Array(lengths.length + 1);
  lengths.forEach((length, i) => (offsets[i + 1] = offsets[i] + length));
  return offsets;
}

function texts(values) {
  const parts = values.map((v) => (v === null ? new Uint8Array(0) : v instanceof Uint8Array ? v : bytesOf(v)));
  const offsets = offsetsOf(parts.map((part) => part.length));
  const data = new Uint8Array(offsets[parts.length]);
  parts.forEach((part, i) => data.set(part, offsets[i]));
  return { offsets, data, validity: bitmap(values.map((v) => v !== null)) };
}

const text = (value) => {
  if (typeof value !== "string" && !(value instanceof Uint8Array)) throw new TypeError(`${typeof value} instead of a string`);
  return value;
};
const numeric = (value) => {
  if (typeof value !== "number" && typeof value !== "boolean") throw new TypeError(`${typeof value} instead of a number`);
  return Number(value);
};
const blob = (value) => {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${typeof value} instead of a Uint8Array`);
  return value;
};
const whole = (value) => BigInt(Math.trunc(numeric(value)));
const orNull = (convert) => (value) => (value === null ? null : convert(value));

function numbers(values, make) {
  const validity = bitmap(values.map((v) => v !== null));
  return { values: make(values.map((v) => (v === null ? 0 : numeric(v)))), validity };
}

function lists(values, encodeItems) {
  const present = values.map((v) => Array.from(v ?? []));
  return { offsets: offsetsOf(present.map((v) => v.length)), values: encodeItems(present.flat()), validity: bitmap(values.map((v) => v !== null)) };
}

function vectors(values, width) {
  const all = new Float32Array(values.length * width);
  values.forEach((v, i) => {
    if (v === null) return;
    if (v.length !== width) throw new RangeError(`${v.length} numbers where ${width} are declared`);
    all.set(v, i * width);
  });
  return { width, values: all, validity: bitmap(values.map((v) => v !== null)) };
}

const encoders = {
  utf8: (values) => texts(values.map(orNull(text))),
  json: (values) => texts(values.map(orNull((v) => JSON.stringify(v)))),
  f64: (values) => numbers(values, Float64Array.from.bind(Float64Array)),
  s64: (values) => numbers(values, (all) => BigInt64Array.from(all.map((v) => BigInt(Math.trunc(v))))),
  boolean: (values) => numbers(values, (all) => Uint8Array.from(all.map((v) => (v === 0 ? 0 : 1)))),
  "utf8-list": (values) => lists(values, (items) => texts(items.map(text))),
  "f64-list": (values) => lists(values, (items) => Float64Array.from(items.map(numeric))),
  "s64-list": (values) => lists(values, (items) => BigInt64Array.from(items.map(whole))),
  bytes: (values) => texts(values.map(orNull(blob))),
  "bytes-list": (values) => lists(values, (items) => texts(items.map(blob))),
  vector: vectors,
};

/** The column of this type with these values, null for a null. */
export function encode(type, values) {
  const { tag, val: width } = typeOf(type);
  return { tag, val: encoders[tag](values.map((value) => value ?? null), width) };
}

/** The column of texts, strings or their UTF-8 bytes, as models take it. */
export const encodeTexts = (values) => {
  const { offsets, data } = texts(values.map(text));
  return { offsets, data };
};

/** All values of such a column. */
export const decodeTexts = (column) => Array.from({ length: column.offsets.length - 1 }, (_, i) => decode(bytesAt(column, i)));
