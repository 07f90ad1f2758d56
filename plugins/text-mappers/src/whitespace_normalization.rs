//! `whitespace_normalization_mapper`

use djhost_sdk::prelude::*;
use djhost_sdk::text::{blocks, strip};

/// Makes plain spaces of the many characters that look like one, and strips white space at both
/// ends.
///
/// Tabs, no-break, ideographic, zero-width and the typographic spaces become a space each. Line
/// feeds stay, as in Data-Juicer.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct WhitespaceNormalizationMapper {}

impl TextMapper for WhitespaceNormalizationMapper {
    const NAME: &'static str = "whitespace_normalization_mapper";

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        let stripped = strip(text);
        let mut changed = stripped.len() < text.len();
        // Everything before `done` was written.
        let mut done = 0;
        blocks(stripped, |block| {
            let lead = |b: u8| move |lanes: djhost_sdk::text::Lanes| lanes.eq(b);
            let mut candidates = block.mask(lead(b'\t'));
            if block.non_ascii() != 0 {
                candidates |= block.mask(|lanes| {
                    lanes
                        .eq(0xc2)
                        .or(lanes.eq(0xe2))
                        .or(lanes.eq(0xe3))
                        .or(lanes.eq(0xef))
                });
            }
            while candidates != 0 {
                let at = block.start + candidates.trailing_zeros() as usize;
                let space = space_at(&stripped.as_bytes()[at..]);
                if space > 0 {
                    out.push_str(&stripped[done..at]);
                    out.push(' ');
                    done = at + space;
                    changed = true;
                }
                candidates &= candidates - 1;
            }
        });
        if changed {
            out.push_str(&stripped[done..]);
        }
        Ok(changed)
    }
}

/// The length in bytes of the character at the start of `bytes` if it becomes a space, else 0.
fn space_at(bytes: &[u8]) -> usize {
    match bytes {
        [b'\t', ..] => 1,
        // U+0084 and U+00A0.
        [0xc2, 0x84 | 0xa0, ..] => 2,
        // U+2000 to U+200D, U+202F; U+205F and U+2060; U+3000; U+FFFC.
        [0xe2, 0x80, 0x80..=0x8d | 0xaf, ..]
        | [0xe2, 0x81, 0x9f | 0xa0, ..]
        | [0xe3, 0x80, 0x80, ..]
        | [0xef, 0xbf, 0xbc, ..] => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn all_kinds_of_spaces_become_one_kind() {
        let mut op = Runner::new(operator!(WhitespaceNormalizationMapper), "{}").unwrap();
        let out = op.map(&[
            "a\tb\u{a0}c\u{200b}d\u{2060}e\u{3000}f\u{fffc}g\u{84}h",
            "line\nline\r\n line\u{2028}x",
            "日本。、語",
            "",
        ]);
        assert_eq!(
            out,
            [
                "a b c d e f g h",
                "line\nline\r\n line\u{2028}x",
                "日本。、語",
                ""
            ]
        );
    }

    #[test]
    fn both_ends_are_stripped_as_python_strips() {
        let mut op = Runner::new(operator!(WhitespaceNormalizationMapper), "{}").unwrap();
        assert_eq!(
            op.map(&[" \u{1f}\n a \u{3000}", "\u{200b}a", " "]),
            ["a", " a", ""]
        );
    }

    #[test]
    fn unchanged_rows_are_not_sent_back() {
        let mut op = Runner::new(operator!(WhitespaceNormalizationMapper), "{}").unwrap();
        let out = op
            .process(&Runner::text_batch(&["plain", " x", "plain\ntoo"]))
            .unwrap();
        let Output::Updated { updates, .. } = out else {
            panic!("{out:?}")
        };
        assert_eq!(updates[0].rows, Some(vec![1]));
        assert_eq!(updates[0].values, Column::Utf8(["x"].into_iter().collect()));
    }
}
