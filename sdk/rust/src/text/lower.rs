//! Lower case, as Python's `str.lower`.

use super::charset::decode;
use super::simd::blocks;

/// Letters that got a lower case after Unicode 14: Data-Juicer's Python leaves them unchanged.
fn is_newer(c: char) -> bool {
    matches!(
        c,
        '\u{1c89}'
            | '\u{a7cb}'
            | '\u{a7cc}'
            | '\u{a7ce}'
            | '\u{a7d2}'
            | '\u{a7d4}'
            | '\u{a7da}'
            | '\u{a7dc}'
    ) || matches!(c, '\u{10d50}'..='\u{10d65}' | '\u{16ea0}'..='\u{16eb8}')
}

/// Appends the lower case of `text` to `out`: full Unicode mappings, one to several code points and
/// final sigma included.
pub fn lower_into(text: &str, out: &mut String) {
    let mut sigmas = Sigmas::default();
    // `out` has `text` up to here.
    let mut done = 0;
    let from = out.len();
    blocks(text, |block| {
        let mut starts = block.mask(|lanes| lanes.within(0xc3, 0xff));
        while starts != 0 {
            let at = block.start + starts.trailing_zeros() as usize;
            starts &= starts - 1;
            let (code, len) = decode(text, at);
            match code {
                // Scripts without case, most of Asia's text; and small letters of the commonest
                // alphabets.
                0x2e80..=0xa63f
                | 0xac00..=0xd7ff
                | 0xdf..=0xff
                | 0x3b1..=0x3c9
                | 0x430..=0x45f
                | 0x2000..=0x20ff => continue,
                _ => {}
            }
            let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            if is_newer(c) {
                continue;
            }
            if c == 'Σ' {
                out.push_str(&text[done..at]);
                out.push(sigmas.lower(text, at));
            } else {
                let mut lower = c.to_lowercase();
                if lower.len() == 1 && lower.next() == Some(c) {
                    continue;
                }
                out.push_str(&text[done..at]);
                out.extend(c.to_lowercase());
            }
            done = at + len;
        }
    });
    out.push_str(&text[done..]);
    out[from..].make_ascii_lowercase();
}

/// The lower case of capital sigmas: ς at the end of a word, else σ. The standard library knows the
/// rule, so this asks it about the text between ASCII white space, once for all sigmas in it.
#[derive(Default)]
struct Sigmas {
    /// The results for that text, last one first.
    waiting: Vec<char>,
}

impl Sigmas {
    /// The lower case of the sigma at byte `at` of `text`. Must be called for all sigmas in order.
    fn lower(&mut self, text: &str, at: usize) -> char {
        if self.waiting.is_empty() {
            let start = text[..at]
                .rfind(|c: char| c.is_ascii_whitespace())
                .map_or(0, |space| space + 1);
            let end = text[at..]
                .find(|c: char| c.is_ascii_whitespace())
                .map_or(text.len(), |space| at + space);
            let neighbourhood = &text[start..end];
            let lower = neighbourhood.to_lowercase();
            let mut lower = lower.chars();
            for c in neighbourhood.chars() {
                let first = lower.next().unwrap_or('σ');
                lower
                    .by_ref()
                    .take(c.to_lowercase().count() - 1)
                    .for_each(drop);
                if c == 'Σ' {
                    self.waiting.push(first);
                }
            }
            self.waiting.reverse();
        }
        self.waiting.pop().unwrap_or('σ')
    }
}

#[cfg(test)]
mod tests {
    use super::lower_into;

    #[test]
    fn lowers_as_the_standard_library_does() {
        for text in [
            "",
            "ABC xyz",
            "ÄÖÜ ŒÆ",
            "İstanbul",
            "ΟΔΥΣΣΕΥΣ ΑΣ, Σ ΑΣ́Α",
            "ДОМ Ёлка",
            "日本ＡＢ",
            "ẞ ǅ Ⓜ",
            "Γ1Σ",
            "𐐀",
        ] {
            let mut out = String::from("x");
            lower_into(text, &mut out);
            assert_eq!(out, format!("x{}", text.to_lowercase()));
        }
    }

    #[test]
    fn every_sigma_of_a_long_run_has_its_own_neighbours() {
        let text = "ΑΣ.Σ'Α-İΣΣ ".repeat(3) + &"ΣΑΣ,".repeat(1000) + " ΑΣ";
        let mut out = String::new();
        lower_into(&text, &mut out);
        assert_eq!(out, text.to_lowercase());
    }

    #[test]
    fn letters_newer_than_unicode_14_stay() {
        let mut out = String::new();
        lower_into("\u{a7dc}\u{10d50}", &mut out);
        assert_eq!(out, "\u{a7dc}\u{10d50}");
    }
}
