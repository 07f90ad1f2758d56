/* The operator `@NAME@`. */
#include "djhost.h"

typedef struct {
    int64_t min_num;
} state;

static const dj_param params[] = {
    DJ_INTEGER(state, min_num, 2, 0, INFINITY, "The least number of lines."),
    DJ_END,
};

static void judge(void *self, dj_batch *batch, size_t row) {
    const state *op = self;
    dj_str text = dj_text(batch, 0, row);
    double lines = 1;
    for (size_t at = 0; at < text.len; at++) lines += text.ptr[at] == '\n';
    dj_stat(batch, 0, row, lines);
    dj_keep(batch, row, dj_in_range(dj_common_of(batch), lines, (double)op->min_num, INFINITY));
}

static const dj_op filter = {
    .name = "@NAME@",
    .summary = "Keeps texts that have enough lines.",
    .kind = DJ_FILTER,
    .size = sizeof(state),
    .params = params,
    .stats = {{"num_lines", true}},
    .row = judge,
};

DJ_OPERATORS(&filter)
