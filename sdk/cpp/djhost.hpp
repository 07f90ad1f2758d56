// Operators for djhost in C++20: an operator is a struct with its parameters and one lambda. A thin layer over djhost.h.
#pragma once

#include <new>
#include <span>
#include <string_view>

#include "djhost.h"
#include "models.h"

namespace dj {

inline std::string_view view(dj_str text) { return {text.ptr, text.len}; }

// Memory that lives until the end of the call, and need not be freed; values are not initialised.
template <class T> std::span<T> scratch(size_t size) { return {static_cast<T *>(dj_scratch(size * sizeof(T))), size}; }

// One row of a batch. Fields, stats and written fields go by their number in the order in which the operator named them.
struct Row {
    dj_batch *batch;
    size_t row;

    std::string_view text(size_t field = 0) const { return view(dj_text(batch, field, row)); }
    std::string_view bytes(size_t field) const { return view(dj_text(batch, field, row)); }
    // A vector of the width that the operator reads; null if the row has none.
    const float *vector(size_t field) const { return dj_vector(batch, field, row); }
    // Lists: how many elements the row has, and these.
    size_t length(size_t field) const { return dj_length(batch, field, row); }
    std::string_view element(size_t field, size_t at) const { return view(dj_list_element(batch, field, row, at)); }
    std::span<const double> numbers(size_t field) const { return {dj_numbers(batch, field, row), length(field)}; }
    std::span<const int64_t> integers(size_t field) const { return {dj_integers(batch, field, row), length(field)}; }
    double number(size_t field) const { return dj_number(batch, field, row); }
    int64_t integer(size_t field) const { return dj_integer(batch, field, row); }
    bool is_null(size_t field) const { return dj_is_null(batch, field, row); }
    const dj_common &common() const { return *dj_common_of(batch); }

    // Filter.
    void keep(bool stays) const { dj_keep(batch, row, stays); }
    void stat(double value, size_t stat = 0) const { dj_stat(batch, stat, row, value); }
    // Filter: keeps the row if the value is in the range, and sets it as the first stat.
    void keep_in_range(double value, double min, double max) const {
        stat(value);
        keep(dj_in_range(&common(), value, min, max));
    }
    // Mapper.
    void set(std::string_view text, size_t field = 0) const { dj_set(batch, field, row, text.data(), text.size()); }
    // Mapper: new bytes go by `set`; a vector has the width that the operator writes.
    void set_vector(const float *values, size_t field = 0) const { dj_set_vector(batch, field, row, values); }
    // Mapper: a new list, of the type that the operator writes.
    void set_list(std::span<const std::string_view> elements, size_t field = 0) const {
        auto list = scratch<dj_str>(elements.size());
        for (size_t at = 0; at < elements.size(); at++) list[at] = {elements[at].data(), elements[at].size()};
        dj_set_list(batch, field, row, list.data(), list.size());
    }
    void set_numbers(std::span<const double> values, size_t field = 0) const { dj_set_numbers(batch, field, row, values.data(), values.size()); }
    void set_integers(std::span<const int64_t> values, size_t field = 0) const { dj_set_integers(batch, field, row, values.data(), values.size()); }
    // Mapper that expands.
    void push(std::string_view text) const { dj_push(batch, row, text.data(), text.size()); }
    // Deduplicator.
    void fingerprint(std::string_view bytes) const { dj_fingerprint(batch, row, bytes.data(), bytes.size()); }
    // Any kind. The reason must stay valid, as a literal does.
    void reject(const char *reason) const { dj_reject(batch, row, reason); }
};

// All rows of a batch, for operators that work by columns.
struct Batch {
    dj_batch *batch;
    size_t size() const { return dj_rows(batch); }
    Row operator[](size_t row) const { return {batch, row}; }
};

// An operator whose parameters and state are an S. Make one with `filter`, `mapper`, `expander` or `deduplicator`.
template <class S> struct Op : dj_op {
    static constexpr size_t most = 32; // parameters

    Op(const char *name, const char *summary, dj_kind kind, bool expands = false) : dj_op{} {
        this->name = name;
        this->summary = summary;
        this->kind = kind;
        this->expands = expands;
        this->size = sizeof(S);
        dj_op::params = list;
        dj_op::init = [](void *self) { new (self) S(); };
    }
    Op(const Op &other) : dj_op(other) {
        for (size_t n = 0; n < most; n++) list[n] = other.list[n];
        dj_op::params = list;
    }

    Op &number(const char *name, double S::*field, double value, double min, double max, const char *doc) {
        return add({name, doc, DJ_P_NUMBER, offset(field), value, min, max, nullptr, nullptr});
    }
    Op &integer(const char *name, int64_t S::*field, int64_t value, double min, double max, const char *doc) {
        return add({name, doc, DJ_P_INTEGER, offset(field), double(value), min, max, nullptr, nullptr});
    }
    Op &boolean(const char *name, bool S::*field, bool value, const char *doc) {
        return add({name, doc, DJ_P_BOOLEAN, offset(field), double(value), 0, 1, nullptr, nullptr});
    }
    Op &string(const char *name, dj_str S::*field, const char *value, const char *doc) {
        return add({name, doc, DJ_P_STRING, offset(field), 0, 0, 0, value, nullptr});
    }
    // A model that the recipe lends (models.h), of this kind: "kenlm", "fasttext", "tokenizer", "onnx", "lines", "words" or "substrings".
    Op &model(const char *name, dj_model S::*field, const char *kind, const char *doc, bool optional = false) {
        return add({name, doc, DJ_P_MODEL, offset(field), double(optional), 0, 0, kind, dj_open_model});
    }

    // Another field than the text. A vector has a width.
    Op &reads(const char *path, dj_type type = DJ_UTF8, bool optional = false, uint32_t width = 0) {
        for (auto &slot : dj_op::reads)
            if (!slot.path) return slot = {path, type, optional, width}, *this;
        __builtin_trap();
    }
    // Mapper: another field than the text, and what it makes there: DJ_BYTES, a DJ_…_LIST, or DJ_VECTOR of a width.
    Op &writes(const char *path, dj_type type = DJ_UTF8, uint32_t width = 0) {
        for (size_t n = 0; n < 8; n++)
            if (!dj_op::writes[n]) return dj_op::writes[n] = path, dj_op::made[n] = {type, width}, *this;
        __builtin_trap();
    }
    Op &stat(const char *key, bool integer = false) {
        for (auto &slot : dj_op::stats)
            if (!slot.key) return slot = {key, integer}, *this;
        __builtin_trap();
    }
    Op &costs(dj_cost cost) { return dj_op::cost = cost, *this; }

    // `const char *check(S &)`: what the user must change, or null. No captures, here and below.
    template <class F> Op &prepare(F) {
        dj_op::prepare = [](void *self) -> const char * { return F{}(*static_cast<S *>(self)); };
        return *this;
    }
    // `void work(S &, dj::Row)`
    template <class F> Op &row(F) {
        dj_op::row = [](void *self, dj_batch *batch, size_t row) { F{}(*static_cast<S *>(self), Row{batch, row}); };
        return *this;
    }
    // `void work(S &, dj::Batch)`
    template <class F> Op &batch(F) {
        dj_op::batch = [](void *self, dj_batch *batch) { F{}(*static_cast<S *>(self), Batch{batch}); };
        return *this;
    }

  private:
    dj_param list[most] = {};

    Op &add(dj_param param) {
        for (size_t n = 0; n + 1 < most; n++)
            if (!list[n].name) return list[n] = param, *this;
        __builtin_trap();
    }
    template <class T> static size_t offset(T S::*field) {
        S probe{};
        return size_t(reinterpret_cast<char *>(&(probe.*field)) - reinterpret_cast<char *>(&probe));
    }
};

template <class S> Op<S> filter(const char *name, const char *summary) { return {name, summary, DJ_FILTER}; }
template <class S> Op<S> mapper(const char *name, const char *summary) { return {name, summary, DJ_MAPPER}; }
template <class S> Op<S> expander(const char *name, const char *summary) { return {name, summary, DJ_MAPPER, true}; }
template <class S> Op<S> deduplicator(const char *name, const char *summary) { return {name, summary, DJ_DEDUPLICATOR}; }

} // namespace dj
