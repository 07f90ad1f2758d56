//! Visits consecutive matches of a pattern.

/// Visits all matches like Python's `sub`: they do not overlap, and an empty one may directly
/// follow one that is not empty.
pub(crate) fn each_match(
    text: &str,
    mut find: impl FnMut(usize) -> Option<(usize, usize)>,
) -> impl Iterator<Item = (usize, usize)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        if from > text.len() {
            return None;
        }
        let (start, end) = find(from)?;
        // After an empty match the search continues after the next character.
        from = if end > start {
            end
        } else {
            end + text[end..].chars().next().map_or(1, char::len_utf8)
        };
        Some((start, end))
    })
}
