//! Undoes mojibake: text that was decoded with another encoding than it was encoded with.

use super::characters::*;
use super::codecs::{CODECS, decode, replace_lossy, restore_byte_a0, windows_1252};

impl Characters {
    /// The text without mojibake; None if it has none that can be undone.
    pub(super) fn fix_encoding(&self, text: &str) -> Option<String> {
        let mut fixed: Option<String> = None;
        loop {
            let now = fixed.as_deref().unwrap_or(text);
            match self.fix_one_layer(now) {
                Some(new) if new != now => fixed = Some(new),
                _ => return fixed,
            }
        }
    }

    fn fix_one_layer(&self, text: &str) -> Option<String> {
        if !self.is_bad(text) {
            return None;
        }
        let mut latin_1 = None;
        // UTF-8 read as something else is the usual case, and undoing it is hardly ever a mistake.
        for codec in CODECS.iter() {
            let Some(mut bytes) = codec.encode(text) else {
                continue;
            };
            if codec.name == "latin-1" {
                latin_1 = Some(bytes.clone());
            }
            // In Mac Roman this would mistake a dash and a space for a character.
            if codec.name != "macroman"
                && let Some(restored) = restore_byte_a0(&bytes)
            {
                bytes = restored;
            }
            if codec.sloppy {
                bytes = replace_lossy(bytes);
            }
            if let Some(fixed) = decode(bytes) {
                return Some(fixed);
            }
        }
        if let Some(fixed) = self.fix_embedded(text).filter(|fixed| fixed != text) {
            return Some(fixed);
        }
        if let Some(bytes) = latin_1 {
            let decoded = |b: u8| {
                if b < 0x80 {
                    char::from(b)
                } else {
                    windows_1252(b)
                }
            };
            // Five bytes are undefined in Windows-1252.
            let undefined = |b: u8| (0x80..0xa0).contains(&b) && decoded(b) == char::from(b);
            if !bytes.iter().any(|&b| undefined(b)) {
                let fixed: String = bytes.iter().map(|&b| decoded(b)).collect();
                if fixed != text {
                    return Some(fixed);
                }
            }
        }
        fix_c1(text)
    }

    /// Undoes mojibake in the parts of `text` that look like UTF-8 read as something else.
    fn fix_embedded(&self, text: &str) -> Option<String> {
        let mut out = String::new();
        let mut done = 0;
        let mut at = 0;
        let mut before = 0;
        while let Some(c) = text[at..].chars().next() {
            let end = if before & CONTINUATION_STRICT == 0 {
                at + self.sequences(&text[at..])
            } else {
                at
            };
            if end == at {
                before = self.of(c);
                at += c.len_utf8();
                continue;
            }
            let part = &text[at..end];
            if part.len() < text.len()
                && self.is_bad(part)
                && let Some(fixed) = self.fix_encoding(part)
            {
                out.push_str(&text[done..at]);
                out.push_str(&fixed);
                done = end;
            }
            before = part.chars().next_back().map_or(0, |c| self.of(c));
            at = end;
        }
        (done > 0).then(|| out + &text[done..])
    }

    /// The length of the characters at the start of `text` whose bytes would be UTF-8 sequences.
    fn sequences(&self, text: &str) -> usize {
        let mut end = 0;
        'next: while let Some(c) = text[end..].chars().next() {
            let class = self.of(c);
            for (first, more) in [(FIRST_OF_2, 1), (FIRST_OF_3, 2), (FIRST_OF_4, 3)] {
                if class & first == 0 {
                    continue;
                }
                let mut rest = text[end + c.len_utf8()..].chars();
                if (0..more).all(|_| rest.next().is_some_and(|c| self.of(c) & CONTINUATION != 0)) {
                    end = text.len() - rest.as_str().len();
                    continue 'next;
                }
            }
            break;
        }
        end
    }
}

/// Replaces C1 controls by their Windows-1252 characters; None if there are none.
pub(super) fn fix_c1(text: &str) -> Option<String> {
    let c1 = |c: char| ('\u{80}'..='\u{9f}').contains(&c);
    text.contains(c1).then(|| {
        text.chars()
            .map(|c| if c1(c) { windows_1252(c as u8) } else { c })
            .collect()
    })
}
