//! Where sentences end, as Data-Juicer's splitter by rules sees it.

use memchr::{memchr, memchr2, memchr3, memmem};

const CLOSING: [&str; 2] = ["’", "”"];

/// Appends the places in `line`, in bytes, where a sentence follows another; rising. `line` has no line feed.
///
/// A sentence ends behind a terminator or two `…`, and behind a closing quotation mark after one of these, unless a closing quotation mark
/// follows. The character behind an end is taken with it: it ends no sentence.
pub(crate) fn ends(line: &str, ends: &mut Vec<usize>) {
    let first = ends.len();
    let bytes = line.as_bytes();
    let mut at = 0;
    if memchr2(0xe3, 0xef, bytes).is_none() {
        // No ideographic or wide terminator.
        while let Some(found) = memchr3(b'.', b'!', b'?', &bytes[at..]) {
            at = end(line, at + found + 1, ends);
        }
    } else {
        while at < bytes.len() {
            let length = terminator(bytes, at);
            if length == 0 {
                at += 1;
                continue;
            }
            at = end(line, at + length, ends);
        }
    }
    if memchr(0xe2, bytes).is_none() {
        // Neither `…` nor a closing quotation mark.
        return;
    }
    let before = ends.len();
    let mut from = 0;
    while let Some(at) = memmem::find(&bytes[from..], "……".as_bytes()) {
        from = end(line, from + at + "……".len(), ends);
    }
    for mark in CLOSING {
        if memmem::find(bytes, mark.as_bytes()).is_some() {
            quotations(line, ends);
            break;
        }
    }
    if ends.len() > before {
        ends[first..].sort_unstable();
    }
}

/// The ends behind closing quotation marks.
fn quotations(line: &str, ends: &mut Vec<usize>) {
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        let rest = &line[at + c.len_utf8()..];
        // Data-Juicer's class of what ends a sentence has these by accident, and users have its results.
        if matches!(c, '.' | '。' | '!' | '！' | '?' | '？' | '{' | '6' | '}' | '…' | '2') && rest.starts_with(['’', '”']) {
            let next = end(line, at + c.len_utf8() + CLOSING[0].len(), ends);
            while chars.offset() < next {
                chars.next();
            }
        }
    }
}

/// Notes an end at `at` if something other than a closing quotation mark follows. Where the search goes on: behind the character that
/// follows if it does, else one character behind the first one of the match.
fn end(line: &str, at: usize, ends: &mut Vec<usize>) -> usize {
    match line[at..].chars().next() {
        Some(c) if c != '’' && c != '”' => {
            ends.push(at);
            at + c.len_utf8()
        }
        _ => at,
    }
}

/// The length of the terminator that starts at byte `at`; 0 if there is none.
#[inline(always)]
fn terminator(bytes: &[u8], at: usize) -> usize {
    match bytes[at] {
        b'.' | b'!' | b'?' => 1,
        0xe3 if bytes[at..].starts_with("。".as_bytes()) => 3,
        0xef if bytes[at..].starts_with("！".as_bytes()) || bytes[at..].starts_with("？".as_bytes()) => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_where_the_rules_say() {
        for (line, sentences) in [
            ("", &[""][..]),
            ("No end", &["No end"]),
            ("A. B! C", &["A.", " B!", " C"]),
            ("......", &[".", "..", "..", "."]),
            ("你好。世界！", &["你好。", "世界！"]),
            ("“A.” he", &["“A.”", " he"]),
            ("A.’” b", &["A.’” b"]),
            ("a2” b 6’c", &["a2”", " b 6’", "c"]),
            ("a……b………c", &["a……", "b……", "…c"]),
            ("……”x", &["……”", "x"]),
            ("a.", &["a."]),
        ] {
            let mut places = Vec::new();
            ends(line, &mut places);
            let starts = std::iter::once(0).chain(places.iter().copied());
            let stops = places.iter().copied().chain(std::iter::once(line.len()));
            let got: Vec<&str> = starts.zip(stops).map(|(start, stop)| &line[start..stop]).collect();
            assert_eq!(got, sentences, "{line}");
        }
    }
}
