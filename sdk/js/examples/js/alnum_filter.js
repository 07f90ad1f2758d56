// A filter: a stat per row, kept by a range.

import { filter, number, read } from "djhost-sdk";

// 1 for the bytes of ASCII letters and digits.
const ALNUM = Uint8Array.from({ length: 256 }, (_, byte) => (/[A-Za-z0-9]/.test(String.fromCharCode(byte)) ? 1 : 0));

export const alnumFilter = filter({
  name: "js_alnum_filter",
  summary: "Keeps texts whose share of ASCII letters and digits lies in a range.",
  params: {
    min_ratio: number({ default: 0.25, min: 0, max: 1, doc: "The least share." }),
    max_ratio: number({ default: 1, min: 0, max: 1, doc: "The greatest share." }),
  },
  reads: { text: read.bytes() },
  stats: { js_alnum_ratio: "f64" },
  range: (params) => [params.min_ratio, params.max_ratio],
  row({ text }) {
    let alnum = 0;
    for (let i = 0; i < text.length; i += 1) alnum += ALNUM[text[i]];
    return text.length === 0 ? 0 : alnum / text.length;
  },
});
