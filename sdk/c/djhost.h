/* Operators for djhost in C: fill in a `dj_op` and list it with DJ_OPERATORS. Compile djhost.c along; build.sh makes the component. */
#ifndef DJHOST_H
#define DJHOST_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that somebody else owns; not terminated by a zero. Text is always UTF-8. */
typedef struct {
    const char *ptr;
    size_t len;
} dj_str;

/* The parameters that every operator has. */
typedef struct {
    dj_str text_key;
    bool min_closed_interval, max_closed_interval, reversed_range;
    int64_t seed;
} dj_common;

/* ---- Parameters ------------------------------------------------------------------------------------------------------------------ */

typedef enum { DJ_P_NUMBER, DJ_P_INTEGER, DJ_P_BOOLEAN, DJ_P_STRING, DJ_P_MODEL } dj_param_type;

/* One parameter and the place of its value in the operator's struct. Use the macros below. */
typedef struct {
    const char *name, *doc;
    dj_param_type type;
    size_t offset;
    double number, min, max; /* number, integer, boolean: the default; -INFINITY and INFINITY stand for no bound */
    const char *string;      /* string: the default; model: its kind */
    const char *(*open)(const char *name, void *place); /* model: gets it; gives what is wrong, or null */
} dj_param;

/* FIELD is a `double`, an `int64_t`, a `bool` or a `dj_str` of STRUCT; its name is the name of the parameter. */
#define DJ_NUMBER(STRUCT, FIELD, DEFAULT, MIN, MAX, DOC) {#FIELD, DOC, DJ_P_NUMBER, offsetof(STRUCT, FIELD), DEFAULT, MIN, MAX, 0, 0}
#define DJ_INTEGER(STRUCT, FIELD, DEFAULT, MIN, MAX, DOC) {#FIELD, DOC, DJ_P_INTEGER, offsetof(STRUCT, FIELD), DEFAULT, MIN, MAX, 0, 0}
#define DJ_BOOLEAN(STRUCT, FIELD, DEFAULT, DOC) {#FIELD, DOC, DJ_P_BOOLEAN, offsetof(STRUCT, FIELD), DEFAULT, 0, 1, 0, 0}
#define DJ_STRING(STRUCT, FIELD, DEFAULT, DOC) {#FIELD, DOC, DJ_P_STRING, offsetof(STRUCT, FIELD), 0, 0, 0, DEFAULT, 0}
#define DJ_END {0, 0, DJ_P_NUMBER, 0, 0, 0, 0, 0, 0}
/* A model that the recipe lends: models.h. */

/* ---- What an operator reads ------------------------------------------------------------------------------------------------------- */

/* The types of fields, as the contract numbers them. DJ_JSON is the JSON text of any value, lists and objects included. DJ_BYTES are those of a
   binary column, and of an image as Hugging Face's `datasets` stores it; in JSON rows hexadecimal digits. A DJ_…_LIST has any number of elements, none
   of them null; DJ_VECTOR a fixed number of floats. */
typedef enum {
    DJ_UTF8 = 0,
    DJ_JSON = 1,
    DJ_F64 = 2,
    DJ_S64 = 3,
    DJ_BOOL = 4,
    DJ_UTF8_LIST = 5,
    DJ_F64_LIST = 6,
    DJ_S64_LIST = 7,
    DJ_BYTES = 8,
    DJ_BYTES_LIST = 9,
    DJ_VECTOR = 10
} dj_type;

/* A field to read; a path of null is the text. Without a required field the row goes to quarantine, any other is null. */
typedef struct {
    const char *path;
    dj_type type;
    bool optional;
    uint32_t width; /* DJ_VECTOR: how many numbers */
} dj_field;

/* What a mapper makes in a field, if it is no text: DJ_BYTES, a DJ_…_LIST, or DJ_VECTOR of this width. */
typedef struct {
    dj_type type;
    uint32_t width;
} dj_made;

typedef struct dj_batch dj_batch;

/* Memory that lives until the end of the call, and need not be freed. */
void *dj_scratch(size_t size);

/* The values of a batch, by the number of the field in `reads` and the row. The text is field 0 if `reads` is empty. */
size_t dj_rows(const dj_batch *batch);
bool dj_is_null(const dj_batch *batch, size_t field, size_t row);
dj_str dj_text(const dj_batch *batch, size_t field, size_t row);       /* DJ_UTF8, DJ_JSON, DJ_BYTES; empty at a null */
const float *dj_vector(const dj_batch *batch, size_t field, size_t row); /* DJ_VECTOR; null at a null */
/* Lists: how many elements the row has, 0 at a null; and these, which stay for the call: one, or all one after the other. */
size_t dj_length(const dj_batch *batch, size_t field, size_t row);
dj_str dj_list_element(const dj_batch *batch, size_t field, size_t row, size_t at);    /* DJ_UTF8_LIST, DJ_BYTES_LIST */
const double *dj_numbers(const dj_batch *batch, size_t field, size_t row);        /* DJ_F64_LIST */
const int64_t *dj_integers(const dj_batch *batch, size_t field, size_t row);      /* DJ_S64_LIST */
double dj_number(const dj_batch *batch, size_t field, size_t row);     /* DJ_F64, DJ_S64, DJ_BOOL; 0 at a null */
int64_t dj_integer(const dj_batch *batch, size_t field, size_t row);   /* likewise */
uint64_t dj_row_id(const dj_batch *batch, size_t row);                 /* to seed a random choice with, beside `seed` */
const dj_common *dj_common_of(const dj_batch *batch);

/* Data-Juicer's test of a stat: between the ends, or outside with `reversed_range`. The recipe decides whether the ends belong to the range. */
bool dj_in_range(const dj_common *common, double value, double min, double max);

/* ---- What an operator answers ----------------------------------------------------------------------------------------------------- */

/* Filter: whether the row stays (by default it does not), and its stats by their number in `stats`. */
void dj_keep(dj_batch *batch, size_t row, bool keep);
void dj_stat(dj_batch *batch, size_t stat, size_t row, double value);
/* Mapper: a new text, or new bytes, for the field of that number in `writes`. Fields that are not set do not change. Rows in ascending order. */
void dj_set(dj_batch *batch, size_t field, size_t row, const char *ptr, size_t len);
/* Mapper: a new vector, of the width in `made`. */
void dj_set_vector(dj_batch *batch, size_t field, size_t row, const float *values);
/* Mapper: a new list, of the type in `made`: DJ_UTF8_LIST or DJ_BYTES_LIST, DJ_F64_LIST, DJ_S64_LIST. */
void dj_set_list(dj_batch *batch, size_t field, size_t row, const dj_str *elements, size_t count);
void dj_set_numbers(dj_batch *batch, size_t field, size_t row, const double *values, size_t count);
void dj_set_integers(dj_batch *batch, size_t field, size_t row, const int64_t *values, size_t count);
/* Mapper with `expands`: one more row made from `row`, with this text. A row that nothing is made from is dropped. Rows in ascending order. */
void dj_push(dj_batch *batch, size_t row, const char *ptr, size_t len);
/* Deduplicator: rows with equal bytes are duplicates. A row without a fingerprint has no duplicates. */
void dj_fingerprint(dj_batch *batch, size_t row, const char *ptr, size_t len);
/* Any kind: rejects this row, which goes to quarantine with the reason (a text that stays valid, such as a literal). */
void dj_reject(dj_batch *batch, size_t row, const char *reason);

/* ---- The operator ----------------------------------------------------------------------------------------------------------------- */

typedef enum { DJ_FILTER, DJ_MAPPER, DJ_DEDUPLICATOR } dj_kind;
typedef enum { DJ_LIGHT, DJ_MEDIUM, DJ_HEAVY } dj_cost;

/* A stat; an integer one is exact up to 2^53. */
typedef struct {
    const char *key;
    bool integer;
} dj_stat_key;

typedef struct {
    const char *name;    /* as in recipes: lower-case letters, digits and `_` */
    const char *summary; /* one sentence */
    dj_kind kind;
    dj_cost cost;            /* how much work a row is */
    size_t size;             /* of the struct that holds the parameters and whatever else one instance needs; begins as zeros */
    const dj_param *params;  /* ended by DJ_END, or null */
    void (*init)(void *self);           /* before the parameters are stored; may be null */
    const char *(*prepare)(void *self); /* checks and prepares; gives what the user must mend, or null; may be null */
    dj_field reads[8];          /* if empty, the text */
    const char *writes[8];      /* mapper: paths of the fields that it sets; if empty, the text */
    dj_made made[8];            /* mapper: their types, where they are no texts */
    dj_stat_key stats[8];       /* filter */
    bool expands;               /* mapper: makes rows with dj_push instead of setting fields */
    /* One of the two. The answer for a row may depend on that row and the parameters alone. */
    void (*row)(void *self, dj_batch *batch, size_t row);
    void (*batch)(void *self, dj_batch *batch); /* all rows in one call */
} dj_op;

extern const dj_op *const dj_operators[];
extern const size_t dj_operator_count;

/* The operators of the component; once, at file level: DJ_OPERATORS(&first, &second) */
#define DJ_OPERATORS(...)                                                                                                                    \
    const dj_op *const dj_operators[] = {__VA_ARGS__};                                                                                       \
    const size_t dj_operator_count = sizeof dj_operators / sizeof dj_operators[0];

#ifdef __cplusplus
}
#endif
#endif
