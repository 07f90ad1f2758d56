// The operator `@NAME@`.

import { component, integer, mapper } from "djhost-sdk";

const operator = mapper({
  name: "@NAME@",
  summary: "Cuts texts after a number of characters.",
  params: { max_chars: integer({ default: 8, min: 0, doc: "How many characters stay." }) },
  row: ({ text }, { max_chars }) => {
    const chars = Array.from(text);
    // Null: the row stays as it is.
    return chars.length > max_chars ? chars.slice(0, max_chars).join("") : null;
  },
});

export const ops = component(operator);
