//! The operator `@NAME@`.
const dj = @import("djhost");

const PrefixDeduplicator = struct {
    pub const name = "@NAME@";
    pub const summary = "Drops texts that begin like an earlier one.";
    pub const kind = dj.Kind.deduplicator;
    pub const docs = .{ .length = "Characters to compare." };
    pub const bounds = .{ .length = .{ 1, 1e9 } };

    length: i64 = 8,

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
