// The operator `@NAME@`.
#include <algorithm>

#include "djhost.hpp"

struct State {
    int64_t min_num;
};

static const auto filter =
    dj::filter<State>("@NAME@", "Keeps texts that have enough lines.")
        .integer("min_num", &State::min_num, 2, 0, INFINITY, "The least number of lines.")
        .stat("num_lines", true)
        .row([](State &op, dj::Row row) {
            auto text = row.text();
            auto lines = std::count(text.begin(), text.end(), '\n') + 1;
            row.keep_in_range(double(lines), double(op.min_num), INFINITY);
        });

DJ_OPERATORS(&filter)
