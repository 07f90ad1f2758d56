// Keeps texts by their share of ASCII letters and digits.
#include <algorithm>

#include "djhost.hpp"

struct Alnum {
    double min_ratio, max_ratio;
};

static bool is_alnum(unsigned char c) {
    return (unsigned char)((c | 32) - 'a') < 26 || (unsigned char)(c - '0') < 10;
}

static const auto filter =
    dj::filter<Alnum>("cpp_alnum_filter", "Keeps texts whose share of ASCII letters and digits lies in a range.")
        .number("min_ratio", &Alnum::min_ratio, 0.25, 0, 1, "The least share of ASCII letters and digits among the bytes.")
        .number("max_ratio", &Alnum::max_ratio, 1.0, 0, 1, "The greatest share.")
        .stat("cpp_alnum_ratio")
        .row([](Alnum &op, dj::Row row) {
            auto text = row.text();
            auto count = std::count_if(text.begin(), text.end(), is_alnum);
            row.keep_in_range(text.empty() ? 0.0 : double(count) / double(text.size()), op.min_ratio, op.max_ratio);
        });

DJ_OPERATORS(&filter)
