//! Matches of a pattern, one after the other.

/// All matches as Python's `sub` visits them: they do not overlap, and an empty one may follow
/// directly upon another that is not empty.
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
        // After an empty match the search goes on behind the next character.
        from = if end > start {
            end
        } else {
            end + text[end..].chars().next().map_or(1, char::len_utf8)
        };
        Some((start, end))
    })
}
