/* Keeps texts that a language model of KenLM finds probable: a filter with a model that the recipe lends. */
#include "models.h"

typedef struct {
    dj_model model;
    double min_score;
} fluency;

static const dj_param params[] = {
    DJ_MODEL(fluency, model, "kenlm", "The language model."),
    DJ_NUMBER(fluency, min_score, -2.3, -INFINITY, 0, "The least logarithm to base 10 of the probability of a text."),
    DJ_END,
};

/* All texts in one call of the host. */
static void judge(void *self, dj_batch *batch) {
    const fluency *op = self;
    const double *scores;
    const char *wrong = dj_score(op->model, dj_column(batch, 0), true, true, &scores);
    for (size_t row = 0; row < dj_rows(batch); row++) {
        if (wrong) {
            dj_reject(batch, row, wrong);
            continue;
        }
        dj_stat(batch, 0, row, scores[row]);
        dj_keep(batch, row, dj_in_range(dj_common_of(batch), scores[row], op->min_score, INFINITY));
    }
}

static const dj_op filter = {
    .name = "c_fluency_filter",
    .summary = "Keeps texts that a language model of KenLM finds probable.",
    .kind = DJ_FILTER,
    .size = sizeof(fluency),
    .params = params,
    .stats = {{"c_log_probability"}},
    .batch = judge,
};

DJ_OPERATORS(&filter)
