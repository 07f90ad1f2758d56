//! `punctuation_normalization_mapper`

use djhost_sdk::prelude::*;
use djhost_sdk::text::blocks;

/// Makes plain ASCII punctuation of typographic and full-width punctuation.
///
/// The table is Data-Juicer's: `１` (the full-width digit) becomes a quotation mark too.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PunctuationNormalizationMapper {}

impl TextMapper for PunctuationNormalizationMapper {
    const NAME: &'static str = "punctuation_normalization_mapper";

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        // Everything before `done` was written.
        let mut done = 0;
        let mut changed = false;
        blocks(text, |block| {
            if block.non_ascii() == 0 {
                return;
            }
            // The first bytes of all characters of the table.
            let mut candidates = block.mask(|lanes| {
                lanes
                    .eq(0xc2)
                    .or(lanes.eq(0xe2))
                    .or(lanes.eq(0xe3))
                    .or(lanes.eq(0xef))
            });
            while candidates != 0 {
                let at = block.start + candidates.trailing_zeros() as usize;
                if let Some((plain, length)) = plain_at(&text[at..]) {
                    out.push_str(&text[done..at]);
                    out.push_str(plain);
                    done = at + length;
                    changed = true;
                }
                candidates &= candidates - 1;
            }
        });
        if changed {
            out.push_str(&text[done..]);
        }
        Ok(changed)
    }
}

/// The replacement of the character at the start of `text`, and the character's length in bytes.
fn plain_at(text: &str) -> Option<(&'static str, usize)> {
    let c = text.chars().next()?;
    let plain = match c {
        '，' | '、' => ",",
        '。' => ".",
        '„' | '”' | '“' | '«' | '»' | '１' | '」' | '「' | '《' | '》' => "\"",
        '´' | '’' => "'",
        '∶' | '：' => ":",
        '？' => "?",
        '！' => "!",
        '（' => "(",
        '）' => ")",
        '；' => ";",
        '–' | '━' | '►' => "-",
        '—' => " - ",
        '．' => ". ",
        '～' => "~",
        '…' => "...",
        '〈' => "<",
        '〉' => ">",
        '【' => "[",
        '】' => "]",
        '％' => "%",
        _ => return None,
    };
    Some((plain, c.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn typographic_punctuation_becomes_plain() {
        let mut op = Runner::new(operator!(PunctuationNormalizationMapper), "{}").unwrap();
        let out = op.map(&[
            "你好，世界。「１２」",
            "a—b…c–d’s",
            "plain, text.",
            "",
            "é日本°",
        ]);
        assert_eq!(
            out,
            [
                "你好,世界.\"\"２\"",
                "a - b...c-d's",
                "plain, text.",
                "",
                "é日本°"
            ]
        );
    }

    #[test]
    fn blocks_do_not_matter() {
        let mut op = Runner::new(operator!(PunctuationNormalizationMapper), "{}").unwrap();
        for shift in 0..130 {
            let before = "x".repeat(shift);
            assert_eq!(
                op.map(&[&format!("{before}…é—")]),
                [format!("{before}...é - ")]
            );
        }
    }
}
