//! Code points.

/// The number of code points of `text`: Python's `len`.
pub fn code_points(text: &str) -> usize {
    // Every byte that does not continue a code point starts one. Runs of 255 so that the inner sum
    // fits a byte lane and vectorises.
    let starts = |run: &[u8]| {
        run.iter()
            .map(|&b| u8::from((b as i8) >= -0x40))
            .fold(0u8, u8::wrapping_add)
    };
    text.as_bytes()
        .chunks(255)
        .map(|run| usize::from(starts(run)))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::code_points;

    #[test]
    fn counts_as_chars_does() {
        for text in ["", "a", "äöü", "日本語", "👩‍👩‍👧", "e\u{301}"] {
            assert_eq!(code_points(text), text.chars().count());
            let long = text.repeat(300);
            assert_eq!(code_points(&long), long.chars().count());
        }
    }
}
