//! Lower case, as Python's `str.lower`.

/// Letters that got a lower case after Unicode 14, which the Python that Data-Juicer runs on leaves as they are.
fn is_newer(c: char) -> bool {
    matches!(c, '\u{1c89}' | '\u{a7cb}' | '\u{a7cc}' | '\u{a7ce}' | '\u{a7d2}' | '\u{a7d4}' | '\u{a7da}' | '\u{a7dc}')
        || matches!(c, '\u{10d50}'..='\u{10d65}' | '\u{16ea0}'..='\u{16eb8}')
}

/// Appends the lower case of `text` to `out`: full Unicode mappings, one to several code points and final sigma included.
pub fn lower_into(text: &str, out: &mut String) {
    let mut rest = text;
    let mut sigmas = Sigmas::default();
    while !rest.is_empty() {
        let ascii = rest.bytes().position(|b| b >= 0x80).unwrap_or(rest.len());
        let from = out.len();
        out.push_str(&rest[..ascii]);
        out[from..].make_ascii_lowercase();
        rest = &rest[ascii..];
        let other = rest.bytes().position(|b| b < 0x80).unwrap_or(rest.len());
        let done = text.len() - rest.len();
        for (at, c) in rest[..other].char_indices() {
            match c {
                // Scripts without case, most of Asia's text; and the commonest alphabet that is a plain shift.
                '\u{2e80}'..='\u{a63f}' | '\u{ac00}'..='\u{d7ff}' | '\u{3b1}'..='\u{3c9}' | '\u{430}'..='\u{45f}' => out.push(c),
                '\u{410}'..='\u{42f}' => out.push(char::from_u32(c as u32 + 0x20).unwrap_or(c)),
                'Σ' => out.push(sigmas.lower(text, done + at)),
                c if is_newer(c) => out.push(c),
                c => out.extend(c.to_lowercase()),
            }
        }
        rest = &rest[other..];
    }
}

/// The lower case of capital sigmas: ς at the end of a word, else σ. The standard library knows the rule, so it is asked about the
/// neighbourhood, all that stands between ASCII white space: once for all sigmas in it.
#[derive(Default)]
struct Sigmas {
    /// Those of the neighbourhood, the last one first.
    waiting: Vec<char>,
}

impl Sigmas {
    /// That of the sigma at byte `at` of `text`. To be asked about all sigmas of a text in order.
    fn lower(&mut self, text: &str, at: usize) -> char {
        if self.waiting.is_empty() {
            let start = text[..at].rfind(|c: char| c.is_ascii_whitespace()).map_or(0, |space| space + 1);
            let end = text[at..].find(|c: char| c.is_ascii_whitespace()).map_or(text.len(), |space| at + space);
            let neighbourhood = &text[start..end];
            let lower = neighbourhood.to_lowercase();
            let mut lower = lower.chars();
            for c in neighbourhood.chars() {
                let first = lower.next().unwrap_or('σ');
                lower.by_ref().take(c.to_lowercase().count() - 1).for_each(drop);
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
        for text in ["", "ABC xyz", "ÄÖÜ ŒÆ", "İstanbul", "ΟΔΥΣΣΕΥΣ ΑΣ, Σ ΑΣ́Α", "ДОМ Ёлка", "日本ＡＢ", "ẞ ǅ Ⓜ", "Γ1Σ", "𐐀"]
        {
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
