// Makes a row of each paragraph: a run of lines that are not blank.
#include <algorithm>

#include "djhost.hpp"

struct Split {};

// `substr` may throw, and the message of that would need WASI.
static std::string_view between(std::string_view text, size_t start, size_t stop) { return {text.data() + start, stop - start}; }

static bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == line.npos; }

static const auto mapper =
    dj::expander<Split>("cpp_split_mapper", "Splits texts into paragraphs at blank lines.").row([](Split &, dj::Row row) {
        auto text = row.text();
        size_t start = text.npos, stop = 0; // of the paragraph that is open
        for (size_t at = 0; at < text.size();) {
            size_t end = std::min(text.find('\n', at), text.size());
            if (!is_blank(between(text, at, end))) {
                start = std::min(start, at);
                stop = end;
            } else if (start != text.npos) {
                row.push(between(text, start, stop));
                start = text.npos;
            }
            at = end + 1;
        }
        if (start != text.npos) row.push(between(text, start, stop));
    });

DJ_OPERATORS(&mapper)
