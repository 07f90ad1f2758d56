// A filter with a model that the recipe lends.

import { filter, model, number } from "djhost-sdk";

export const fluencyFilter = filter({
  name: "js_fluency_filter",
  summary: "Keeps texts that a language model of KenLM finds probable.",
  params: {
    model: model.kenlm({ doc: "The language model." }),
    min_score: number({ default: -2.3, max: 0, doc: "The least logarithm to base 10 of the probability of a text." }),
  },
  stats: { js_log_probability: "f64" },
  range: (params) => [params.min_score, undefined],
  row: ({ text }, { model }) => model.score(text),
});
