// The operator `@NAME@`.
#include "djhost.hpp"

struct State {
    int64_t length;
};

static const auto deduplicator =
    dj::deduplicator<State>("@NAME@", "Drops texts that begin like an earlier one.")
        .integer("length", &State::length, 8, 1, INFINITY, "Characters to compare.")
        .row([](State &op, dj::Row row) {
            auto text = row.text();
            size_t end = 0;
            for (int64_t chars = 0; end < text.size(); end++) {
                bool starts_a_char = (text[end] & 0xc0) != 0x80;
                if (starts_a_char && chars++ == op.length) break;
            }
            row.fingerprint({text.data(), end});
        });

DJ_OPERATORS(&deduplicator)
