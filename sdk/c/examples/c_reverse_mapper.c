/* Turns lists around: of texts, of bytes, of whole numbers and of numbers. */
#include "djhost.h"

enum { WORDS, FILES, COUNTS, WEIGHTS };

static void row(void *self, dj_batch *batch, size_t row) {
    (void)self;
    for (size_t field = WORDS; field <= WEIGHTS; field++) {
        if (dj_is_null(batch, field, row)) continue;
        size_t length = dj_length(batch, field, row);
        if (field == COUNTS) {
            const int64_t *values = dj_integers(batch, field, row);
            int64_t *turned = dj_scratch(length * sizeof *turned);
            for (size_t n = 0; n < length; n++) turned[n] = values[length - 1 - n];
            dj_set_integers(batch, field, row, turned, length);
        } else if (field == WEIGHTS) {
            const double *values = dj_numbers(batch, field, row);
            double *turned = dj_scratch(length * sizeof *turned);
            for (size_t n = 0; n < length; n++) turned[n] = values[length - 1 - n];
            dj_set_numbers(batch, field, row, turned, length);
        } else {
            dj_str *turned = dj_scratch(length * sizeof *turned);
            for (size_t n = 0; n < length; n++) turned[n] = dj_list_element(batch, field, row, length - 1 - n);
            dj_set_list(batch, field, row, turned, length);
        }
    }
}

static const dj_op reverse = {
    .name = "c_reverse_mapper",
    .summary = "Turns lists around.",
    .kind = DJ_MAPPER,
    .size = 1,
    .reads = {{"words", DJ_UTF8_LIST, true}, {"files", DJ_BYTES_LIST, true}, {"counts", DJ_S64_LIST, true}, {"weights", DJ_F64_LIST, true}},
    .writes = {"words", "files", "counts", "weights"},
    .made = {{DJ_UTF8_LIST}, {DJ_BYTES_LIST}, {DJ_S64_LIST}, {DJ_F64_LIST}},
    .row = row,
};

DJ_OPERATORS(&reverse)
