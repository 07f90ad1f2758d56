//! Keeps the first of the texts that begin alike.
const dj = @import("djhost");

const PrefixDeduplicator = struct {
    pub const name = "zig_prefix_deduplicator";
    pub const summary = "Removes texts that begin with the same characters as an earlier one.";
    pub const kind = dj.Kind.deduplicator;
    pub const docs = .{ .length = "Characters that must be equal." };
    pub const bounds = .{ .length = .{ 1, 1e9 } };

    length: i64 = 64,

    pub fn row(self: *PrefixDeduplicator, r: dj.Row) void {
        const text = r.text(0);
        var end: usize = 0;
        var chars: i64 = 0;
        while (end < text.len) : (end += 1) {
            if (text[end] & 0xc0 == 0x80) continue; // inside a character
            if (chars == self.length) break;
            chars += 1;
        }
        r.fingerprint(text[0..end]);
    }
};

pub const operators = .{PrefixDeduplicator};
