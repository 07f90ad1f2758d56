// The operator `@NAME@`.

import { component, deduplicator, integer } from "djhost-sdk";

const operator = deduplicator({
  name: "@NAME@",
  summary: "Drops texts that begin like an earlier one.",
  params: { length: integer({ default: 8, min: 1, doc: "Characters to compare." }) },
  // A character may be two UTF-16 units, so at least `length` of them are in twice as many. A string is hashed by the SDK.
  row: ({ text }, { length }) => Array.from(text.slice(0, 2 * length)).slice(0, length).join(""),
});

export const ops = component(operator);
