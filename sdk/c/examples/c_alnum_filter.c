/* Keeps texts by their share of ASCII letters and digits. */
#include "djhost.h"

typedef struct {
    double min_ratio, max_ratio;
} alnum;

static const dj_param params[] = {
    DJ_NUMBER(alnum, min_ratio, 0.25, 0, 1, "The least share of ASCII letters and digits among the bytes."),
    DJ_NUMBER(alnum, max_ratio, 1.0, 0, 1, "The greatest share."),
    DJ_END,
};

static void judge(void *self, dj_batch *batch, size_t row) {
    const alnum *op = self;
    dj_str text = dj_text(batch, 0, row);
    uint32_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        count += (unsigned char)((c | 32) - 'a') < 26 || (unsigned char)(c - '0') < 10;
    }
    double ratio = text.len ? (double)count / (double)text.len : 0;
    dj_stat(batch, 0, row, ratio);
    dj_keep(batch, row, dj_in_range(dj_common_of(batch), ratio, op->min_ratio, op->max_ratio));
}

static const dj_op filter = {
    .name = "c_alnum_filter",
    .summary = "Keeps texts whose share of ASCII letters and digits lies in a range.",
    .kind = DJ_FILTER,
    .size = sizeof(alnum),
    .params = params,
    .stats = {{"c_alnum_ratio"}},
    .row = judge,
};

DJ_OPERATORS(&filter)
