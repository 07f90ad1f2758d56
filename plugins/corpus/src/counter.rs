//! Lines that count something.

use djhost_sdk::text::{is_decimal, is_space, lower_into};
use djhost_words::Classes;

const COUNTED: [&str; 12] = [
    "likes",
    "shares",
    "comments",
    "retweets",
    "reposts",
    "quotes",
    "bookmarks",
    "upvotes",
    "downvotes",
    "downloads",
    "views",
    "followers",
];

/// Whether `line` is a number, maybe with `k`, `m` or `b`, and what it is a number of, with nothing around
/// it but characters that are in no word: `3 likes`, `(1.2K views)`.
pub(crate) fn is_counter(line: &str) -> bool {
    let classes = Classes::get();
    let is_word = |c| classes.is_word(c);
    let rest = line.trim_start_matches(|c| !is_word(c));
    if !rest.starts_with(is_decimal) {
        return false;
    }
    let rest = rest.trim_start_matches(|c| matches!(c, ',' | '.') || is_decimal(c));
    let rest = rest
        .strip_prefix(['k', 'm', 'b', 'K', 'M', 'B', '\u{212a}'])
        .unwrap_or(rest);
    let what = rest.trim_start_matches(is_space);
    if what.len() == rest.len() {
        return false;
    }
    let mut lower = String::new();
    lower_into(what, &mut lower);
    COUNTED.iter().any(|name| {
        lower
            .strip_prefix(name)
            .is_some_and(|end| !end.contains(is_word))
    })
}

#[cfg(test)]
mod tests {
    use super::is_counter;

    #[test]
    fn counters_are_those_of_dclm() {
        for line in [
            "3 likes",
            " (1,204 Views) ",
            "1.2K\u{a0}followers!",
            "٣ shares",
            "5m downloads…",
            "7.. QUOTES",
        ] {
            assert!(is_counter(line), "{line}");
        }
        for line in [
            "likes",
            "3likes",
            "3 likes it",
            "a 3 likes",
            "3 k likes",
            "3 like",
            "",
            "3,",
            "½ likes",
        ] {
            assert!(!is_counter(line), "{line}");
        }
    }
}
