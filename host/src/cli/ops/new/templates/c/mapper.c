/* The operator `@NAME@`. */
#include "djhost.h"

typedef struct {
    int64_t max_chars;
} state;

static const dj_param params[] = {
    DJ_INTEGER(state, max_chars, 8, 0, INFINITY, "How many characters stay."),
    DJ_END,
};

static void cut(void *self, dj_batch *batch, size_t row) {
    const state *op = self;
    dj_str text = dj_text(batch, 0, row);
    int64_t chars = 0;
    for (size_t end = 0; end < text.len; end++) {
        bool starts_a_char = (text.ptr[end] & 0xc0) != 0x80;
        if (starts_a_char && chars++ == op->max_chars) {
            dj_set(batch, 0, row, text.ptr, end);
            return;
        }
    }
    /* A row for which nothing is set stays as it is. */
}

static const dj_op mapper = {
    .name = "@NAME@",
    .summary = "Cuts texts after a number of characters.",
    .kind = DJ_MAPPER,
    .size = sizeof(state),
    .params = params,
    .row = cut,
};

DJ_OPERATORS(&mapper)
