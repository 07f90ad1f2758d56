//! Puts the tokens of texts into lists: a mapper that asks a tokenizer about all texts of a batch at once.

const dj = @import("djhost");

const Tokens = struct {
    pub const name = "zig_tokens_mapper";
    pub const summary = "Puts the ids and pieces of the tokens of a text into lists, and what they make together into a field.";
    pub const kind = dj.Kind.mapper;
    pub const models = .{ .model = "tokenizer" };
    pub const docs = .{ .model = "The tokenizer." };
    pub const writes = [_][*:0]const u8{ "ids", "pieces", "decoded" };
    pub const made = [_]dj.Made{ .{ .type = .s64_list }, .{ .type = .utf8_list }, .{} };

    model: dj.Model = .{},

    pub fn batch(self: *Tokens, rows: dj.Batch) void {
        const texts = rows.texts(0);
        const tokens = switch (self.model.encode(texts, false)) {
            .found => |found| found,
            .wrong => |reason| return rejectAll(rows, reason),
        };
        const pieces = switch (self.model.pieces(texts)) {
            .found => |found| found,
            .wrong => |reason| return rejectAll(rows, reason),
        };
        var failed: usize = 0;
        for (0..rows.len()) |n| {
            const row = rows.at(n);
            if (failed < tokens.failed.len and tokens.failed[failed].row == n) {
                failed += 1;
                row.reject("the tokenizer cannot take this text");
                continue;
            }
            const ids = dj.scratch(i64, tokens.of(n).len);
            for (ids, tokens.of(n)) |*place, id| place.* = id;
            row.setIntegers(0, ids);
            const list = dj.scratch(dj.Str, pieces.length(n));
            for (list, 0..) |*place, at| place.* = .from(pieces.at(n, at));
            row.setList(1, list);
            switch (self.model.decode(tokens.of(n))) {
                .found => |text| row.set(2, text),
                .wrong => |reason| row.reject(reason),
            }
        }
    }

    fn rejectAll(rows: dj.Batch, reason: [:0]const u8) void {
        for (0..rows.len()) |n| rows.at(n).reject(reason);
    }
};

pub const operators = .{Tokens};
