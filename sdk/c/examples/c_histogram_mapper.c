/* Puts the share of each quarter of byte values into a vector: what the bytes of a file look like, at a glance. Reads bytes, writes a vector. */
#include "djhost.h"

enum { QUARTERS = 4 };

static void row(void *self, dj_batch *batch, size_t row) {
    (void)self;
    if (dj_is_null(batch, 0, row)) return;
    dj_str bytes = dj_text(batch, 0, row);
    float shares[QUARTERS] = {0};
    for (size_t i = 0; i < bytes.len; i++) shares[(unsigned char)bytes.ptr[i] / 64] += 1.0f / (float)bytes.len;
    dj_set_vector(batch, 0, row, shares);
}

static const dj_op histogram = {
    .name = "c_histogram_mapper",
    .summary = "Puts the share of each quarter of byte values into a vector.",
    .kind = DJ_MAPPER,
    .size = 1,
    .reads = {{"file", DJ_BYTES, true}},
    .writes = {"histogram"},
    .made = {{DJ_VECTOR, QUARTERS}},
    .row = row,
};

DJ_OPERATORS(&histogram)
