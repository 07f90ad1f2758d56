//! Drops characters that a rule names, or all that it does not name.

use djhost_sdk::text::decode;

/// Appends `text` without the characters for which `drop` returns true. Returns false, with nothing
/// useful appended, if there are none.
#[inline(always)]
pub(crate) fn without(text: &str, out: &mut String, drop: impl Fn(char) -> bool) -> bool {
    let mut done = 0;
    for (at, c) in text.char_indices() {
        if drop(c) {
            out.push_str(&text[done..at]);
            done = at + c.len_utf8();
        }
    }
    if done > 0 {
        out.push_str(&text[done..]);
    }
    done > 0
}

/// Appends the characters of `text` that are below 128 and have a bit in `ascii`, or are others for
/// which `other` returns true. Returns false, with nothing appended, if that is the whole text.
/// `scratch` is reused from text to text.
#[inline(always)]
pub(crate) fn only(
    text: &str,
    scratch: &mut Vec<u8>,
    out: &mut String,
    ascii: u128,
    other: impl Fn(u32) -> bool,
) -> bool {
    let mut kept = [false; 128];
    kept.iter_mut()
        .enumerate()
        .for_each(|(c, kept)| *kept = ascii >> c & 1 == 1);
    let bytes = text.as_bytes();
    if scratch.len() <= bytes.len() {
        scratch.resize(bytes.len() + 1, 0);
    }
    let (mut at, mut end) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        if let Some(&kept) = kept.get(usize::from(byte)) {
            // Writes every byte, and the next one over it unless it is kept: no branch to
            // mispredict.
            scratch[end] = byte;
            end += usize::from(kept);
            at += 1;
        } else {
            let (c, len) = decode(text, at);
            if other(c) {
                scratch[end..end + len].copy_from_slice(&bytes[at..at + len]);
                end += len;
            }
            at += len;
        }
    }
    let any = end < bytes.len();
    if any {
        out.push_str(std::str::from_utf8(&scratch[..end]).expect("whole characters of a text"));
    }
    any
}
