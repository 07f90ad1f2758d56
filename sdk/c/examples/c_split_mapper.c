/* Makes a row of each paragraph: a run of lines that are not blank. */
#include "djhost.h"

#include <string.h>

static bool is_blank(const char *line, const char *end) {
    while (line < end && (*line == ' ' || *line == '\t' || *line == '\r')) line++;
    return line == end;
}

static void split(void *self, dj_batch *batch, size_t row) {
    (void)self;
    dj_str text = dj_text(batch, 0, row);
    const char *end = text.ptr + text.len;
    const char *start = NULL, *stop = NULL; /* of the paragraph that is open */
    for (const char *line = text.ptr; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *line_end = newline ? newline : end;
        if (!is_blank(line, line_end)) {
            if (!start) start = line;
            stop = line_end;
        } else if (start) {
            dj_push(batch, row, start, (size_t)(stop - start));
            start = NULL;
        }
        line = line_end + 1;
    }
    if (start) dj_push(batch, row, start, (size_t)(stop - start));
}

static const dj_op mapper = {
    .name = "c_split_mapper",
    .summary = "Splits texts into paragraphs at blank lines.",
    .kind = DJ_MAPPER,
    .expands = true,
    .row = split,
};

DJ_OPERATORS(&mapper)
