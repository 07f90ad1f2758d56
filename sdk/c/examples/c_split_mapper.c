/* Makes a row of each paragraph. */
#include "djhost.h"

#include <string.h>

static void split(void *self, dj_batch *batch, size_t row) {
    (void)self;
    dj_str text = dj_text(batch, 0, row);
    const char *at = text.ptr, *end = text.ptr + text.len;
    while (at < end) {
        const char *stop = at;
        while (stop < end && !(*stop == '\n' && stop + 1 < end && stop[1] == '\n')) {
            const char *next = stop + 1 < end ? memchr(stop + 1, '\n', (size_t)(end - stop - 1)) : NULL;
            stop = next ? next : end;
        }
        if (stop > at) dj_push(batch, row, at, (size_t)(stop - at));
        at = stop + 2;
    }
}

static const dj_op mapper = {
    .name = "c_split_mapper",
    .summary = "Splits texts into paragraphs at blank lines.",
    .kind = DJ_MAPPER,
    .expands = true,
    .row = split,
};

DJ_OPERATORS(&mapper)
