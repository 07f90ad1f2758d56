//! Finds the ends of sentences like Data-Juicer's rule-based splitter.

use djhost_sdk::text::blocks;
use memchr::{memchr, memchr2, memchr3, memmem};

const CLOSING: [&str; 2] = ["’", "”"];

/// Puts the positions in `text`, in bytes, where a sentence stops into `stops`, ascending. A
/// sentence starts where the previous one stops, or after a line feed there.
///
/// A sentence stops at the end of a line, after a terminator or two `…`, and after a closing
/// quotation mark that follows one of these, unless another one follows. The match includes the
/// character after a stop, so that character ends no sentence.
pub(crate) fn stops(text: &str, stops: &mut Vec<usize>) {
    stops.clear();
    let bytes = text.as_bytes();
    // The current line: its start, the number of stops before it, and whether it has bytes of marks
    // other than `.!?`.
    let (mut start, mut before, mut other) = (0, 0, false);
    let end_line =
        |stops: &mut Vec<usize>, start: usize, before: usize, other: bool, stop: usize| {
            if other {
                stops.truncate(before);
                ends(&text[start..stop], stops);
                stops[before..].iter_mut().for_each(|place| *place += start);
            }
            stops.push(stop);
        };
    // The search for terminators continues from here.
    let mut from = 0;
    blocks(text, |block| {
        let mut found = block.mask(|lanes| {
            lanes
                .eq(b'\n')
                .or(lanes.eq(b'.'))
                .or(lanes.eq(b'!'))
                .or(lanes.eq(b'?'))
        });
        let mut others = match block.non_ascii() {
            0 => 0,
            _ => block.mask(|lanes| lanes.eq(0xe2).or(lanes.eq(0xe3)).or(lanes.eq(0xef))),
        };
        while found != 0 {
            let bit = found.trailing_zeros();
            found &= found - 1;
            let at = block.start + bit as usize;
            if bytes[at] == b'\n' {
                let passed = (1 << bit) - 1;
                end_line(stops, start, before, other || others & passed != 0, at);
                others &= !passed;
                (start, before, other) = (at + 1, stops.len(), false);
            } else if at >= from && bytes.get(at + 1).is_some_and(|&next| next != b'\n') {
                stops.push(at + 1);
                from = at + 2;
            }
        }
        other |= others != 0;
    });
    end_line(stops, start, before, other, bytes.len());
}

/// Appends the positions in `line`, in bytes, where one sentence follows another, ascending. `line`
/// has no line feed.
fn ends(line: &str, ends: &mut Vec<usize>) {
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

/// Appends the ends after closing quotation marks.
fn quotations(line: &str, ends: &mut Vec<usize>) {
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        let rest = &line[at + c.len_utf8()..];
        // Data-Juicer's class of sentence terminators contains these by accident, and its results
        // count.
        if matches!(
            c,
            '.' | '。' | '!' | '！' | '?' | '？' | '{' | '6' | '}' | '…' | '2'
        ) && rest.starts_with(['’', '”'])
        {
            let next = end(line, at + c.len_utf8() + CLOSING[0].len(), ends);
            while chars.offset() < next {
                chars.next();
            }
        }
    }
}

/// Notes an end at `at` unless a closing quotation mark or nothing follows. Returns where to
/// continue: after the following character if it does, else one character after the first one of
/// the match.
fn end(line: &str, at: usize, ends: &mut Vec<usize>) -> usize {
    match line[at..].chars().next() {
        Some(c) if c != '’' && c != '”' => {
            ends.push(at);
            at + c.len_utf8()
        }
        _ => at,
    }
}

/// The length of the terminator at byte `at`; 0 if there is none.
#[inline(always)]
fn terminator(bytes: &[u8], at: usize) -> usize {
    match bytes[at] {
        b'.' | b'!' | b'?' => 1,
        0xe3 if bytes[at..].starts_with("。".as_bytes()) => 3,
        0xef if bytes[at..].starts_with("！".as_bytes())
            || bytes[at..].starts_with("？".as_bytes()) =>
        {
            3
        }
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
            let ends = places.iter().copied().chain(std::iter::once(line.len()));
            let got: Vec<&str> = starts
                .zip(ends)
                .map(|(start, end)| &line[start..end])
                .collect();
            assert_eq!(got, sentences, "{line}");
        }
    }

    #[test]
    fn texts_stop_where_their_lines_do() {
        let parts = [
            "",
            "a",
            "A. B! C",
            "......",
            ".",
            "你好。世界！",
            "“A.” he",
            "…… x",
            "é? ü",
            "?!",
            "  ",
            "a.’",
        ];
        let mut random = 1u32;
        for length in 0..400 {
            let text: String = (0..length % 40)
                .map(|_| {
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let part = parts[(random >> 16) as usize % parts.len()];
                    format!("{part}{}", if random >> 28 < 9 { "\n" } else { "" })
                })
                .collect();
            let (mut expected, mut start, mut places) = (Vec::new(), 0, Vec::new());
            for line in text.split('\n') {
                places.clear();
                ends(line, &mut places);
                expected.extend(
                    places
                        .iter()
                        .chain([&line.len()])
                        .map(|place| start + place),
                );
                start += line.len() + 1;
            }
            stops(&text, &mut places);
            assert_eq!(places, expected, "{text:?}");
        }
    }
}
