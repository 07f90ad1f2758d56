// Keeps the first of the texts that begin alike.
#include "djhost.hpp"

struct Prefix {
    int64_t length;
};

static const auto deduplicator =
    dj::deduplicator<Prefix>("cpp_prefix_deduplicator", "Removes texts that begin with the same characters as an earlier one.")
        .integer("length", &Prefix::length, 64, 1, INFINITY, "Characters that must be equal.")
        .row([](Prefix &op, dj::Row row) {
            auto text = row.text();
            size_t end = 0;
            for (int64_t chars = 0; end < text.size(); end++) {
                bool starts_a_char = (text[end] & 0xc0) != 0x80;
                if (starts_a_char && chars++ == op.length) break;
            }
            row.fingerprint({text.data(), end});
        });

DJ_OPERATORS(&deduplicator)
