//! Letters and digits.

use super::charset::count_class;
use super::simd::Lanes;
use super::tables::ALPHANUMERIC;

/// The number of code points for which Python's `str.isalnum` is true.
pub fn alphanumeric(text: &str) -> usize {
    let ascii = |lanes: Lanes| {
        lanes
            .with_bits(0x20)
            .within(b'a', b'z')
            .or(lanes.within(b'0', b'9'))
    };
    count_class(text, ascii, |c| ALPHANUMERIC.has(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alphanumeric_is_pythons() {
        for (text, count) in [
            ("", 0),
            ("aZ09_-", 4),
            ("日本語。", 3),
            ("²½Ⅷ", 3),
            ("e\u{301}", 1),
            ("ア゛", 1),
            ("𝔘𝟙😀", 2),
            ("ñ¿?", 1),
        ] {
            assert_eq!(alphanumeric(text), count, "{text}");
            for shift in 0..70 {
                assert_eq!(
                    alphanumeric(&format!("{}{text}", "-".repeat(shift))),
                    count,
                    "{text} after {shift}"
                );
            }
        }
    }
}
