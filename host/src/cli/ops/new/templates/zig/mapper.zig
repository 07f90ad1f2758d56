//! The operator `@NAME@`.
const dj = @import("djhost");

const CutMapper = struct {
    pub const name = "@NAME@";
    pub const summary = "Cuts texts after a number of characters.";
    pub const kind = dj.Kind.mapper;
    pub const docs = .{ .max_chars = "How many characters stay." };
    pub const bounds = .{ .max_chars = .{ 0, 1e9 } };

    max_chars: i64 = 8,

    pub fn row(self: *CutMapper, r: dj.Row) void {
        const text = r.text(0);
        var chars: i64 = 0;
        for (text, 0..) |c, end| {
            if (c & 0xc0 == 0x80) continue; // inside a character
            if (chars == self.max_chars) return r.set(0, text[0..end]);
            chars += 1;
        }
        // A row for which nothing is set stays as it is.
    }
};

pub const operators = .{CutMapper};
