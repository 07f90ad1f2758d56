//! Rows of a text that djhost wrote.

use memchr::memchr;

/// Returns the rows of `text`, each ended by a line feed, without it. The last one may lack it.
///
/// `split_inclusive` looks at byte after byte, which took an eighth of an export to Parquet.
pub(crate) fn rows(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = match memchr(b'\n', rest) {
            None if rest.is_empty() => return None,
            None => rest.len(),
            Some(end) => end,
        };
        let row = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(row)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_end_at_line_feeds() {
        for text in [
            "",
            "\n",
            "a",
            "a\n",
            "\n\na",
            "{}\n{\"a\": 1}\n",
            "a\r\nb\n\n",
        ] {
            let expected: Vec<&str> = text
                .split_inclusive('\n')
                .map(|row| row.strip_suffix('\n').unwrap_or(row))
                .collect();
            let found: Vec<&[u8]> = rows(text.as_bytes()).collect();
            assert_eq!(
                found,
                expected
                    .iter()
                    .map(|row| row.as_bytes())
                    .collect::<Vec<_>>()
            );
        }
    }
}
