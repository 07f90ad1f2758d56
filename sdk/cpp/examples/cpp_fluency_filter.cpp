// Keeps texts that a language model of KenLM finds probable: a filter with a model that the recipe lends.
#include <cmath>

#include "djhost.hpp"

struct Fluency {
    dj_model model;
    double min_score;
};

static const auto filter =
    dj::filter<Fluency>("cpp_fluency_filter", "Keeps texts that a language model of KenLM finds probable.")
        .model("model", &Fluency::model, "kenlm", "The language model.")
        .number("min_score", &Fluency::min_score, -2.3, -INFINITY, 0, "The least logarithm to base 10 of the probability of a text.")
        .stat("cpp_log_probability")
        // All texts in one call of the host.
        .batch([](Fluency &op, dj::Batch batch) {
            const double *scores;
            const char *wrong = dj_score(op.model, dj_column(batch.batch, 0), true, true, &scores);
            for (size_t n = 0; n < batch.size(); n++) {
                if (wrong) batch[n].reject(wrong);
                else batch[n].keep_in_range(scores[n], op.min_score, INFINITY);
            }
        });

DJ_OPERATORS(&filter)
