// A deduplicator: rows with equal fingerprints are duplicates, and the first one stays.

import { deduplicator, integer } from "djhost-sdk";

export const prefixDeduplicator = deduplicator({
  name: "js_prefix_deduplicator",
  summary: "Drops texts that begin like an earlier one.",
  params: { length: integer({ default: 64, min: 1, doc: "Characters to compare." }) },
  // A character may be two UTF-16 units, so at least `length` of them are in twice as many. A string is hashed by the SDK.
  row: ({ text }, { length }) => Array.from(text.slice(0, 2 * length)).slice(0, length).join(""),
});
