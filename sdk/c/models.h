/* Models that the recipe lends. They stay in the host, once for all instances. A parameter says which kind of model it names:

       typedef struct { dj_model model; } state;
       static const dj_param params[] = {DJ_MODEL(state, model, "kenlm", "The language model."), DJ_END};

   The model is there from `prepare` on. All functions take whole batches of texts, and give what is wrong with the call as a whole, such as a
   model of another kind, or null. What they answer lives until the end of the call of `row`, `batch` or `prepare`. */
#ifndef DJHOST_MODELS_H
#define DJHOST_MODELS_H

#include "djhost.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A model; 0 if none is lent. */
typedef struct {
    uint32_t handle;
} dj_model;

/* FIELD is a `dj_model` of STRUCT. KIND: "kenlm", "fasttext", "tokenizer", "onnx", "lines", "words", "substrings". */
#define DJ_MODEL(STRUCT, FIELD, KIND, DOC) {#FIELD, DOC, DJ_P_MODEL, offsetof(STRUCT, FIELD), 0, 0, 0, KIND, dj_open_model}
/* The same for an operator that works without. */
#define DJ_OPTIONAL_MODEL(STRUCT, FIELD, KIND, DOC) {#FIELD, DOC, DJ_P_MODEL, offsetof(STRUCT, FIELD), 1, 0, 0, KIND, dj_open_model}
const char *dj_open_model(const char *parameter, void *place);

/* Texts one after the other: text `i` is `data[offsets[i]]` up to `data[offsets[i + 1]]`. */
typedef struct {
    const uint32_t *offsets;
    const char *data;
    size_t count;
} dj_texts;

dj_texts dj_column(const dj_batch *batch, size_t field); /* a field of the type DJ_UTF8; a null is an empty text */
dj_texts dj_alone(dj_str text);                          /* one text */
dj_str dj_text_at(dj_texts texts, size_t i);

/* Texts that the model cannot take; their answers are 0 or empty. */
typedef struct {
    uint32_t row;
    dj_str reason;
} dj_failure;
typedef struct {
    const dj_failure *list;
    size_t count;
} dj_failures;

/* kenlm: the logarithm to base 10 of the probability of each text, whose words are separated by white space. `begin` and `end`: whether it is a
   whole sentence there. */
const char *dj_score(dj_model model, dj_texts texts, bool begin, bool end, const double **scores);

/* fasttext: the labels without their prefix, and up to `k` of them for each text, best first: those of text `i` are `offsets[i]` up to
   `offsets[i + 1]`. */
typedef struct {
    const uint32_t *offsets, *ids;
    const float *scores;
} dj_ranked;
const char *dj_labels(dj_model model, dj_texts *labels);
const char *dj_classify(dj_model model, dj_texts texts, uint32_t k, dj_ranked *found);

/* tokenizer: the number of tokens, their ids, or the tokens as the model writes them; those of text `i` are `offsets[i]` up to `offsets[i + 1]`.
   `special` adds those that the model puts around a text. */
const char *dj_count(dj_model model, dj_texts texts, bool special, const uint32_t **counts, dj_failures *failed);
const char *dj_encode(dj_model model, dj_texts texts, bool special, const uint32_t **offsets, const uint32_t **ids, dj_failures *failed);
const char *dj_pieces(dj_model model, dj_texts texts, const uint32_t **offsets, dj_texts *pieces, dj_failures *failed);
/* The text that these tokens make. */
const char *dj_decode(dj_model model, const uint32_t *ids, size_t count, dj_str *text);

/* onnx: runs the network once. Values are in row-major order, as many as the product of `shape`. */
typedef enum { DJ_T_F32, DJ_T_INT64, DJ_T_UINT8 } dj_element;
typedef struct {
    dj_str name;
    const uint32_t *shape;
    size_t dimensions;
    dj_element element;
    const void *values;
    size_t count;
} dj_tensor;
const char *dj_run(dj_model model, const dj_tensor *inputs, size_t count, const dj_tensor **outputs, size_t *outputs_count);

/* lines, words, substrings: whether each text is an entry. */
const char *dj_contains(dj_model model, dj_texts texts, const bool **found);
/* substrings: how often entries stand in each text, no further than `most`. */
const char *dj_occurrences(dj_model model, dj_texts texts, uint32_t most, const uint32_t **found);

#ifdef __cplusplus
}
#endif
#endif
