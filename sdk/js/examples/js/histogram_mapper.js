// A mapper from bytes to a vector.

import { mapper, read, vector } from "djhost-sdk";

const QUARTERS = 4;

export const histogramMapper = mapper({
  name: "js_histogram_mapper",
  summary: "Puts the share of each quarter of byte values into a vector.",
  reads: { file: read.blob("file", { optional: true }) },
  writes: { histogram: vector(QUARTERS) },
  row({ file }) {
    if (file === null) return null;
    const histogram = new Float32Array(QUARTERS);
    for (const byte of file) histogram[byte >> 6] += 1 / file.length;
    return { histogram };
  },
});
