//! Keeps texts by their share of ASCII letters and digits.
const dj = @import("djhost");

const AlnumFilter = struct {
    pub const name = "zig_alnum_filter";
    pub const summary = "Keeps texts whose share of ASCII letters and digits lies in a range.";
    pub const kind = dj.Kind.filter;
    pub const stats = [_]dj.Stat{.{ .key = "zig_alnum_ratio" }};
    pub const docs = .{
        .min_ratio = "The least share of ASCII letters and digits among the bytes.",
        .max_ratio = "The greatest share.",
    };
    pub const bounds = .{ .min_ratio = .{ 0, 1 }, .max_ratio = .{ 0, 1 } };

    min_ratio: f64 = 0.25,
    max_ratio: f64 = 1.0,

    pub fn row(self: *AlnumFilter, r: dj.Row) void {
        const text = r.text(0);
        var count: u32 = 0;
        for (text) |c| count += @intFromBool((c | 32) -% 'a' < 26) | @intFromBool(c -% '0' < 10);
        const total: f64 = @floatFromInt(@max(text.len, 1));
        const alnum: f64 = @floatFromInt(count);
        r.keepInRange(alnum / total, self.min_ratio, self.max_ratio);
    }
};

pub const operators = .{AlnumFilter};
