//! Makes a row of each paragraph: a run of lines that are not blank.
const dj = @import("djhost");
const std = @import("std");

const SplitMapper = struct {
    pub const name = "zig_split_mapper";
    pub const summary = "Splits texts into paragraphs at blank lines.";
    pub const kind = dj.Kind.mapper;
    pub const expands = true;

    pub fn row(_: *SplitMapper, r: dj.Row) void {
        const text = r.text(0);
        var start: ?usize = null; // of the paragraph that is open
        var stop: usize = 0;
        var at: usize = 0;
        while (at < text.len) {
            const end = std.mem.findScalarPos(u8, text, at, '\n') orelse text.len;
            const blank = std.mem.trim(u8, text[at..end], " \t\r").len == 0;
            if (!blank) {
                start = start orelse at;
                stop = end;
            } else if (start) |first| {
                r.push(text[first..stop]);
                start = null;
            }
            at = end + 1;
        }
        if (start) |first| r.push(text[first..stop]);
    }
};

pub const operators = .{SplitMapper};
