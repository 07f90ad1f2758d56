// Turns lists around: of texts, of bytes, of whole numbers and of numbers.
#include "djhost.hpp"

struct Reverse {};

template <class T> static std::span<const T> turned(std::span<const T> values) {
    auto all = dj::scratch<T>(values.size());
    for (size_t n = 0; n < all.size(); n++) all[n] = values[all.size() - 1 - n];
    return all;
}

static const auto reverse = dj::mapper<Reverse>("cpp_reverse_mapper", "Turns lists around.")
                                .reads("words", DJ_UTF8_LIST, true)
                                .reads("files", DJ_BYTES_LIST, true)
                                .reads("counts", DJ_S64_LIST, true)
                                .reads("weights", DJ_F64_LIST, true)
                                .writes("words", DJ_UTF8_LIST)
                                .writes("files", DJ_BYTES_LIST)
                                .writes("counts", DJ_S64_LIST)
                                .writes("weights", DJ_F64_LIST)
                                .row([](Reverse &, dj::Row row) {
                                    for (size_t field : {0, 1}) {
                                        if (row.is_null(field)) continue;
                                        auto elements = dj::scratch<std::string_view>(row.length(field));
                                        for (size_t n = 0; n < elements.size(); n++) elements[n] = row.element(field, elements.size() - 1 - n);
                                        row.set_list(elements, field);
                                    }
                                    if (!row.is_null(2)) row.set_integers(turned(row.integers(2)), 2);
                                    if (!row.is_null(3)) row.set_numbers(turned(row.numbers(3)), 3);
                                });

DJ_OPERATORS(&reverse)
