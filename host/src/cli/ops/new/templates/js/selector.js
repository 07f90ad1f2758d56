// The operator `@NAME@`.

import { component, integer, selector } from "djhost-sdk";

const operator = selector({
  name: "@NAME@",
  summary: "Keeps the longest texts.",
  params: { count: integer({ default: 2, min: 0, doc: "How many texts stay." }) },
  key: "f64",
  row: ({ text }) => Array.from(text).length,
  choose: (keys, { count }) => {
    // Stable: of equally long texts the first ones stay.
    const order = keys.map((_, row) => row).sort((a, b) => Number(keys[b]) - Number(keys[a]));
    const chosen = new Set(order.slice(0, count));
    return keys.map((_, row) => chosen.has(row));
  },
});

export const ops = component(operator);
