/* The operator `@NAME@`. */
#include "djhost.h"

typedef struct {
    int64_t length;
} state;

static const dj_param params[] = {
    DJ_INTEGER(state, length, 8, 1, INFINITY, "Characters to compare."),
    DJ_END,
};

static void fingerprint(void *self, dj_batch *batch, size_t row) {
    const state *op = self;
    dj_str text = dj_text(batch, 0, row);
    size_t end = 0;
    for (int64_t chars = 0; end < text.len; end++) {
        bool starts_a_char = (text.ptr[end] & 0xc0) != 0x80;
        if (starts_a_char && chars++ == op->length) break;
    }
    dj_fingerprint(batch, row, text.ptr, end);
}

static const dj_op deduplicator = {
    .name = "@NAME@",
    .summary = "Drops texts that begin like an earlier one.",
    .kind = DJ_DEDUPLICATOR,
    .size = sizeof(state),
    .params = params,
    .row = fingerprint,
};

DJ_OPERATORS(&deduplicator)
