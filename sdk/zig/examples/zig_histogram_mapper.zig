//! Puts the share of each quarter of byte values into a vector: what the bytes of a file look like, at a glance. Reads bytes, writes a vector.

const dj = @import("djhost");

const Histogram = struct {
    pub const name = "zig_histogram_mapper";
    pub const summary = "Puts the share of each quarter of byte values into a vector.";
    pub const kind = dj.Kind.mapper;
    pub const reads = [_]dj.Field{.{ .path = "file", .type = .bytes, .optional = true }};
    pub const writes = [_][*:0]const u8{"histogram"};
    pub const made = [_]dj.Made{.{ .type = .vector, .width = 4 }};

    pub fn row(_: *Histogram, r: dj.Row) void {
        if (r.isNull(0)) return;
        const bytes = r.bytes(0);
        var shares: [4]f32 = @splat(0);
        for (bytes) |byte| shares[byte / 64] += 1.0 / @as(f32, @floatFromInt(bytes.len));
        r.setVector(0, &shares);
    }
};

pub const operators = .{Histogram};
