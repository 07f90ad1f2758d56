//! Operators for djhost in Zig: an operator is a struct whose fields with their defaults are the parameters, and a function `row` or `batch`.
//! A layer over djhost.h that works at compile time. This file is the root of the component; the author's file is the module `op` and lists
//! its operators in `pub const operators`.

const std = @import("std");
const op = @import("op");

/// A failed safety check ends the instance; a message would need WASI.
pub const panic = std.debug.no_panic;

/// The type of parameters that are texts.
pub const Str = extern struct {
    ptr: [*]const u8,
    len: usize,

    pub fn of(comptime text: [:0]const u8) Str {
        return .{ .ptr = text.ptr, .len = text.len };
    }
    pub fn from(text: []const u8) Str {
        return .{ .ptr = text.ptr, .len = text.len };
    }
    pub fn slice(self: Str) []const u8 {
        return self.ptr[0..self.len];
    }
};

/// The type of parameters that name models, which the recipe lends: `model: dj.Model = .{},` with the kind in
/// `pub const models = .{ .model = "kenlm" };`. The model is there from `prepare` on. The functions take all texts of a batch, or one; what
/// they give lives until the end of the call. An error is one of the call as a whole.
pub const Model = extern struct {
    handle: u32 = 0,

    /// Texts one after the other.
    pub const Texts = extern struct {
        offsets: [*]const u32,
        data: [*]const u8,
        count: usize,

        pub fn at(self: Texts, text: usize) []const u8 {
            return self.data[self.offsets[text]..self.offsets[text + 1]];
        }
    };
    pub const Failure = extern struct { row: u32, reason: Str };
    const Failures = extern struct { list: [*]const Failure, count: usize };
    /// Labels of each text, best first: those of text `i` are `offsets[i]` up to `offsets[i + 1]`.
    pub const Ranked = extern struct { offsets: [*]const u32, ids: [*]const u32, scores: [*]const f32 };
    /// The ids of the tokens of all texts, and the texts that the model cannot take, which have none.
    pub const Tokens = struct {
        offsets: [*]const u32,
        ids: [*]const u32,
        failed: []const Failure,

        /// Those of one text.
        pub fn of(self: Tokens, text: usize) []const u32 {
            return self.ids[self.offsets[text]..self.offsets[text + 1]];
        }
    };
    /// The tokens of all texts as the model writes them, and the texts that it cannot take.
    pub const Pieces = struct {
        offsets: [*]const u32,
        values: Texts,
        failed: []const Failure,

        /// How many one text has.
        pub fn length(self: Pieces, text: usize) usize {
            return self.offsets[text + 1] - self.offsets[text];
        }
        /// One of them.
        pub fn at(self: Pieces, text: usize, index: usize) []const u8 {
            return self.values.at(self.offsets[text] + index);
        }
    };
    pub fn Answer(comptime T: type) type {
        return union(enum) { found: T, wrong: [:0]const u8 };
    }

    /// kenlm: the logarithm to base 10 of the probability of each text as a whole sentence.
    pub fn score(self: Model, texts: Texts) Answer([]const f64) {
        var found: [*]const f64 = undefined;
        if (dj_score(self, texts, true, true, &found)) |wrong| return .{ .wrong = std.mem.span(wrong) };
        return .{ .found = found[0..texts.count] };
    }
    /// fasttext: up to `k` labels of each text.
    pub fn classify(self: Model, texts: Texts, k: u32) Answer(Ranked) {
        var found: Ranked = undefined;
        if (dj_classify(self, texts, k, &found)) |wrong| return .{ .wrong = std.mem.span(wrong) };
        return .{ .found = found };
    }
    /// tokenizer: the number of tokens of each text; 0 for one that it cannot take.
    pub fn count(self: Model, texts: Texts, special: bool) Answer([]const u32) {
        var found: [*]const u32 = undefined;
        var failed: Failures = undefined;
        if (dj_count(self, texts, special, &found, &failed)) |wrong| return .{ .wrong = std.mem.span(wrong) };
        return .{ .found = found[0..texts.count] };
    }
    /// tokenizer: the ids of the tokens of each text; `special` adds those that the model puts around it.
    pub fn encode(self: Model, texts: Texts, special: bool) Answer(Tokens) {
        var found: Tokens = undefined;
        var failed: Failures = undefined;
        if (dj_encode(self, texts, special, &found.offsets, &found.ids, &failed)) |wrong| return .{ .wrong = std.mem.span(wrong) };
        found.failed = failed.list[0..failed.count];
        return .{ .found = found };
    }
    /// tokenizer: the tokens of each text as the model writes them.
    pub fn pieces(self: Model, texts: Texts) Answer(Pieces) {
        var found: Pieces = undefined;
        var failed: Failures = undefined;
        if (dj_pieces(self, texts, &found.offsets, &found.values, &failed)) |wrong| return .{ .wrong = std.mem.span(wrong) };
        found.failed = failed.list[0..failed.count];
        return .{ .found = found };
    }
    /// tokenizer: the text that these tokens make.
    pub fn decode(self: Model, ids: []const u32) Answer([]const u8) {
        var text: Str = undefined;
        if (dj_decode(self, ids.ptr, ids.len, &text)) |wrong| return .{ .wrong = std.mem.span(wrong) };
        return .{ .found = text.slice() };
    }
    /// lines, words, substrings: whether each text is an entry.
    pub fn contains(self: Model, texts: Texts) Answer([]const bool) {
        var found: [*]const bool = undefined;
        if (dj_contains(self, texts, &found)) |wrong| return .{ .wrong = std.mem.span(wrong) };
        return .{ .found = found[0..texts.count] };
    }
};

pub const Common = extern struct {
    text_key: Str,
    min_closed_interval: bool,
    max_closed_interval: bool,
    reversed_range: bool,
    seed: i64,
};

pub const Kind = enum(c_uint) { filter, mapper, deduplicator };
pub const Cost = enum(c_uint) { light, medium, heavy };
pub const Type = enum(c_uint) {
    utf8 = 0,
    json = 1,
    f64 = 2,
    s64 = 3,
    boolean = 4,
    utf8_list = 5,
    f64_list = 6,
    s64_list = 7,
    bytes = 8,
    bytes_list = 9,
    vector = 10,
};

/// A field to read: `pub const reads = [_]dj.Field{.{ .path = "meta.title" }};`. The text, if `reads` is left out.
/// Vectors have a width: how many numbers.
pub const Field = extern struct { path: ?[*:0]const u8 = null, type: Type = .utf8, optional: bool = false, width: u32 = 0 };
/// What a mapper makes in a field of `writes`, if it is no text: `pub const made = [_]dj.Made{.{ .type = .vector, .width = 4 }};`
pub const Made = extern struct { type: Type = .utf8, width: u32 = 0 };
/// A stat of a filter: `pub const stats = [_]dj.Stat{.{ .key = "ratio" }};`
pub const Stat = extern struct { key: ?[*:0]const u8 = null, integer: bool = false };

/// One row of a batch. Fields, stats and written fields go by their number in `reads`, `stats` and `writes`.
pub const Row = struct {
    batch: *Handle,
    row: usize,

    pub fn text(self: Row, field: usize) []const u8 {
        return dj_text(self.batch, field, self.row).slice();
    }
    /// A field of type `bytes`.
    pub fn bytes(self: Row, field: usize) []const u8 {
        return dj_text(self.batch, field, self.row).slice();
    }
    /// A field of type `vector`, of this width.
    pub fn vector(self: Row, field: usize, comptime width: usize) ?*const [width]f32 {
        return if (dj_vector(self.batch, field, self.row)) |values| values[0..width] else null;
    }
    /// Lists: how many elements the row has; 0 at a null.
    pub fn length(self: Row, field: usize) usize {
        return dj_length(self.batch, field, self.row);
    }
    /// An element of a field of type `utf8_list` or `bytes_list`.
    pub fn element(self: Row, field: usize, index: usize) []const u8 {
        return dj_list_element(self.batch, field, self.row, index).slice();
    }
    /// A field of type `f64_list`.
    pub fn numbers(self: Row, field: usize) []const f64 {
        return dj_numbers(self.batch, field, self.row)[0..self.length(field)];
    }
    /// A field of type `s64_list`.
    pub fn integers(self: Row, field: usize) []const i64 {
        return dj_integers(self.batch, field, self.row)[0..self.length(field)];
    }
    pub fn number(self: Row, field: usize) f64 {
        return dj_number(self.batch, field, self.row);
    }
    pub fn integer(self: Row, field: usize) i64 {
        return dj_integer(self.batch, field, self.row);
    }
    pub fn isNull(self: Row, field: usize) bool {
        return dj_is_null(self.batch, field, self.row);
    }
    pub fn common(self: Row) *const Common {
        return dj_common_of(self.batch);
    }
    /// Filter: whether the row stays.
    pub fn keep(self: Row, stays: bool) void {
        dj_keep(self.batch, self.row, stays);
    }
    /// Filter: the value of a stat.
    pub fn stat(self: Row, index: usize, value: f64) void {
        dj_stat(self.batch, index, self.row, value);
    }
    /// Filter: sets the first stat and keeps the row if it is in the range.
    pub fn keepInRange(self: Row, value: f64, min: f64, max: f64) void {
        self.stat(0, value);
        self.keep(dj_in_range(self.common(), value, min, max));
    }
    /// Mapper: a new vector for a field, of the width in `made`.
    pub fn setVector(self: Row, field: usize, values: []const f32) void {
        dj_set_vector(self.batch, field, self.row, values.ptr);
    }
    /// Mapper: a new text, or new bytes, for a field.
    pub fn set(self: Row, field: usize, value: []const u8) void {
        dj_set(self.batch, field, self.row, value.ptr, value.len);
    }
    /// Mapper: a new list of texts or bytes, for a field with the type `utf8_list` or `bytes_list` in `made`. `Str.from` makes an element.
    pub fn setList(self: Row, field: usize, elements: []const Str) void {
        dj_set_list(self.batch, field, self.row, elements.ptr, elements.len);
    }
    /// Mapper: a new list of numbers (`f64_list`).
    pub fn setNumbers(self: Row, field: usize, values: []const f64) void {
        dj_set_numbers(self.batch, field, self.row, values.ptr, values.len);
    }
    /// Mapper: a new list of whole numbers (`s64_list`).
    pub fn setIntegers(self: Row, field: usize, values: []const i64) void {
        dj_set_integers(self.batch, field, self.row, values.ptr, values.len);
    }
    /// Mapper with `pub const expands = true`: one more row, with this text.
    pub fn push(self: Row, value: []const u8) void {
        dj_push(self.batch, self.row, value.ptr, value.len);
    }
    /// Deduplicator: rows with equal bytes are duplicates.
    pub fn fingerprint(self: Row, value: []const u8) void {
        dj_fingerprint(self.batch, self.row, value.ptr, value.len);
    }
    /// Rejects the row, which goes to quarantine.
    pub fn reject(self: Row, reason: [:0]const u8) void {
        dj_reject(self.batch, self.row, reason.ptr);
    }
};

/// All rows of a batch, for operators that work by columns.
pub const Batch = struct {
    batch: *Handle,

    pub fn len(self: Batch) usize {
        return dj_rows(self.batch);
    }
    /// All texts of a field, for a model; a null is an empty one.
    pub fn texts(self: Batch, field: usize) Model.Texts {
        return dj_column(self.batch, field);
    }
    pub fn at(self: Batch, row: usize) Row {
        return .{ .batch = self.batch, .row = row };
    }
};

// ---- djhost.h ------------------------------------------------------------------------------------------------------------------------

/// Memory that lives until the end of the call, and need not be freed.
pub fn scratch(comptime T: type, size: usize) []T {
    const memory: [*]T = @ptrCast(@alignCast(dj_scratch(size * @sizeOf(T))));
    return memory[0..size];
}

const Handle = opaque {};
const Param = extern struct {
    name: ?[*:0]const u8 = null,
    doc: ?[*:0]const u8 = null,
    type: enum(c_uint) { number, integer, boolean, string, model } = .number,
    offset: usize = 0,
    number: f64 = 0,
    min: f64 = 0,
    max: f64 = 0,
    string: ?[*]const u8 = null,
    open: ?*const fn ([*:0]const u8, *anyopaque) callconv(.c) ?[*:0]const u8 = null,
};
const Op = extern struct {
    name: [*:0]const u8,
    summary: [*:0]const u8,
    kind: Kind,
    cost: Cost,
    size: usize,
    params: [*]const Param,
    init: *const fn (*anyopaque) callconv(.c) void,
    prepare: ?*const fn (*anyopaque) callconv(.c) ?[*:0]const u8,
    reads: [8]Field,
    writes: [8]?[*:0]const u8,
    made: [8]Made,
    stats: [8]Stat,
    expands: bool,
    row: ?*const fn (*anyopaque, *Handle, usize) callconv(.c) void,
    batch: ?*const fn (*anyopaque, *Handle) callconv(.c) void,
};

extern fn dj_rows(*const Handle) usize;
extern fn dj_is_null(*const Handle, usize, usize) bool;
extern fn dj_text(*const Handle, usize, usize) Str;
extern fn dj_vector(*const Handle, usize, usize) ?[*]const f32;
extern fn dj_set_vector(*Handle, usize, usize, [*]const f32) void;
extern fn dj_length(*const Handle, usize, usize) usize;
extern fn dj_list_element(*const Handle, usize, usize, usize) Str;
extern fn dj_numbers(*const Handle, usize, usize) [*]const f64;
extern fn dj_integers(*const Handle, usize, usize) [*]const i64;
extern fn dj_set_list(*Handle, usize, usize, [*]const Str, usize) void;
extern fn dj_set_numbers(*Handle, usize, usize, [*]const f64, usize) void;
extern fn dj_set_integers(*Handle, usize, usize, [*]const i64, usize) void;
extern fn dj_scratch(usize) *anyopaque;
extern fn dj_number(*const Handle, usize, usize) f64;
extern fn dj_integer(*const Handle, usize, usize) i64;
extern fn dj_common_of(*const Handle) *const Common;
extern fn dj_in_range(*const Common, f64, f64, f64) bool;
extern fn dj_keep(*Handle, usize, bool) void;
extern fn dj_stat(*Handle, usize, usize, f64) void;
extern fn dj_set(*Handle, usize, usize, [*]const u8, usize) void;
extern fn dj_push(*Handle, usize, [*]const u8, usize) void;
extern fn dj_fingerprint(*Handle, usize, [*]const u8, usize) void;
extern fn dj_reject(*Handle, usize, [*:0]const u8) void;
// models.h
extern fn dj_column(*const Handle, usize) Model.Texts;
extern fn dj_open_model([*:0]const u8, *anyopaque) callconv(.c) ?[*:0]const u8;
extern fn dj_score(Model, Model.Texts, bool, bool, *[*]const f64) ?[*:0]const u8;
extern fn dj_classify(Model, Model.Texts, u32, *Model.Ranked) ?[*:0]const u8;
extern fn dj_count(Model, Model.Texts, bool, *[*]const u32, *Model.Failures) ?[*:0]const u8;
extern fn dj_encode(Model, Model.Texts, bool, *[*]const u32, *[*]const u32, *Model.Failures) ?[*:0]const u8;
extern fn dj_pieces(Model, Model.Texts, *[*]const u32, *Model.Texts, *Model.Failures) ?[*:0]const u8;
extern fn dj_decode(Model, [*]const u32, usize, *Str) ?[*:0]const u8;
extern fn dj_contains(Model, Model.Texts, *[*]const bool) ?[*:0]const u8;

// ---- From structs to dj_op -----------------------------------------------------------------------------------------------------------

fn optional(comptime T: type, comptime name: []const u8, comptime default: anytype) @TypeOf(default) {
    return if (@hasDecl(T, name)) @field(T, name) else default;
}

/// The fields that are numbers, whole numbers, flags, texts or models; others are the operator's own state. `docs` and `bounds` say more by name.
fn paramsOf(comptime T: type) [std.meta.fieldNames(T).len + 1]Param {
    const defaults: T = .{};
    var all: [std.meta.fieldNames(T).len + 1]Param = @splat(.{});
    var n: usize = 0;
    for (std.meta.fieldNames(T)) |name| {
        const value = @field(defaults, name);
        var param = Param{ .name = name.ptr, .offset = @offsetOf(T, name), .min = -std.math.inf(f64), .max = std.math.inf(f64) };
        switch (@TypeOf(value)) {
            f64 => param.number = value,
            i64 => {
                param.type = .integer;
                param.number = value;
            },
            bool => {
                param.type = .boolean;
                param.number = if (value) 1 else 0;
            },
            Str => {
                param.type = .string;
                param.string = value.ptr;
            },
            Model => {
                param.type = .model;
                param.string = @field(T.models, name);
                param.open = dj_open_model;
            },
            else => continue,
        }
        if (@hasDecl(T, "docs") and @hasField(@TypeOf(T.docs), name)) param.doc = @field(T.docs, name);
        if (@hasDecl(T, "bounds") and @hasField(@TypeOf(T.bounds), name)) {
            const bounds = @field(T.bounds, name);
            param.min = bounds[0];
            param.max = bounds[1];
        }
        all[n] = param;
        n += 1;
    }
    return all;
}

fn opOf(comptime T: type) Op {
    const calls = struct {
        const params = paramsOf(T);
        fn init(self: *anyopaque) callconv(.c) void {
            of(self).* = .{};
        }
        fn prepare(self: *anyopaque) callconv(.c) ?[*:0]const u8 {
            return if (T.prepare(of(self))) |message| message.ptr else null;
        }
        fn row(self: *anyopaque, batch: *Handle, index: usize) callconv(.c) void {
            T.row(of(self), .{ .batch = batch, .row = index });
        }
        fn all(self: *anyopaque, batch: *Handle) callconv(.c) void {
            T.batch(of(self), .{ .batch = batch });
        }
        fn of(self: *anyopaque) *T {
            return @ptrCast(@alignCast(self));
        }
    };
    var result = Op{
        .name = T.name,
        .summary = T.summary,
        .kind = T.kind,
        .cost = optional(T, "cost", Cost.light),
        .size = @sizeOf(T),
        .params = &calls.params,
        .init = calls.init,
        .prepare = if (@hasDecl(T, "prepare")) calls.prepare else null,
        .reads = @splat(.{}),
        .writes = @splat(null),
        .made = @splat(.{}),
        .stats = @splat(.{}),
        .expands = optional(T, "expands", false),
        .row = if (@hasDecl(T, "row")) calls.row else null,
        .batch = if (@hasDecl(T, "batch")) calls.all else null,
    };
    if (@hasDecl(T, "reads")) for (T.reads, 0..) |field, n| {
        result.reads[n] = field;
    };
    if (@hasDecl(T, "writes")) for (T.writes, 0..) |path, n| {
        result.writes[n] = path;
    };
    if (@hasDecl(T, "made")) for (T.made, 0..) |what, n| {
        result.made[n] = what;
    };
    if (@hasDecl(T, "stats")) for (T.stats, 0..) |stat, n| {
        result.stats[n] = stat;
    };
    return result;
}

fn described(comptime T: type) *const Op {
    const Holder = struct {
        const value: Op = opOf(T);
    };
    return &Holder.value;
}

const count = op.operators.len;
const list: [count]*const Op = blk: {
    var ops: [count]*const Op = undefined;
    for (op.operators, 0..) |T, n| ops[n] = described(T);
    break :blk ops;
};
const list_len: usize = count;

comptime {
    @export(&list, .{ .name = "dj_operators" });
    @export(&list_len, .{ .name = "dj_operator_count" });
}
