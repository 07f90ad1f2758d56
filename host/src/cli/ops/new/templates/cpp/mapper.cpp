// The operator `@NAME@`.
#include "djhost.hpp"

struct State {
    int64_t max_chars;
};

static const auto mapper =
    dj::mapper<State>("@NAME@", "Cuts texts after a number of characters.")
        .integer("max_chars", &State::max_chars, 8, 0, INFINITY, "How many characters stay.")
        .row([](State &op, dj::Row row) {
            auto text = row.text();
            int64_t chars = 0;
            for (size_t end = 0; end < text.size(); end++) {
                bool starts_a_char = (text[end] & 0xc0) != 0x80;
                if (starts_a_char && chars++ == op.max_chars) return row.set({text.data(), end});
            }
            // A row for which nothing is set stays as it is.
        });

DJ_OPERATORS(&mapper)
