//! Keeps texts that a language model of KenLM finds probable: a filter with a model that the recipe lends.
const std = @import("std");
const dj = @import("djhost");

const FluencyFilter = struct {
    pub const name = "zig_fluency_filter";
    pub const summary = "Keeps texts that a language model of KenLM finds probable.";
    pub const kind = dj.Kind.filter;
    pub const stats = [_]dj.Stat{.{ .key = "zig_log_probability" }};
    pub const models = .{ .model = "kenlm" };
    pub const docs = .{
        .model = "The language model.",
        .min_score = "The least logarithm to base 10 of the probability of a text.",
    };
    pub const bounds = .{ .min_score = .{ -std.math.inf(f64), 0 } };

    model: dj.Model = .{},
    min_score: f64 = -2.3,

    /// All texts in one call of the host.
    pub fn batch(self: *FluencyFilter, rows: dj.Batch) void {
        const answer = self.model.score(rows.texts(0));
        for (0..rows.len()) |n| switch (answer) {
            .wrong => |reason| rows.at(n).reject(reason),
            .found => |scores| rows.at(n).keepInRange(scores[n], self.min_score, std.math.inf(f64)),
        };
    }
};

pub const operators = .{FluencyFilter};
