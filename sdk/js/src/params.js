// Parameters: builders that are both the schema for the host and the reader of the value.

/** A parameter that the user must change. The text names it and says what is valid. */
export class InvalidParams extends Error {}

/** The operator cannot judge this row: it goes to quarantine with the reason. */
export class Reject extends Error {}

const COMMON = {
  text_key: "text",
  image_key: "images",
  image_bytes_key: "image_bytes",
  audio_key: "audios",
  video_key: "videos",
  min_closed_interval: true,
  max_closed_interval: true,
  reversed_range: false,
  seed: 42,
};

function expected(place, what, value) {
  return new InvalidParams(`\`${place}\`: expected ${what}, not ${JSON.stringify(value)}`);
}

function parameter(type, what, accepts, options) {
  const { default: fallback, doc, min, max } = options;
  const schema = { type };
  if (fallback !== undefined && fallback !== Infinity && fallback !== -Infinity) schema.default = fallback;
  if (min !== undefined) schema.minimum = min;
  if (max !== undefined) schema.maximum = max;
  if (doc !== undefined) schema.description = doc;
  const read = (value, place) => {
    if (!accepts(value)) throw expected(place, what, value);
    if (min !== undefined && value < min) throw expected(place, `at least ${min}`, value);
    if (max !== undefined && value > max) throw expected(place, `at most ${max}`, value);
    return value;
  };
  return { schema, read, fallback };
}

/** A number. */
export const number = (options = {}) => parameter("number", "a number", (v) => typeof v === "number", options);

/** A whole number. */
export const integer = (options = {}) => parameter("integer", "a whole number", (v) => Number.isInteger(v), options);

/** A string. */
export const string = (options = {}) => parameter("string", "a string", (v) => typeof v === "string", options);

/** True or false. */
export const boolean = (options = {}) => parameter("boolean", "true or false", (v) => typeof v === "boolean", options);

/** One of these values. */
export function choice(values, options = {}) {
  const made = parameter(undefined, values.map((v) => `\`${v}\``).join(" or "), (v) => values.includes(v), options);
  delete made.schema.type;
  made.schema.enum = [...values];
  return made;
}

/** A list, each of whose elements is what `items`, another parameter, accepts. */
export function list(items, options = {}) {
  const made = parameter("array", "a list", Array.isArray, options);
  made.schema.items = items.schema;
  const outer = made.read;
  made.read = (value, place) => outer(value, place).map((item, i) => items.read(item, `${place}[${i}]`));
  return made;
}

/** The JSON Schema of an operator's parameters. */
export function schemaOf(params) {
  const names = Object.keys(params);
  const required = names.filter((name) => params[name].fallback === undefined);
  const properties = Object.fromEntries(names.map((name) => [name, params[name].schema]));
  return { type: "object", properties, ...(required.length > 0 ? { required } : {}) };
}

/** Parses the common parameters and the operator's own from the host's JSON text. */
export function readParams(params, text) {
  const given = JSON.parse(text || "{}");
  const common = { ...COMMON };
  const own = {};
  for (const [name, value] of Object.entries(given)) {
    if (name in COMMON) common[name] = value ?? COMMON[name];
    else if (name in params) own[name] = value;
    else {
      const names = Object.keys(params);
      const valid = names.length > 0 ? `valid are \`${names.join("`, `")}\`` : "there are none";
      throw new InvalidParams(`no parameter \`${name}\`: ${valid}`);
    }
  }
  const values = {};
  for (const [name, { read, fallback }] of Object.entries(params)) {
    const value = own[name];
    if (value !== undefined && value !== null) values[name] = read(value, name);
    else if (fallback !== undefined) values[name] = fallback;
    else throw new InvalidParams(`\`${name}\` is missing and has no default`);
  }
  return { common, values };
}

/** Data-Juicer's test: whether `value` is between `low` and `high`, or outside with `reversed_range`. A closed end is kept. */
export function keeps(common, value, low = -Infinity, high = Infinity) {
  const above = common.min_closed_interval !== common.reversed_range ? value >= low : value > low;
  const below = common.max_closed_interval !== common.reversed_range ? value <= high : value < high;
  return (above && below) !== common.reversed_range;
}
