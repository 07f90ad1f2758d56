/* The component's side of the contract, by hand: the canonical ABI of wit/op.wit on 32-bit Wasm. Records and variants lie in memory as the C
   structs below do, so nothing is converted. What the host sends is freed when it has read the answer; the buffers of answers are kept. */
#include "djhost.h"

#include <stdlib.h>
#include <string.h>

#define OPS "djhost:op/ops@0.2.0#"
#define EXPORT(NAME) __attribute__((export_name(NAME)))

/* ---- Shapes of wit/op.wit ---------------------------------------------------------------------------------------------------------- */

typedef struct { const void *ptr; size_t len; } list;
typedef struct { uint8_t some; list bits; } validity;
typedef struct { list offsets, data; validity valid; } texts; /* lists of numbers lie in memory the same way */
typedef struct { list values; validity valid; } plain;
typedef struct { list offsets; texts values; validity valid; } text_lists; /* the widest case of a column */
typedef struct { uint32_t width; list values; validity valid; } vectors;
typedef struct { uint8_t tag; union { texts text; plain plain; vectors vector; text_lists widest; } u; } column;
typedef struct { list path; column values; } field;
typedef struct { uint8_t tag; list parameter; } matching;
typedef struct { uint8_t tag; matching matching; } kind;
typedef struct { uint8_t leaves_out_stats, gives_drop_reasons, takes_clusters, json_constants; } traits;
typedef struct { uint8_t media, files, models; } needs;
typedef struct { list name; kind kind; list summary, schema; uint8_t cost; traits traits; needs needs; } descriptor;
typedef struct { uint8_t tag; uint32_t width; } column_type;
typedef struct { list path; column_type type; uint8_t required; } input;
typedef struct { list path; column_type type; } computed;
typedef struct { list reads, writes, stats; uint8_t whole_rows; } signature;
typedef struct { uint32_t row; list reason; } rejection;
typedef struct { uint8_t some; list rows; } row_list;
typedef struct { list path; row_list rows; column values; } update;
typedef struct {
    uint8_t tag;
    union {
        struct { list keep, stats, rejected; } filtered;
        struct { list updates, rejected; } updated;
        struct { list origins, fields, rejected; } rows;
        struct { uint32_t width, per_row; list data; validity valid; list rejected; } prints;
    } u;
} output;
typedef struct { uint8_t tag; list message; } op_error;
typedef struct { uint8_t failed; union { uint32_t handle; op_error error; output output; list flags; } u; } result;

_Static_assert(sizeof(column) == 52 && sizeof(field) == 60 && sizeof(update) == 72 && sizeof(descriptor) == 48 && sizeof(input) == 20, "layout of the contract");

__attribute__((import_module("[export]djhost:op/ops@0.2.0"), import_name("[resource-new]op"))) extern uint32_t new_handle(void *op);

/* ---- Memory ------------------------------------------------------------------------------------------------------------------------ */

/* What the host sends goes to one block that is reused, or to separate blocks if it does not fit. */
enum { BLOCK = 1 << 20 };
typedef struct spare { struct spare *next; } spare;
static char *block;
static size_t used;
static spare *spares;

static void *grow(void *old, size_t size) {
    void *ptr = realloc(old, size ? size : 1);
    if (!ptr) abort();
    return ptr;
}

static void *call_alloc(size_t size) {
    if (!block) block = grow(NULL, BLOCK);
    size = (size + 15) & ~(size_t)15;
    if (size <= BLOCK - used) {
        used += size;
        return block + used - size;
    }
    spare *own = grow(NULL, size + 16);
    own->next = spares;
    spares = own;
    return (char *)own + 16;
}

void *dj_scratch(size_t size) { return call_alloc(size); }

EXPORT("cabi_realloc") void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
    if (size == 0) return (void *)align;
    void *ptr = call_alloc(size);
    if (old_size) memcpy(ptr, old, old_size < size ? old_size : size);
    return ptr;
}

static void end_of_call(void *answer) {
    (void)answer;
    used = 0;
    while (spares) {
        spare *next = spares->next;
        free(spares);
        spares = next;
    }
}

EXPORT("cabi_post_" OPS "describe") void post_describe(void *a) { end_of_call(a); }
EXPORT("cabi_post_" OPS "[static]op.create") void post_create(void *a) { end_of_call(a); }
EXPORT("cabi_post_" OPS "[method]op.signature") void post_signature(void *a) { end_of_call(a); }
EXPORT("cabi_post_" OPS "[method]op.process") void post_process(void *a) { end_of_call(a); }
EXPORT("cabi_post_" OPS "[method]op.select") void post_select(void *a) { end_of_call(a); }

/* A growing buffer that keeps its memory from call to call. */
typedef struct { char *ptr; size_t len, room; } buffer;

static void *extend(buffer *b, size_t more) {
    if (b->room - b->len < more) {
        b->room = (b->len + more) * 2;
        b->ptr = grow(b->ptr, b->room);
    }
    b->len += more;
    return b->ptr + b->len - more;
}

static void append(buffer *b, const void *ptr, size_t len) {
    if (len) memcpy(extend(b, len), ptr, len);
}
static void append_u32(buffer *b, uint32_t n) { append(b, &n, sizeof n); }
static void append_text(buffer *b, const char *text) { append(b, text, strlen(text)); }
static list listed(const buffer *b, size_t item) { return (list){b->ptr ? b->ptr : (void *)8, b->len / item}; }
static list literal(const char *text) { return (list){text, strlen(text)}; }

/* ---- The operator and its batch ---------------------------------------------------------------------------------------------------- */

enum { MOST = 8 };
/* `ends`: where each element of lists of texts or bytes ends. */
typedef struct { buffer rows, offsets, ends, data; } column_out;

struct dj_batch {
    const dj_op *op;
    void *self;
    dj_common common;
    buffer names; /* parameters that are strings */
    size_t rows;
    const uint64_t *ids;
    const field *fields;
    buffer keep, prints, valid, rejected;
    buffer stats[MOST];
    column_out texts[MOST];
    buffer shell; /* the records of an answer */
};

static size_t count_stats(const dj_op *op) {
    size_t n = 0;
    while (n < MOST && op->stats[n].key) n++;
    return n;
}
static size_t count_writes(const dj_op *op) {
    size_t n = 0;
    while (n < MOST && op->writes[n]) n++;
    return n ? n : op->kind == DJ_MAPPER;
}
static bool is_read(const dj_field *f) { return f->path || f->type || f->optional; }
static size_t count_reads(const dj_op *op) {
    size_t n = 0;
    while (n < MOST && is_read(&op->reads[n])) n++;
    return n ? n : 1;
}
static list text_key(const dj_batch *b) { return (list){b->common.text_key.ptr, b->common.text_key.len}; }
static list written(const dj_batch *b, size_t n) { return b->op->writes[n] ? literal(b->op->writes[n]) : text_key(b); }

size_t dj_rows(const dj_batch *b) { return b->rows; }
uint64_t dj_row_id(const dj_batch *b, size_t row) { return b->ids[row]; }
const dj_common *dj_common_of(const dj_batch *b) { return &b->common; }

static bool holds_texts(uint8_t type) { return type == DJ_UTF8_LIST || type == DJ_BYTES_LIST; }
static bool is_list(uint8_t type) { return holds_texts(type) || type == DJ_F64_LIST || type == DJ_S64_LIST; }

bool dj_is_null(const dj_batch *b, size_t n, size_t row) {
    const column *c = &b->fields[n].values;
    const validity *v = &c->u.text.valid;
    if (c->tag >= DJ_F64 && c->tag <= DJ_BOOL) v = &c->u.plain.valid;
    else if (holds_texts(c->tag)) v = &c->u.widest.valid;
    else if (c->tag == DJ_VECTOR) v = &c->u.vector.valid;
    return v->some && !(((const uint8_t *)v->bits.ptr)[row / 8] >> row % 8 & 1);
}

dj_str dj_text(const dj_batch *b, size_t n, size_t row) {
    const texts *t = &b->fields[n].values.u.text;
    const uint32_t *offsets = t->offsets.ptr;
    return (dj_str){(const char *)t->data.ptr + offsets[row], offsets[row + 1] - offsets[row]};
}

const float *dj_vector(const dj_batch *b, size_t n, size_t row) {
    const vectors *v = &b->fields[n].values.u.vector;
    return dj_is_null(b, n, row) ? NULL : (const float *)v->values.ptr + row * v->width;
}

/* The offsets of all kinds of lists are the first in their records. */
static const uint32_t *bounds(const dj_batch *b, size_t n, size_t row) { return (const uint32_t *)b->fields[n].values.u.text.offsets.ptr + row; }

size_t dj_length(const dj_batch *b, size_t n, size_t row) {
    const uint32_t *bound = bounds(b, n, row);
    return bound[1] - bound[0];
}

dj_str dj_list_element(const dj_batch *b, size_t n, size_t row, size_t at) {
    const texts *t = &b->fields[n].values.u.widest.values;
    const uint32_t *ends = (const uint32_t *)t->offsets.ptr + *bounds(b, n, row) + at;
    return (dj_str){(const char *)t->data.ptr + ends[0], ends[1] - ends[0]};
}

const double *dj_numbers(const dj_batch *b, size_t n, size_t row) { return (const double *)b->fields[n].values.u.text.data.ptr + *bounds(b, n, row); }
const int64_t *dj_integers(const dj_batch *b, size_t n, size_t row) { return (const int64_t *)b->fields[n].values.u.text.data.ptr + *bounds(b, n, row); }

int64_t dj_integer(const dj_batch *b, size_t n, size_t row) {
    const column *c = &b->fields[n].values;
    if (dj_is_null(b, n, row)) return 0;
    switch (c->tag) {
    case DJ_F64: return (int64_t)((const double *)c->u.plain.values.ptr)[row];
    case DJ_S64: return ((const int64_t *)c->u.plain.values.ptr)[row];
    default: return ((const uint8_t *)c->u.plain.values.ptr)[row];
    }
}

double dj_number(const dj_batch *b, size_t n, size_t row) {
    const column *c = &b->fields[n].values;
    if (c->tag != DJ_F64) return (double)dj_integer(b, n, row);
    return dj_is_null(b, n, row) ? 0 : ((const double *)c->u.plain.values.ptr)[row];
}

bool dj_in_range(const dj_common *c, double value, double min, double max) {
    /* A closed end is kept: with `reversed_range` it belongs to the outside. */
    bool above = c->min_closed_interval != c->reversed_range ? value >= min : value > min;
    bool below = c->max_closed_interval != c->reversed_range ? value <= max : value < max;
    return (above && below) != c->reversed_range;
}

void dj_keep(dj_batch *b, size_t row, bool keep) { b->keep.ptr[row] = keep; }

void dj_stat(dj_batch *b, size_t stat, size_t row, double value) {
    if (b->op->stats[stat].integer) ((int64_t *)b->stats[stat].ptr)[row] = (int64_t)value;
    else ((double *)b->stats[stat].ptr)[row] = value;
}

static void add(column_out *out, size_t row, const char *ptr, size_t len) {
    append_u32(&out->rows, (uint32_t)row);
    append(&out->data, ptr, len);
    append_u32(&out->offsets, (uint32_t)out->data.len);
}

/* Lists of numbers, 8 bytes each: their offsets count elements. */
static void add_numbers(column_out *out, size_t row, const void *values, size_t count) {
    append_u32(&out->rows, (uint32_t)row);
    append(&out->data, values, count * 8);
    append_u32(&out->offsets, (uint32_t)(out->data.len / 8));
}

static uint32_t last(const buffer *b) { return ((uint32_t *)(b->ptr + b->len))[-1]; }

/* Removes the last value. The offsets of vectors are there for this, and are not sent. */
static void take_back(column_out *out, dj_type type) {
    out->rows.len -= 4;
    out->offsets.len -= 4;
    if (holds_texts(type)) {
        out->ends.len = ((size_t)last(&out->offsets) + 1) * 4;
        out->data.len = last(&out->ends);
    } else out->data.len = (size_t)last(&out->offsets) * (is_list(type) ? 8 : 1);
}

static bool ends_with_row(const column_out *out, size_t row) {
    return out->rows.len && ((uint32_t *)(out->rows.ptr + out->rows.len))[-1] == row;
}

/* Where a value for the row goes; one that it has already is removed. */
static column_out *place_of(dj_batch *b, size_t n, size_t row) {
    if (ends_with_row(&b->texts[n], row)) take_back(&b->texts[n], b->op->made[n].type);
    return &b->texts[n];
}

void dj_set(dj_batch *b, size_t n, size_t row, const char *ptr, size_t len) { add(place_of(b, n, row), row, ptr, len); }

void dj_set_list(dj_batch *b, size_t n, size_t row, const dj_str *elements, size_t count) {
    column_out *out = place_of(b, n, row);
    for (size_t at = 0; at < count; at++) {
        append(&out->data, elements[at].ptr, elements[at].len);
        append_u32(&out->ends, (uint32_t)out->data.len);
    }
    append_u32(&out->rows, (uint32_t)row);
    append_u32(&out->offsets, (uint32_t)(out->ends.len / 4 - 1));
}

void dj_set_numbers(dj_batch *b, size_t n, size_t row, const double *values, size_t count) { add_numbers(place_of(b, n, row), row, values, count); }
void dj_set_integers(dj_batch *b, size_t n, size_t row, const int64_t *values, size_t count) { add_numbers(place_of(b, n, row), row, values, count); }

void dj_set_vector(dj_batch *b, size_t n, size_t row, const float *values) { dj_set(b, n, row, (const char *)values, b->op->made[n].width * 4); }

void dj_push(dj_batch *b, size_t row, const char *ptr, size_t len) { add(&b->texts[0], row, ptr, len); }

static uint64_t mix(uint64_t h) {
    h = (h ^ h >> 32) * 0x9fb21c651e98df25;
    h = (h ^ h >> 29) * 0xd6e8feb86659fd93;
    return h ^ h >> 32;
}

void dj_fingerprint(dj_batch *b, size_t row, const char *ptr, size_t len) {
    /* Two lanes with their own constants make the 16 bytes. */
    uint64_t lanes[2] = {0x243f6a8885a308d3 ^ len, 0x13198a2e03707344 + len};
    while (len) {
        uint64_t word = 0;
        size_t step = len < 8 ? len : 8;
        memcpy(&word, ptr, step);
        lanes[0] = mix(lanes[0] ^ word);
        lanes[1] = (lanes[1] ^ mix(word + 0x452821e638d01377)) * 0xff51afd7ed558ccd;
        lanes[1] ^= lanes[1] >> 31;
        ptr += step;
        len -= step;
    }
    lanes[1] = mix(lanes[1]);
    memcpy(b->prints.ptr + row * 16, lanes, 16);
    b->valid.ptr[row / 8] |= (char)(1 << row % 8);
}

void dj_reject(dj_batch *b, size_t row, const char *reason) {
    rejection r = {(uint32_t)row, literal(reason)};
    append(&b->rejected, &r, sizeof r);
    size_t columns = b->op->kind == DJ_MAPPER ? count_writes(b->op) : 0;
    for (size_t n = 0; n < columns; n++)
        while (ends_with_row(&b->texts[n], row)) take_back(&b->texts[n], b->op->made[n].type);
}

/* ---- describe ---------------------------------------------------------------------------------------------------------------------- */

static void append_json_text(buffer *b, const char *text) {
    append_text(b, "\"");
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        const char *hex = "0123456789abcdef";
        if (c == '"' || c == '\\') append_text(b, "\\");
        if (c < 0x20) append(b, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
        else append(b, text, 1);
    }
    append_text(b, "\"");
}

/* The shortest decimal number that reads back as `value`: digits are tried from one up. Free of stdio, which would need WASI. */
static void append_number(buffer *b, double value) {
    if (value < 0) append_text(b, "-");
    value = fabs(value);
    int exponent = value == 0 ? 0 : (int)floor(log10(value));
    for (int digits = 1; digits <= 17; digits++) {
        double scale = pow(10, abs(digits - 1 - exponent));
        uint64_t whole = (uint64_t)(digits - 1 >= exponent ? value * scale + 0.5 : value / scale + 0.5);
        char text[40], reversed[24];
        size_t len = 0, n = 0;
        do reversed[n++] = (char)('0' + whole % 10); while (whole /= 10);
        while (n) text[len++] = reversed[--n];
        int power = exponent - (digits - 1);
        text[len++] = 'e';
        if (power < 0) text[len++] = '-';
        power = abs(power);
        do reversed[n++] = (char)('0' + power % 10); while (power /= 10);
        while (n) text[len++] = reversed[--n];
        text[len] = 0;
        if (strtod(text, NULL) == value || digits == 17) {
            append(b, text, strstr(text, "e0") ? (size_t)(strstr(text, "e0") - text) : len);
            return;
        }
    }
}

static void append_schema(buffer *b, const dj_op *op) {
    static const char *types[] = {"number", "integer", "boolean", "string", "string"};
    append_text(b, "{\"type\":\"object\",\"properties\":{");
    for (const dj_param *p = op->params; p && p->name; p++) {
        if (p != op->params) append_text(b, ",");
        append_json_text(b, p->name);
        append_text(b, ":{\"type\":\"");
        append_text(b, types[p->type]);
        append_text(b, "\",\"description\":");
        append_json_text(b, p->doc ? p->doc : "");
        if (p->type == DJ_P_MODEL) {
            append_text(b, ",\"format\":\"model\",\"x-model\":{\"kind\":");
            append_json_text(b, p->string);
            append_text(b, p->number != 0 ? ",\"optional\":true},\"default\":\"\"}" : "},\"default\":\"\"}");
            continue;
        }
        append_text(b, ",\"default\":");
        if (p->type == DJ_P_STRING) append_json_text(b, p->string ? p->string : "");
        else if (p->type == DJ_P_BOOLEAN) append_text(b, p->number != 0 ? "true" : "false");
        else append_number(b, p->number);
        if (p->type <= DJ_P_INTEGER && !isinf(p->min)) append_text(b, ",\"minimum\":"), append_number(b, p->min);
        if (p->type <= DJ_P_INTEGER && !isinf(p->max)) append_text(b, ",\"maximum\":"), append_number(b, p->max);
        append_text(b, "}");
    }
    append_text(b, "},\"additionalProperties\":false}");
}

static bool has_models(const dj_op *op) {
    for (const dj_param *p = op->params; p && p->name; p++)
        if (p->type == DJ_P_MODEL) return true;
    return false;
}

EXPORT(OPS "describe") list *describe(void) {
    list *answer = call_alloc(sizeof *answer);
    descriptor *all = call_alloc(dj_operator_count * sizeof *all);
    *answer = (list){all, dj_operator_count};
    for (size_t n = 0; n < dj_operator_count; n++) {
        const dj_op *op = dj_operators[n];
        buffer schema = {0};
        append_schema(&schema, op);
        list copy = {call_alloc(schema.len), schema.len};
        memcpy((void *)copy.ptr, schema.ptr, schema.len);
        free(schema.ptr);
        all[n] = (descriptor){literal(op->name), {op->kind, {0}}, literal(op->summary ? op->summary : ""), copy, op->cost, {0}, {.models = has_models(op)}};
    }
    return answer;
}

/* ---- create: the parameters, a flat JSON object -------------------------------------------------------------------------------------- */

typedef struct { const char *at, *end; } reader;
typedef enum { J_BAD, J_NULL, J_TRUE, J_FALSE, J_NUMBER, J_STRING, J_OTHER } json_type;
typedef struct { json_type type; double number; int64_t integer; bool whole; dj_str text; } json;

static void blanks(reader *r) {
    while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at) r->at++;
}
static bool take(reader *r, char c) {
    blanks(r);
    if (r->at == r->end || *r->at != c) return false;
    r->at++;
    return true;
}

static uint32_t hex4(reader *r) {
    uint32_t n = 0;
    for (int i = 0; i < 4 && r->at < r->end; i++, r->at++) {
        char c = *r->at;
        n = n << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    return n;
}

static void append_char(buffer *b, uint32_t c) {
    if (c < 0x80) append(b, (char[]){(char)c}, 1);
    else if (c < 0x800) append(b, (char[]){(char)(0xc0 | c >> 6), (char)(0x80 | (c & 63))}, 2);
    else if (c < 0x10000) append(b, (char[]){(char)(0xe0 | c >> 12), (char)(0x80 | (c >> 6 & 63)), (char)(0x80 | (c & 63))}, 3);
    else append(b, (char[]){(char)(0xf0 | c >> 18), (char)(0x80 | (c >> 12 & 63)), (char)(0x80 | (c >> 6 & 63)), (char)(0x80 | (c & 63))}, 4);
}

/* The string after an opening quote. It lives as long as the operator. */
static bool read_text(reader *r, dj_str *text) {
    buffer b = {0};
    extend(&b, 1);
    b.len = 0;
    while (r->at < r->end) {
        char c = *r->at++;
        if (c == '"') {
            *text = (dj_str){b.ptr, b.len};
            return true;
        }
        if (c != '\\') {
            append(&b, &c, 1);
            continue;
        }
        if (r->at == r->end) break;
        c = *r->at++;
        const char *from = "\"\\/bfnrt", *to = "\"\\/\b\f\n\r\t", *known = strchr(from, c);
        if (known && c) append(&b, to + (known - from), 1);
        else if (c == 'u') {
            uint32_t n = hex4(r);
            if (n >> 10 == 0x36 && r->end - r->at >= 6 && r->at[0] == '\\' && r->at[1] == 'u') {
                r->at += 2;
                n = 0x10000 + ((n & 0x3ff) << 10 | (hex4(r) & 0x3ff));
            }
            append_char(&b, n);
        } else break;
    }
    free(b.ptr);
    return false;
}

static json read_value(reader *r);

/* Skips a list or an object after its opening bracket; no parameter is one. */
static json skip(reader *r) {
    for (int depth = 1; r->at < r->end;) {
        char c = *r->at++;
        dj_str text;
        if (c == '"') {
            if (!read_text(r, &text)) break;
            free((void *)text.ptr);
        } else if (c == '[' || c == '{') depth++;
        else if ((c == ']' || c == '}') && --depth == 0) return (json){J_OTHER};
    }
    return (json){J_BAD};
}

static json read_value(reader *r) {
    static const struct { const char *word; json_type type; } words[] = {{"null", J_NULL}, {"true", J_TRUE}, {"false", J_FALSE}};
    json value = {J_BAD};
    blanks(r);
    if (take(r, '"')) {
        if (read_text(r, &value.text)) value.type = J_STRING;
        return value;
    }
    if (take(r, '[') || take(r, '{')) return skip(r);
    for (size_t n = 0; n < 3; n++) {
        size_t len = strlen(words[n].word);
        if ((size_t)(r->end - r->at) >= len && memcmp(r->at, words[n].word, len) == 0) {
            r->at += len;
            return (json){words[n].type};
        }
    }
    char text[64];
    size_t len = 0;
    value.whole = true;
    while (r->at < r->end && len < sizeof text - 1 && strchr("+-.eE0123456789", *r->at) && *r->at) {
        if (strchr(".eE", *r->at)) value.whole = false;
        text[len++] = *r->at++;
    }
    text[len] = 0;
    char *rest;
    value.number = strtod(text, &rest);
    value.integer = value.whole ? strtoll(text, NULL, 10) : (int64_t)value.number;
    if (!value.whole) value.whole = value.number == floor(value.number) && fabs(value.number) < 9e15;
    if (len && !*rest) value.type = J_NUMBER;
    return value;
}

static const char *expected[] = {"a number", "a whole number", "true or false", "a text", "the name of a model"};

/* Stores a value; false if it does not fit. */
static bool store(const dj_param *p, void *self, const json *value) {
    void *place = (char *)self + p->offset;
    bool number = value->type == J_NUMBER && value->number >= p->min && value->number <= p->max;
    switch (p->type) {
    case DJ_P_NUMBER: return number && (*(double *)place = value->number, true);
    case DJ_P_INTEGER: return number && value->whole && (*(int64_t *)place = value->integer, true);
    case DJ_P_BOOLEAN: return (value->type == J_TRUE || value->type == J_FALSE) && (*(bool *)place = value->type == J_TRUE, true);
    case DJ_P_STRING: return value->type == J_STRING && (*(dj_str *)place = value->text, true);
    case DJ_P_MODEL: return value->type == J_STRING;
    }
    return false;
}

static const dj_param common_params[] = {
    DJ_STRING(dj_common, text_key, "text", ""),
    DJ_BOOLEAN(dj_common, min_closed_interval, true, ""),
    DJ_BOOLEAN(dj_common, max_closed_interval, true, ""),
    DJ_BOOLEAN(dj_common, reversed_range, false, ""),
    DJ_INTEGER(dj_common, seed, 42, -INFINITY, INFINITY, ""),
    DJ_END,
};

static void defaults(const dj_param *params, void *self) {
    for (const dj_param *p = params; p && p->name; p++) {
        if (p->type == DJ_P_MODEL) continue;
        json value = {J_NUMBER, p->number, (int64_t)p->number, true, {p->string ? p->string : "", p->string ? strlen(p->string) : 0}};
        if (p->type == DJ_P_BOOLEAN) value.type = p->number != 0 ? J_TRUE : J_FALSE;
        if (p->type == DJ_P_STRING) value.type = J_STRING;
        store(p, self, &value);
    }
}

static const dj_param *find(const dj_param *params, dj_str name) {
    for (const dj_param *p = params; p && p->name; p++)
        if (strlen(p->name) == name.len && memcmp(p->name, name.ptr, name.len) == 0) return p;
    return NULL;
}

static result *refuse(result *answer, const buffer *message) {
    *answer = (result){1, {.error = {0, {call_alloc(message->len), message->len}}}};
    memcpy((void *)answer->u.error.message.ptr, message->ptr, message->len);
    return answer;
}

static void append_bound(buffer *b, const char *word, double bound) {
    if (isinf(bound)) return;
    append_text(b, word);
    append_number(b, bound);
}

static const char *read_params(dj_batch *b, reader r, buffer *why) {
    if (!take(&r, '{')) return "the parameters are not a JSON object";
    if (take(&r, '}')) return NULL;
    do {
        dj_str name;
        if (!take(&r, '"') || !read_text(&r, &name) || !take(&r, ':')) return "the parameters are not a JSON object";
        json value = read_value(&r);
        if (value.type == J_BAD) return "the parameters are not a JSON object";
        const dj_param *p = find(b->op->params, name);
        bool own = p != NULL;
        if (!own) p = find(common_params, name);
        if (p && value.type != J_NULL && !store(p, own ? b->self : (void *)&b->common, &value)) {
            append_text(why, "`");
            append(why, name.ptr, name.len);
            append_text(why, "` must be ");
            append_text(why, expected[p->type]);
            if (p->type <= DJ_P_INTEGER) append_bound(why, " of at least ", p->min), append_bound(why, isinf(p->min) ? " of at most " : " and at most ", p->max);
            return "";
        }
        const char *wrong = p && p->open && value.text.len ? p->open(p->name, (char *)b->self + p->offset) : NULL;
        if (wrong) {
            append_text(why, "`");
            append(why, name.ptr, name.len);
            append_text(why, "`: ");
            return wrong;
        }
        free((void *)name.ptr);
    } while (take(&r, ','));
    return take(&r, '}') ? NULL : "the parameters are not a JSON object";
}

EXPORT(OPS "[static]op.create")
result *create(const char *name, size_t name_len, const char *params, size_t params_len, int some, const list *stats, size_t stats_len, int drop_reasons) {
    /* What is wanted of operators with traits; this SDK has none. */
    (void)some, (void)stats, (void)stats_len, (void)drop_reasons;
    result *answer = call_alloc(sizeof *answer);
    buffer why = {0};
    for (size_t n = 0; n < dj_operator_count; n++) {
        const dj_op *op = dj_operators[n];
        if (strlen(op->name) != name_len || memcmp(op->name, name, name_len) != 0) continue;
        dj_batch *b = grow(NULL, sizeof *b);
        *b = (dj_batch){.op = op, .self = grow(NULL, op->size)};
        memset(b->self, 0, op->size);
        if (op->init) op->init(b->self);
        defaults(op->params, b->self);
        defaults(common_params, &b->common);
        const char *wrong = read_params(b, (reader){params, params + params_len}, &why);
        if (!wrong && op->prepare) wrong = op->prepare(b->self);
        if (wrong) {
            append_text(&why, wrong);
            return refuse(answer, &why);
        }
        *answer = (result){0, {.handle = new_handle(b)}};
        return answer;
    }
    append_text(&why, "this component has no operator of that name");
    return refuse(answer, &why);
}

EXPORT(OPS "[dtor]op") void drop_op(dj_batch *b) {
    /* The host drops an operator together with its instance, so small memory is not freed. */
    (void)b;
}

/* ---- signature and process ----------------------------------------------------------------------------------------------------------- */

EXPORT(OPS "[method]op.signature") signature *signature_of(dj_batch *b) {
    const dj_op *op = b->op;
    size_t reads = count_reads(op), writes = count_writes(op), stats = count_stats(op);
    signature *s = call_alloc(sizeof *s);
    input *in = call_alloc(reads * sizeof *in);
    computed *out = call_alloc(writes * sizeof *out), *keys = call_alloc(stats * sizeof *keys);
    for (size_t n = 0; n < reads; n++) {
        const dj_field *f = &op->reads[n];
        in[n] = (input){f->path ? literal(f->path) : text_key(b), {f->type, f->width}, !f->optional};
    }
    for (size_t n = 0; n < writes; n++) out[n] = (computed){written(b, n), {op->made[n].type, op->made[n].width}};
    for (size_t n = 0; n < stats; n++) keys[n] = (computed){literal(op->stats[n].key), {op->stats[n].integer ? DJ_S64 : DJ_F64, 0}};
    *s = (signature){{in, reads}, {out, writes}, {keys, stats}, 0};
    return s;
}

static void zeros(buffer *b, size_t len) {
    b->len = 0;
    memset(extend(b, len), 0, len);
}

/* Texts, or what else the operator makes in place of them. */
static column made_column(const column_out *out, dj_made made) {
    list offsets = listed(&out->offsets, 4);
    if (made.type == DJ_VECTOR) return (column){DJ_VECTOR, {.vector = {made.width, listed(&out->data, 4), {0}}}};
    if (holds_texts(made.type)) return (column){made.type, {.widest = {offsets, {listed(&out->ends, 4), listed(&out->data, 1), {0}}, {0}}}};
    if (is_list(made.type)) return (column){made.type, {.text = {offsets, listed(&out->data, 8), {0}}}};
    return (column){made.type, {.text = {offsets, listed(&out->data, 1), {0}}}};
}

/* The rows of `updates` are those passed to `dj_set`; a mapper that changes nothing sends nothing. */
static void answer_mapper(dj_batch *b, output *o, list rejected) {
    size_t writes = count_writes(b->op);
    b->shell.len = 0;
    for (size_t n = 0; n < writes; n++) {
        column_out *out = &b->texts[n];
        if (b->op->expands) {
            field f = {written(b, n), made_column(out, b->op->made[n])};
            append(&b->shell, &f, sizeof f);
            break;
        }
        update u = {written(b, n), {1, listed(&out->rows, 4)}, made_column(out, b->op->made[n])};
        if (out->rows.len) append(&b->shell, &u, sizeof u);
    }
    if (b->op->expands) {
        *o = (output){2, {.rows = {listed(&b->texts[0].rows, 4), listed(&b->shell, sizeof(field)), rejected}}};
    } else {
        *o = (output){1, {.updated = {listed(&b->shell, sizeof(update)), rejected}}};
    }
}

EXPORT(OPS "[method]op.process") result *process(dj_batch *b, const uint64_t *ids, size_t rows, const field *fields, size_t field_count) {
    const dj_op *op = b->op;
    size_t stats = count_stats(op);
    (void)field_count;
    b->ids = ids;
    b->rows = rows;
    b->fields = fields;
    b->rejected.len = 0;
    if (op->kind == DJ_FILTER) {
        zeros(&b->keep, rows);
        for (size_t n = 0; n < stats; n++) zeros(&b->stats[n], rows * 8);
    } else if (op->kind == DJ_DEDUPLICATOR) {
        zeros(&b->prints, rows * 16);
        zeros(&b->valid, (rows + 7) / 8);
    } else {
        for (size_t n = 0; n < count_writes(op); n++) {
            column_out *out = &b->texts[n];
            out->rows.len = out->data.len = out->offsets.len = out->ends.len = 0;
            append_u32(&out->offsets, 0);
            append_u32(&out->ends, 0);
        }
    }
    if (op->batch) op->batch(b->self, b);
    else
        for (size_t row = 0; row < rows; row++) op->row(b->self, b, row);

    result *answer = call_alloc(sizeof *answer);
    answer->failed = 0;
    output *o = &answer->u.output;
    list rejected = listed(&b->rejected, sizeof(rejection));
    switch (op->kind) {
    case DJ_FILTER:
        b->shell.len = 0;
        for (size_t n = 0; n < stats; n++) {
            field f = {literal(op->stats[n].key), {op->stats[n].integer ? DJ_S64 : DJ_F64, {.plain = {listed(&b->stats[n], 8), {0}}}}};
            append(&b->shell, &f, sizeof f);
        }
        *o = (output){0, {.filtered = {listed(&b->keep, 1), listed(&b->shell, sizeof(field)), rejected}}};
        break;
    case DJ_MAPPER: answer_mapper(b, o, rejected); break;
    case DJ_DEDUPLICATOR: *o = (output){3, {.prints = {16, 1, listed(&b->prints, 1), {1, listed(&b->valid, 1)}, rejected}}}; break;
    }
    return answer;
}

/* A column of keys arrives flat: its case and up to twelve words. This SDK has no selectors. */
EXPORT(OPS "[method]op.select")
result *select_rows(dj_batch *b, int a0, int a1, int a2, int a3, int a4, int a5, int a6, int a7, int a8, int a9, int a10, int a11, int a12) {
    static const char message[] = "this operator is not a selector";
    result *answer = call_alloc(sizeof *answer);
    (void)b, (void)a0, (void)a1, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8, (void)a9, (void)a10, (void)a11, (void)a12;
    *answer = (result){1, {.error = {1, {message, sizeof message - 1}}}};
    return answer;
}
