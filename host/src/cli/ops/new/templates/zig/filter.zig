//! The operator `@NAME@`.
const dj = @import("djhost");
const std = @import("std");

const LinesFilter = struct {
    pub const name = "@NAME@";
    pub const summary = "Keeps texts that have enough lines.";
    pub const kind = dj.Kind.filter;
    pub const stats = [_]dj.Stat{.{ .key = "num_lines", .integer = true }};
    pub const docs = .{ .min_num = "The least number of lines." };
    pub const bounds = .{ .min_num = .{ 0, 1e9 } };

    min_num: i64 = 2,

    pub fn row(self: *LinesFilter, r: dj.Row) void {
        var lines: u32 = 1;
        for (r.text(0)) |c| lines += @intFromBool(c == '\n');
        r.keepInRange(@floatFromInt(lines), @floatFromInt(self.min_num), std.math.inf(f64));
    }
};

pub const operators = .{LinesFilter};
