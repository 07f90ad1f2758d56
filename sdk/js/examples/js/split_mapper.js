// A mapper that makes 0..n rows of each row.

import { expander } from "djhost-sdk";

export const splitMapper = expander({
  name: "js_split_mapper",
  summary: "Makes a row of each paragraph; blank lines are between them.",
  *row({ text }) {
    let paragraph = [];
    for (const line of text.split("\n")) {
      if (/^[ \t\r]*$/.test(line)) {
        if (paragraph.length > 0) yield paragraph.join("\n");
        paragraph = [];
      } else paragraph.push(line);
    }
    if (paragraph.length > 0) yield paragraph.join("\n");
  },
});
