//! `fix_unicode_mapper`

mod badness;
mod characters;
mod codecs;
mod encoding;
mod entities;

use characters::{C1, COMPOSES, Characters, FORM};
use djhost_sdk::prelude::*;
use djhost_sdk::text::{Lanes, blocks, code_points, decode, is_decimal};
use encoding::fix_c1;
use entities::{form_of_entity, unescape};
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use std::borrow::Cow;

/// Lines longer than this many characters are fixed in parts.
const LONGEST: usize = 1_000_000;

/// Repairs text with wrong characters: mojibake, HTML entities, ligatures, full-width letters,
/// curly quotes, controls; then normalizes it.
///
/// The repairs are those of ftfy 6.3.1. HTML entities are left alone from the first line with `<`
/// on.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FixUnicodeMapper {
    /// The form of Unicode: NFC, NFKC, NFD or NFKD. Null stands for NFC.
    pub normalization: Option<String>,
    #[serde(skip)]
    fixer: Option<Fixer>,
}

struct Fixer {
    characters: Characters,
    form: Form,
}

enum Form {
    Composed(ComposingNormalizerBorrowed<'static>, bool),
    Decomposed(DecomposingNormalizerBorrowed<'static>),
}

impl TextMapper for FixUnicodeMapper {
    const NAME: &'static str = "fix_unicode_mapper";

    fn prepare(&mut self) -> Result<(), String> {
        let form = match self
            .normalization
            .as_deref()
            .unwrap_or_default()
            .to_uppercase()
            .as_str()
        {
            "" | "NFC" => Form::Composed(ComposingNormalizerBorrowed::new_nfc(), true),
            "NFKC" => Form::Composed(ComposingNormalizerBorrowed::new_nfkc(), false),
            "NFD" => Form::Decomposed(DecomposingNormalizerBorrowed::new_nfd()),
            "NFKD" => Form::Decomposed(DecomposingNormalizerBorrowed::new_nfkd()),
            other => {
                return Err(format!(
                    "`normalization` is {other:?}; use one of \"NFC\", \"NFKC\", \"NFD\", \"NFKD\""
                ));
            }
        };
        self.fixer = Some(Fixer {
            characters: Characters::load(),
            form,
        });
        Ok(())
    }

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        let fixer = self.fixer.as_ref().expect("prepared");
        // From the segment with the first `<` on, entities are assumed to be intended.
        let tag = memchr::memchr(b'<', text.as_bytes()).unwrap_or(usize::MAX);
        // Everything before `done` was written; lines before `clear` are finished.
        let (mut done, mut clear) = (0, 0);
        blocks(text, |block| {
            if clear >= block.start + 64 {
                return;
            }
            let first_bytes = if block.non_ascii() == 0 {
                0
            } else {
                block.mask(|l| l.within(0xc0, 0xff))
            };
            let mut candidates = first_bytes
                | block.mask(control)
                | if block.start < tag {
                    block.mask(|l| l.eq(b'&'))
                } else {
                    0
                };
            while candidates != 0 {
                let at = block.start + candidates.trailing_zeros() as usize;
                candidates &= candidates - 1;
                if at < clear || !fixer.may_change(text, at, tag) {
                    continue;
                }
                let start = memchr::memrchr(b'\n', &text.as_bytes()[clear..at])
                    .map_or(clear, |found| clear + found + 1);
                let end = memchr::memchr(b'\n', &text.as_bytes()[at..])
                    .map_or(text.len(), |found| at + found + 1);
                let mut from = start;
                while from < end {
                    let to = from + longest(&text[from..end]);
                    if let Some(fixed) = fixer.fix(&text[from..to], tag >= to) {
                        out.push_str(&text[done..from]);
                        out.push_str(&fixed);
                        done = to;
                    }
                    from = to;
                }
                clear = end;
            }
        });
        if done > 0 {
            out.push_str(&text[done..]);
        }
        Ok(done > 0)
    }
}

/// The length in bytes of the part of `line` to fix together.
fn longest(line: &str) -> usize {
    if line.len() <= LONGEST || code_points(line) as usize <= LONGEST {
        return line.len();
    }
    line.char_indices()
        .nth(LONGEST)
        .map_or(line.len(), |(at, _)| at)
}

impl Fixer {
    /// Whether the character at `at`, which is above ASCII, a control or `&`, can affect its line.
    #[inline(always)]
    fn may_change(&self, text: &str, at: usize, tag: usize) -> bool {
        match text.as_bytes()[at] {
            b'&' => at < tag && form_of_entity(&text.as_bytes()[at..]) > 0,
            0..0x80 => true,
            _ if !self.only_nfc() => true,
            _ => self.characters.of_code_point(decode(text, at).0) != 0,
        }
    }

    fn only_nfc(&self) -> bool {
        matches!(self.form, Form::Composed(_, true))
    }

    /// Applies all fixes to the segment until nothing changes; None if nothing ever does.
    fn fix(&self, segment: &str, unescapes: bool) -> Option<String> {
        let mut text = Cow::Borrowed(segment);
        loop {
            let before = text.clone();
            let mut changed = false;
            let mut set = |text: &mut Cow<'_, str>, new: Option<String>| {
                if let Some(new) = new {
                    *text = new.into();
                    changed = true;
                }
            };
            if unescapes {
                let new = unescape(&text);
                set(&mut text, new);
            }
            let mut classes = match self.characters.classes_if_good(&text) {
                Some(classes) => classes | classes_of_ascii(&text),
                None => {
                    let new = self.characters.fix_encoding(&text);
                    set(&mut text, new);
                    self.classes(&text)
                }
            };
            if classes & C1 != 0
                && let Some(new) = fix_c1(&text)
            {
                classes = self.classes(&new);
                set(&mut text, Some(new));
            }
            if classes & FORM != 0 {
                if text.contains('\u{1b}') {
                    // Controls may split an escape sequence, so they go last.
                    let new = without_escapes(&self.with_forms(&text, false));
                    set(&mut text, Some(new));
                }
                let new = self.with_forms(&text, true);
                set(&mut text, Some(new));
            }
            if !text.is_ascii() && (classes & (COMPOSES | FORM) != 0 || !self.only_nfc()) {
                let new = self.normalized(&text);
                set(&mut text, new);
            }
            if !changed || text == before {
                return match text {
                    Cow::Borrowed(_) => None,
                    Cow::Owned(text) => (text != segment).then_some(text),
                };
            }
        }
    }

    /// The union of the classes of all characters.
    fn classes(&self, text: &str) -> u32 {
        text.chars().fold(0, |all, c| all | self.characters.of(c))
    }

    /// Replaces characters by their forms; drops those to be removed if `remove`.
    fn with_forms(&self, text: &str, remove: bool) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            if self.characters.of(c) & FORM == 0 {
                out.push(c);
                continue;
            }
            let form = self.characters.form(c);
            if form.is_empty() && !remove {
                out.push(c);
            }
            out.push_str(form);
            if c == '\r' && rest.as_str().starts_with('\n') {
                rest.next();
            }
        }
        out
    }

    /// The text in the requested form; None if it already is.
    ///
    /// As in Python 3.11, characters that Unicode 14 does not know stay as and where they are, and
    /// nothing moves across them.
    fn normalized(&self, text: &str) -> Option<String> {
        let later =
            |c: char| self.characters.of(c) & COMPOSES != 0 && self.characters.is_unassigned(c);
        let mut new = String::new();
        let mut done = 0;
        for part in text.split(later) {
            let start = part.as_ptr() as usize - text.as_ptr() as usize;
            let form = match &self.form {
                Form::Composed(form, _) => form.normalize(part),
                Form::Decomposed(form) => form.normalize(part),
            };
            if let Cow::Owned(form) = form {
                new.push_str(&text[done..start]);
                new.push_str(&form);
                done = start + part.len();
            }
        }
        (done > 0)
            .then(|| new + &text[done..])
            .filter(|new| new != text)
    }
}

/// [`FORM`] if `text` has a control character that is removed or replaced.
fn classes_of_ascii(text: &str) -> u32 {
    let mut controls = 0;
    blocks(text, |block| controls |= block.mask(control));
    if controls == 0 { 0 } else { FORM }
}

/// The controls except tab and newline.
#[inline(always)]
fn control(lanes: Lanes) -> Lanes {
    lanes
        .within(0, 0x08)
        .or(lanes.eq(0x0b))
        .or(lanes.within(0x0d, 0x1f))
        .or(lanes.eq(0x7f))
}

/// Removes terminal colour sequences.
fn without_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        let numbers = &rest[at + 2..];
        let end = numbers.trim_start_matches(|c: char| c == ';' || is_decimal(c));
        if end.starts_with(|c: char| c.is_ascii_alphabetic()) {
            out.push_str(&rest[..at]);
            rest = &end[1..];
        } else {
            out.push_str(&rest[..at + 2]);
            rest = numbers;
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn all_sorts_of_faults_are_repaired() {
        let mut op = Runner::new(operator!(FixUnicodeMapper), "{}").unwrap();
        let out = op.map(&[
            "sÃ³ â€œyesâ€\u{9d}",
            "&lt;b&gt; &EACUTE;",
            "<b> &amp;",
            "ﬁne ＬＯＵＤ ‘x’\r\ny\u{7}",
            "\u{1b}[31mred\u{1b}[0m",
            "e\u{301}",
            "plain é",
        ]);
        assert_eq!(
            out,
            [
                "só \"yes\"",
                "<b> É",
                "<b> &amp;",
                "fine LOUD 'x'\ny",
                "red",
                "é",
                "plain é"
            ]
        );
    }

    #[test]
    fn entities_are_kept_from_the_line_with_a_tag_on() {
        let mut op = Runner::new(operator!(FixUnicodeMapper), "{}").unwrap();
        assert_eq!(
            op.map(&["a &amp; b\nc &amp; <d>\ne &amp; f"]),
            ["a & b\nc &amp; <d>\ne &amp; f"]
        );
    }

    #[test]
    fn the_form_can_be_chosen() {
        let mut op =
            Runner::new(operator!(FixUnicodeMapper), r#"{"normalization": "nfkd"}"#).unwrap();
        assert_eq!(op.map(&["é ²"]), ["e\u{301} 2"]);
        let error = Runner::new(operator!(FixUnicodeMapper), r#"{"normalization": "NFX"}"#)
            .err()
            .unwrap();
        assert!(format!("{error:?}").contains("NFKC"), "{error:?}");
    }

    #[test]
    fn very_long_lines_are_fixed_in_parts() {
        let mut op = Runner::new(operator!(FixUnicodeMapper), "{}").unwrap();
        let half = "x".repeat(LONGEST - 1);
        // The cut splits the mojibake, which therefore stays.
        assert_eq!(op.map(&[&format!("{half}Ã³")]), [format!("{half}Ã³")]);
        assert_eq!(op.map(&[&format!("{half}yÃ³")]), [format!("{half}yó")]);
    }
}
