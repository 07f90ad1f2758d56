//! Dropping characters that a rule names.

/// Appends `text` without the characters for which `drop` says yes; false, with nothing to keep, if there are none.
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
