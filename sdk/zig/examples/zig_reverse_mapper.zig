//! Turns lists around: of texts, of bytes, of whole numbers and of numbers.

const dj = @import("djhost");

const Reverse = struct {
    pub const name = "zig_reverse_mapper";
    pub const summary = "Turns lists around.";
    pub const kind = dj.Kind.mapper;
    pub const reads = [_]dj.Field{
        .{ .path = "words", .type = .utf8_list, .optional = true },
        .{ .path = "files", .type = .bytes_list, .optional = true },
        .{ .path = "counts", .type = .s64_list, .optional = true },
        .{ .path = "weights", .type = .f64_list, .optional = true },
    };
    pub const writes = [_][*:0]const u8{ "words", "files", "counts", "weights" };
    pub const made = [_]dj.Made{ .{ .type = .utf8_list }, .{ .type = .bytes_list }, .{ .type = .s64_list }, .{ .type = .f64_list } };

    pub fn row(_: *Reverse, r: dj.Row) void {
        for (0..2) |field| {
            if (r.isNull(field)) continue;
            const turned = dj.scratch(dj.Str, r.length(field));
            for (turned, 0..) |*place, n| place.* = .from(r.element(field, turned.len - 1 - n));
            r.setList(field, turned);
        }
        if (!r.isNull(2)) r.setIntegers(2, turn(i64, r.integers(2)));
        if (!r.isNull(3)) r.setNumbers(3, turn(f64, r.numbers(3)));
    }

    fn turn(comptime T: type, values: []const T) []const T {
        const turned = dj.scratch(T, values.len);
        for (turned, 0..) |*place, n| place.* = values[values.len - 1 - n];
        return turned;
    }
};

pub const operators = .{Reverse};
