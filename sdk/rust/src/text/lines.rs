//! Lines, as Python's `str.splitlines` cuts them.

use super::simd::blocks;

/// The lines of a text, measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lines {
    /// Number of lines.
    pub count: usize,
    /// Code points of the longest one, without its end.
    pub longest: usize,
}

/// Counts and measures the lines of `text`. A line ends at `\n`, `\r`, `\r\n`, `\v`, `\f`, U+001C
/// to U+001E, U+0085, U+2028 and U+2029; an end at the end of the text starts no further line.
pub fn lines(text: &str) -> Lines {
    let bytes = text.as_bytes();
    let mut found = Lines::default();
    // Code points since the last line end.
    let mut length = 0;
    blocks(text, |block| {
        let mut ends = block.mask(|lanes| lanes.within(0x0a, 0x0d).or(lanes.within(0x1c, 0x1e)));
        let mut starts = block.valid;
        if block.non_ascii() != 0 {
            starts = block.starts();
            let mut candidates = block.mask(|lanes| lanes.eq(0xc2).or(lanes.eq(0xe2)));
            while candidates != 0 {
                let bit = candidates.trailing_zeros();
                let rest = &bytes[block.start + bit as usize..];
                if rest.starts_with(b"\xc2\x85")
                    || rest.starts_with(b"\xe2\x80\xa8")
                    || rest.starts_with(b"\xe2\x80\xa9")
                {
                    ends |= 1 << bit;
                }
                candidates &= candidates - 1;
            }
        }
        while ends != 0 {
            let bit = ends.trailing_zeros();
            let before = (1u64 << bit) - 1;
            length += (starts & before).count_ones() as usize;
            found.longest = found.longest.max(length);
            let at = block.start + bit as usize;
            let second_of_crlf = bytes[at] == b'\n' && at > 0 && bytes[at - 1] == b'\r';
            found.count += usize::from(!second_of_crlf);
            length = 0;
            starts &= !before & !(1 << bit);
            ends &= ends - 1;
        }
        length += starts.count_ones() as usize;
    });
    if length > 0 {
        found.longest = found.longest.max(length);
        found.count += 1;
    }
    found
}

/// A number of lines that `text` has at most: as [`lines`] cuts them, but what only looks like an end
/// counts, too.
pub fn lines_at_most(text: &str) -> usize {
    let mut ends = 0;
    blocks(text, |block| {
        let mut mask = block.mask(|lanes| lanes.within(0x0a, 0x0d).or(lanes.within(0x1c, 0x1e)));
        if block.non_ascii() != 0 {
            mask |= block.mask(|lanes| lanes.eq(0xc2).or(lanes.eq(0xe2)));
        }
        ends += mask.count_ones() as usize;
    });
    ends + usize::from(!text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_as_python_does() {
        // Expected: Python's len(s.splitlines()) and max(map(len, s.splitlines()), default=0).
        let cases = [
            ("", 0, 0),
            ("a", 1, 1),
            ("a\n", 1, 1),
            ("\n", 1, 0),
            ("\r\n", 1, 0),
            ("\n\r", 2, 0),
            ("a\r\n\r\nbc", 3, 2),
            ("a\x0bb\x0cc\x1cd\x1de\x1ef\x1fg", 6, 3),
            ("日\u{85}本語\u{2028}x\u{2029}", 3, 2),
            ("\u{2027}\u{2030}\u{80}", 1, 3),
        ];
        for (text, count, longest) in cases {
            assert_eq!(lines(text), Lines { count, longest }, "{text:?}");
            assert!(lines_at_most(text) >= count, "{text:?}");
            for shift in 1..70 {
                let shifted = format!("{}\n{text}", "-".repeat(shift));
                assert_eq!(
                    lines(&shifted),
                    Lines {
                        count: count + 1,
                        longest: longest.max(shift)
                    },
                    "{text:?} after {shift}"
                );
            }
        }
    }
}
