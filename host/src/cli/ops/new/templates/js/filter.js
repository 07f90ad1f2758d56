// The operator `@NAME@`.

import { component, filter, integer } from "djhost-sdk";

const operator = filter({
  name: "@NAME@",
  summary: "Keeps texts that have enough lines.",
  params: { min_num: integer({ default: 2, min: 0, doc: "The least number of lines." }) },
  stats: { num_lines: "s64" },
  range: ({ min_num }) => [min_num, undefined],
  row: ({ text }) => text.split("\n").length,
});

export const ops = component(operator);
