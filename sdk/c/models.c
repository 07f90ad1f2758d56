/* The host's service for models, by hand: the canonical ABI of wit/models.wit on 32-bit Wasm. Answers lie in memory as the C structs below do. A
   component imports the functions that it calls. */
#include "models.h"

#include <string.h>

#define HOST(NAME) __attribute__((import_module("djhost:op/models@0.2.0"), import_name(NAME))) extern

typedef struct { const void *ptr; size_t len; } list;
typedef struct { list offsets, data; } texts;
/* What a call gives: an error, or an answer. */
typedef struct {
    uint8_t failed;
    union {
        list error;
        uint32_t handle;
        list values;
        texts labels;
        struct { list offsets, ids, scores; } ranked;
        struct { list values, failed; } counts;
        struct { list offsets, ids, failed; } tokens;
        struct { list offsets; texts values; list failed; } pieces;
        struct { texts values; list failed; } decoded;
    } u;
} answer;

/* Texts as parameters. */
#define TEXTS const void *offsets, size_t offset_count, const void *data, size_t len
#define OF(T) (T).offsets, (T).count + 1, (T).data, (T).offsets[(T).count]

HOST("[static]model.open") void host_open(const char *name, size_t len, answer *to);
HOST("[method]model.score") void host_score(uint32_t self, TEXTS, int begin, int end, answer *to);
HOST("[method]model.labels") void host_labels(uint32_t self, answer *to);
HOST("[method]model.classify") void host_classify(uint32_t self, TEXTS, uint32_t k, answer *to);
HOST("[method]model.count") void host_count(uint32_t self, TEXTS, int special, answer *to);
HOST("[method]model.encode") void host_encode(uint32_t self, TEXTS, int special, answer *to);
HOST("[method]model.pieces") void host_pieces(uint32_t self, TEXTS, answer *to);
HOST("[method]model.decode") void host_decode(uint32_t self, const void *offsets, size_t count, const void *ids, size_t ids_count, answer *to);
HOST("[method]model.run") void host_run(uint32_t self, const void *inputs, size_t count, answer *to);
HOST("[method]model.contains") void host_contains(uint32_t self, TEXTS, answer *to);
HOST("[method]model.occurrences") void host_occurrences(uint32_t self, TEXTS, uint32_t most, answer *to);

static const char none[] = "the recipe lends no model";

/* The error of an answer as a text that ends with a zero, or null. */
static const char *error_of(const answer *a) {
    if (!a->failed) return NULL;
    char *text = dj_scratch(a->u.error.len + 1);
    memcpy(text, a->u.error.ptr, a->u.error.len);
    text[a->u.error.len] = 0;
    return text;
}

static dj_texts texts_of(texts t) { return (dj_texts){t.offsets.ptr, t.data.ptr, t.offsets.len ? t.offsets.len - 1 : 0}; }
static dj_failures failures_of(list l) { return (dj_failures){l.ptr, l.len}; }

dj_texts dj_alone(dj_str text) {
    uint32_t *offsets = dj_scratch(2 * sizeof *offsets);
    offsets[0] = 0;
    offsets[1] = (uint32_t)text.len;
    return (dj_texts){offsets, text.ptr, 1};
}

dj_texts dj_column(const dj_batch *batch, size_t field) {
    /* The values of a column lie one after the other. */
    size_t rows = dj_rows(batch);
    uint32_t *offsets = dj_scratch((rows + 1) * sizeof *offsets);
    offsets[0] = 0;
    for (size_t row = 0; row < rows; row++) offsets[row + 1] = offsets[row] + (uint32_t)dj_text(batch, field, row).len;
    return (dj_texts){offsets, rows ? dj_text(batch, field, 0).ptr : "", rows};
}

dj_str dj_text_at(dj_texts t, size_t i) { return (dj_str){t.data + t.offsets[i], t.offsets[i + 1] - t.offsets[i]}; }

const char *dj_open_model(const char *parameter, void *place) {
    answer a;
    host_open(parameter, strlen(parameter), &a);
    if (!a.failed) ((dj_model *)place)->handle = a.u.handle;
    return error_of(&a);
}

const char *dj_score(dj_model model, dj_texts t, bool begin, bool end, const double **scores) {
    if (!model.handle) return none;
    answer a;
    host_score(model.handle, OF(t), begin, end, &a);
    *scores = a.u.values.ptr;
    return error_of(&a);
}

const char *dj_labels(dj_model model, dj_texts *labels) {
    if (!model.handle) return none;
    answer a;
    host_labels(model.handle, &a);
    *labels = texts_of(a.u.labels);
    return error_of(&a);
}

const char *dj_classify(dj_model model, dj_texts t, uint32_t k, dj_ranked *found) {
    if (!model.handle) return none;
    answer a;
    host_classify(model.handle, OF(t), k, &a);
    *found = (dj_ranked){a.u.ranked.offsets.ptr, a.u.ranked.ids.ptr, a.u.ranked.scores.ptr};
    return error_of(&a);
}

const char *dj_count(dj_model model, dj_texts t, bool special, const uint32_t **counts, dj_failures *failed) {
    if (!model.handle) return none;
    answer a;
    host_count(model.handle, OF(t), special, &a);
    *counts = a.u.counts.values.ptr;
    *failed = failures_of(a.u.counts.failed);
    return error_of(&a);
}

const char *dj_encode(dj_model model, dj_texts t, bool special, const uint32_t **offsets, const uint32_t **ids, dj_failures *failed) {
    if (!model.handle) return none;
    answer a;
    host_encode(model.handle, OF(t), special, &a);
    *offsets = a.u.tokens.offsets.ptr;
    *ids = a.u.tokens.ids.ptr;
    *failed = failures_of(a.u.tokens.failed);
    return error_of(&a);
}

const char *dj_pieces(dj_model model, dj_texts t, const uint32_t **offsets, dj_texts *pieces, dj_failures *failed) {
    if (!model.handle) return none;
    answer a;
    host_pieces(model.handle, OF(t), &a);
    *offsets = a.u.pieces.offsets.ptr;
    *pieces = texts_of(a.u.pieces.values);
    *failed = failures_of(a.u.pieces.failed);
    return error_of(&a);
}

const char *dj_decode(dj_model model, const uint32_t *ids, size_t count, dj_str *text) {
    if (!model.handle) return none;
    answer a;
    uint32_t offsets[] = {0, (uint32_t)count};
    host_decode(model.handle, offsets, 2, ids, count, &a);
    if (a.failed) return error_of(&a);
    if (a.u.decoded.failed.len) {
        dj_failure first = *(const dj_failure *)a.u.decoded.failed.ptr;
        a.failed = 1;
        a.u.error = (list){first.reason.ptr, first.reason.len};
        return error_of(&a);
    }
    *text = dj_text_at(texts_of(a.u.decoded.values), 0);
    return NULL;
}

/* A tensor as it crosses: its values are a variant. `dj_tensor` lies in memory the same way, but for the width of the case. */
typedef struct { list name, shape; uint8_t element; list values; } tensor;
_Static_assert(sizeof(tensor) == sizeof(dj_tensor) && offsetof(tensor, values) == offsetof(dj_tensor, values), "layout of a tensor");

const char *dj_run(dj_model model, const dj_tensor *inputs, size_t count, const dj_tensor **outputs, size_t *outputs_count) {
    if (!model.handle) return none;
    answer a;
    host_run(model.handle, inputs, count, &a);
    if (a.failed) return error_of(&a);
    dj_tensor *made = dj_scratch(a.u.values.len * sizeof *made);
    const tensor *found = a.u.values.ptr;
    for (size_t n = 0; n < a.u.values.len; n++) {
        const tensor *t = &found[n];
        made[n] = (dj_tensor){{t->name.ptr, t->name.len}, t->shape.ptr, t->shape.len, (dj_element)t->element, t->values.ptr, t->values.len};
    }
    *outputs = made;
    *outputs_count = a.u.values.len;
    return NULL;
}

const char *dj_contains(dj_model model, dj_texts t, const bool **found) {
    if (!model.handle) return none;
    answer a;
    host_contains(model.handle, OF(t), &a);
    *found = a.u.values.ptr;
    return error_of(&a);
}

const char *dj_occurrences(dj_model model, dj_texts t, uint32_t most, const uint32_t **found) {
    if (!model.handle) return none;
    answer a;
    host_occurrences(model.handle, OF(t), most, &a);
    *found = a.u.values.ptr;
    return error_of(&a);
}
