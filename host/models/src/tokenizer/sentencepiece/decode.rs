//! Puts pieces together to a text.

use super::SPACE;
use super::parse::{Piece, Spec, Type, byte_piece};

/// What each piece is written as.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// The texts of all pieces, one after the other.
    text: String,
    /// Where each piece ends, and how it is written.
    pieces: Vec<(u32, Written)>,
    unknown: String,
    strips_first_space: bool,
    strips_spaces: bool,
    denormalizes: bool,
}

#[derive(Debug, Clone, Copy)]
enum Written {
    AsText,
    NotAtAll,
    AsUnknown,
    AsByte(u8),
}

impl Decoder {
    pub(crate) fn new(spec: &Spec<'_>, pieces: &[Piece<'_>]) -> Self {
        let mut text = String::new();
        let pieces = pieces
            .iter()
            .map(|piece| {
                text.push_str(piece.text);
                let written = match piece.kind {
                    Type::Control => Written::NotAtAll,
                    Type::Unknown => Written::AsUnknown,
                    Type::Byte => Written::AsByte(
                        (0..=255)
                            .find(|byte| byte_piece(*byte) == piece.text)
                            .unwrap_or_default(),
                    ),
                    _ => Written::AsText,
                };
                (text.len() as u32, written)
            })
            .collect();
        Self {
            text,
            pieces,
            unknown: String::from_utf8_lossy(spec.unknown).into_owned(),
            strips_first_space: spec.add_dummy_prefix || spec.remove_extra_whitespaces,
            strips_spaces: spec.remove_extra_whitespaces,
            denormalizes: spec.denormalizes,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.text.len() + 8 * self.pieces.len()
    }

    fn piece(&self, number: u32) -> Option<(&str, Written)> {
        let &(end, written) = self.pieces.get(number as usize)?;
        let before = (number as usize).checked_sub(1);
        let start = before.map_or(0, |before| self.pieces[before].0);
        Some((self.text.get(start as usize..end as usize)?, written))
    }

    /// The text of some pieces. Numbers that no piece has are left out.
    ///
    /// # Errors
    /// When the model rewrites texts that it puts together.
    pub(crate) fn decode(&self, numbers: &[u32]) -> Result<String, String> {
        if self.denormalizes {
            return Err("the model rewrites what it decodes, which is not supported: use one that was trained without `denormalization_rule_tsv`".into());
        }
        let (mut out, mut bytes) = (String::new(), Vec::new());
        let (mut at_start, mut had_space) = (true, false);
        for &number in numbers {
            let Some((text, written)) = self.piece(number) else {
                continue;
            };
            if let Written::AsByte(byte) = written {
                bytes.push(byte);
                continue;
            }
            flush(&mut bytes, &mut out);
            at_start &= !had_space && out.is_empty();
            had_space = false;
            match written {
                Written::AsText => {
                    let rest = text
                        .strip_prefix(SPACE)
                        .filter(|_| at_start && self.strips_first_space);
                    had_space = rest.is_some() && !self.strips_spaces;
                    let mut parts = rest.unwrap_or(text).split(SPACE);
                    out.push_str(parts.next().unwrap_or_default());
                    for part in parts {
                        out.push(' ');
                        out.push_str(part);
                    }
                }
                Written::AsUnknown => out.push_str(&self.unknown),
                Written::NotAtAll | Written::AsByte(_) => {}
            }
        }
        flush(&mut bytes, &mut out);
        Ok(out)
    }
}

/// Writes the characters of some bytes, each byte that belongs to none as U+FFFD.
fn flush(bytes: &mut Vec<u8>, out: &mut String) {
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|_| out.push('\u{fffd}'));
    }
    bytes.clear();
}
