/**
 * Write operators for djhost in JavaScript or TypeScript: an object with a name, typed parameters and a plain function, made an operator by
 * `filter`, `mapper`, `expander`, `deduplicator` or `selector`, and exported by `component`.
 */

/** A parameter: the schema by which the host checks a recipe, and the type that the function gets. */
export interface Param<T> {
  readonly schema: object;
  readonly fallback: T | undefined;
  read(value: unknown, place: string): T;
}

interface Options<T> {
  /** The value if the recipe gives none. Without it the recipe must give one. */
  default?: T;
  /** The description in `djhost ops show`. */
  doc?: string;
}

interface Bounds extends Options<number> {
  min?: number;
  max?: number;
}

export function number(options?: Bounds): Param<number>;
export function integer(options?: Bounds): Param<number>;
export function string(options?: Options<string>): Param<string>;
export function boolean(options?: Options<boolean>): Param<boolean>;
export function choice<const T extends string | number>(values: readonly T[], options?: Options<NoInfer<T>>): Param<T>;
export function list<T>(items: Param<T>, options?: Options<T[]>): Param<T[]>;

/** A field to read. */
export interface Input<T> {
  readonly path: string | undefined;
  readonly optional: boolean;
  /** Only for the type. */
  readonly value?: T;
}

interface Read<T> {
  /** `path` has names joined by dots; without it, the name in `reads`. `text` and `images` stand for what the recipe calls so. */
  (path?: string): Input<T>;
  /** A row without the field is not sent to quarantine: the value is null. */
  (path: string | undefined, options: { optional: true }): Input<T | null>;
}

export const read: {
  text: Read<string>;
  /** The UTF-8 bytes of a string, which cost nothing to decode. */
  bytes: Read<Uint8Array>;
  json: Read<unknown>;
  number: Read<number>;
  /** Exact up to 2^53. */
  integer: Read<number>;
  boolean: Read<boolean>;
  texts: Read<string[]>;
  numbers: Read<number[]>;
  /** Each exact up to 2^53. */
  integers: Read<number[]>;
  /** Bytes, such as an image: of binary columns and of images as Hugging Face's `datasets` stores them, in JSON of hexadecimal digits. */
  blob: Read<Uint8Array>;
  blobs: Read<Uint8Array[]>;
  /** So many numbers of single precision, such as an embedding. */
  vector: {
    (width: number, path?: string): Input<Float32Array>;
    (width: number, path: string | undefined, options: { optional: true }): Input<Float32Array | null>;
  };
};

/** The type of a vector of so many numbers. */
export function vector(width: number): Vector;

/** Made by `vector`. */
export interface Vector {
  readonly tag: "vector";
  readonly val: number;
}

/** The types that fields and stats can have. */
export type ColumnType = keyof ValueOf | Vector;

interface ValueOf {
  utf8: string | Uint8Array;
  json: unknown;
  f64: number;
  s64: number;
  boolean: boolean;
  "utf8-list": string[];
  "f64-list": number[];
  "s64-list": number[];
  bytes: Uint8Array;
  "bytes-list": Uint8Array[];
}

type Value<T extends ColumnType> = T extends keyof ValueOf ? ValueOf[T] : Float32Array | readonly number[];

/** The parameters that every operator has. */
export interface Common {
  text_key: string;
  image_key: string;
  image_bytes_key: string;
  audio_key: string;
  video_key: string;
  min_closed_interval: boolean;
  max_closed_interval: boolean;
  reversed_range: boolean;
  seed: number;
}

type Params = Record<string, Param<any>>;
type Inputs = Record<string, Input<any>>;
type Text = { text: Input<string> };
type Values<P> = { readonly [K in keyof P]: P[K] extends Param<infer T> ? T : never };
/** The fields of a row, and its id: unique in a job and independent of how the work is cut. Seed random choices with it. */
type Row<R> = { readonly id: bigint } & { readonly [K in keyof R]: R[K] extends Input<infer T> ? T : never };
/** The columns of a batch in Arrow's layout: `{ offsets, data, validity }` of strings, `{ values, validity }` of numbers. */
type Columns<R> = { readonly rows: number; readonly rowIds: BigUint64Array } & { readonly [K in keyof R]: any };

/** What all operators have. One of `row` and `columns` is given. */
interface Definition<P extends Params, R extends Inputs, A> {
  /** The name that recipes use. */
  name: string;
  /** One sentence for `djhost ops list`. */
  summary: string;
  params?: P;
  /** The work per row. */
  cost?: "light" | "medium" | "heavy";
  /** The fields that it reads; by default the text. */
  reads?: R;
  /** Called once with the parameters: throw `InvalidParams` if they do not go together. */
  prepare?(params: Values<P>): void;
  /** The answer for a row. Throw `Reject` to send the row to quarantine. */
  row?(row: Row<R>, params: Values<P>, common: Common): A;
  /** The answers for a batch, one per row; `Reject` objects for rows that go to quarantine. */
  columns?(batch: Columns<R>, params: Values<P>, common: Common): ArrayLike<A | Reject>;
}

type Stats<S> = { readonly [K in keyof S]: number | string | boolean | string[] | number[] | Float32Array };

export interface FilterDefinition<P extends Params, R extends Inputs, S extends Record<string, ColumnType>>
  extends Definition<P, R, boolean | number | Stats<S>> {
  /** The stats that it computes, by key. `row` returns the only one, or an object with all; without stats, whether the row stays. */
  stats?: S;
  /** The least and the greatest value of the only stat to keep. */
  range?(params: Values<P>): [low: number | undefined, high: number | undefined];
  /** Any other rule. */
  keep?(stats: Stats<S>, params: Values<P>, common: Common): boolean;
}

export interface MapperDefinition<P extends Params, R extends Inputs, W extends Record<string, ColumnType>>
  extends Definition<P, R, string | Uint8Array | Changes<W> | null | undefined> {
  /** The fields that it changes or adds, by path; by default the text. */
  writes?: W;
}

type Changes<W> = { [K in keyof W]?: (W[K] extends ColumnType ? Value<W[K]> : never) | null };

export interface ExpanderDefinition<P extends Params, R extends Inputs, W extends Record<string, ColumnType>>
  extends Definition<P, R, Iterable<string | Changes<W>> | null> {
  /** The fields that it changes or adds, by path; by default the text. Other fields are copied from the row. */
  writes?: W;
}

type Print = string | Uint8Array;

export interface DeduplicatorDefinition<P extends Params, R extends Inputs> extends Definition<P, R, Print | Print[] | null> {
  /** Fingerprints per row, by default 1. Rows with equal ones at the same place are duplicates. */
  perRow?: number;
}

export interface SelectorDefinition<P extends Params, R extends Inputs, K extends ColumnType> extends Definition<P, R, Value<K> | null> {
  /** The type of a key. */
  key: K;
  /** Receives the keys of all rows of the dataset, in input order, and returns for each whether the row stays. */
  choose(keys: (Value<K> | null)[], params: Values<P>, common: Common): ArrayLike<boolean | number>;
}

type Texts = Iterable<string | Uint8Array>;

/**
 * A model that the recipe lends. Its methods take one text, or an array of texts, which is much faster. What fails for one text of several is
 * a `Reject` in its place; for a text alone it is thrown. In a test a double takes its place: an object of a class that extends one of these.
 */
declare class Model {
  private readonly handle: unknown;
}

/** A language model of KenLM. */
export class KenLM extends Model {
  /** The logarithm to base 10 of the probability of a text, whose words are separated by white space. By default it is a whole sentence. */
  score(text: string | Uint8Array, options?: { begin?: boolean; end?: boolean }): number;
  score(texts: Texts, options?: { begin?: boolean; end?: boolean }): number[];
}

interface Label {
  label: string;
  score: number;
}

/** A classifier of fastText. */
export class FastText extends Model {
  /** Without their prefix: `en` for `__label__en`. */
  labels(): string[];
  /** Up to `k` labels, by default 1, best first. */
  classify(text: string | Uint8Array, options?: { k?: number }): Label[];
  classify(texts: Texts, options?: { k?: number }): Label[][];
}

/** A tokenizer of Hugging Face or sentencepiece. `special` adds the tokens that it puts around a text. */
export class Tokenizer extends Model {
  count(text: string | Uint8Array, options?: { special?: boolean }): number;
  count(texts: Texts, options?: { special?: boolean }): (number | Reject)[];
  encode(text: string | Uint8Array, options?: { special?: boolean }): number[];
  encode(texts: Texts, options?: { special?: boolean }): (number[] | Reject)[];
  /** The tokens as the model writes them. */
  pieces(text: string | Uint8Array): string[];
  pieces(texts: Texts): (string[] | Reject)[];
  decode(ids: ArrayLike<number>): string;
}

/** Numbers in row-major order, as many as the product of `shape`. */
export interface Tensor {
  shape: number[];
  data: Float32Array | BigInt64Array | Uint8Array;
}

/** A network in ONNX. */
export class Onnx extends Model {
  /** The outputs by name for the inputs by name. */
  run(inputs: Record<string, Tensor>): Record<string, Tensor>;
}

/** A list whose lines are looked up as they are. */
export class Lines extends Model {
  contains(text: string | Uint8Array): boolean;
  contains(texts: Texts): boolean[];
}

/** A list whose lines are looked up in lower case, without all but letters and digits of ASCII. */
export class Words extends Lines {}

/** A list like that of `Words`, whose entries are searched for within texts. */
export class Substrings extends Words {
  /** How often entries stand in a text, also where they overlap; no further than `most`. */
  occurrences(text: string | Uint8Array, options: { most: number }): number;
  occurrences(texts: Texts, options: { most: number }): number[];
}

interface Lent<M> {
  (options?: { doc?: string }): Param<M>;
  /** The operator works without: then the parameter is null. */
  (options: { doc?: string; optional: true }): Param<M | null>;
}

/** Parameters that name models: `params: { model: model.kenlm() }`. */
export const model: {
  kenlm: Lent<KenLM>;
  fasttext: Lent<FastText>;
  tokenizer: Lent<Tokenizer>;
  onnx: Lent<Onnx>;
  lines: Lent<Lines>;
  words: Lent<Words>;
  substrings: Lent<Substrings>;
};

/** An operator. */
export interface Operator {
  readonly name: string;
}

export function filter<P extends Params = {}, R extends Inputs = Text, const S extends Record<string, ColumnType> = {}>(
  definition: FilterDefinition<P, R, S>,
): Operator;
/** A mapper: the new text, or an object of fields; null or nothing changes nothing. */
export function mapper<P extends Params = {}, R extends Inputs = Text, const W extends Record<string, ColumnType> = {}>(
  definition: MapperDefinition<P, R, W>,
): Operator;
/** A mapper that makes 0..n rows of each: their texts, or objects of fields. */
export function expander<P extends Params = {}, R extends Inputs = Text, const W extends Record<string, ColumnType> = {}>(
  definition: ExpanderDefinition<P, R, W>,
): Operator;
/** A deduplicator: a fingerprint of 16 bytes, a string, which is hashed, or null for a row without duplicates. */
export function deduplicator<P extends Params = {}, R extends Inputs = Text>(definition: DeduplicatorDefinition<P, R>): Operator;
export function selector<K extends ColumnType, P extends Params = {}, R extends Inputs = Text>(
  definition: SelectorDefinition<P, R, K>,
): Operator;

/** The component: `export const ops = component(…)` in the file that is built. */
export function component(...operators: Operator[]): object;

/** 16 bytes for some bytes: MurmurHash3_x86_128. */
export function hash128(bytes: Uint8Array): Uint8Array;

/** Thrown for a row that cannot be judged: it goes to quarantine with the reason. */
export class Reject extends Error {}

/** Thrown for parameters that the user must change. The message names them and says what is valid. */
export class InvalidParams extends Error {}
