// A mapper that makes 0..n rows of each row.

import { expander } from "djhost-sdk";

function* paragraphs(text: string): Generator<string> {
  let paragraph: string[] = [];
  // One more line, which is blank, ends the last paragraph.
  for (const line of [...text.split("\n"), ""]) {
    if (!/^[ \t\r]*$/.test(line)) {
      paragraph.push(line);
    } else if (paragraph.length > 0) {
      yield paragraph.join("\n");
      paragraph = [];
    }
  }
}

export const splitMapper = expander({
  name: "ts_split_mapper",
  summary: "Makes a row of each paragraph; blank lines are between them.",
  row: ({ text }) => paragraphs(text),
});
