//! Groups the reasons why rows are in quarantine: reasons that differ only in numbers (a line, a
//! column, a length) form one group.

use std::collections::BTreeMap;

/// Rows by who gave the reason (`K`) and what it says.
#[derive(Debug, Clone)]
pub(crate) struct Reasons<K>(BTreeMap<(K, String), Group>);

#[derive(Debug, Clone)]
struct Group {
    first: String,
    differ: bool,
    rows: u64,
}

impl<K: Ord> Default for Reasons<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone> Reasons<K> {
    /// Adds rows with a reason.
    pub(crate) fn add(&mut self, who: K, reason: &str, rows: u64) {
        let group = self
            .0
            .entry((who, masked(reason)))
            .or_insert_with(|| Group {
                first: reason.to_owned(),
                differ: false,
                rows: 0,
            });
        group.differ |= group.first != reason;
        group.rows += rows;
    }

    /// Returns who, what and how many rows, most rows first. If a group has several forms of a
    /// reason, `N` stands for its numbers; a single form is returned unchanged.
    pub(crate) fn commonest_first(&self) -> Vec<(K, String, u64)> {
        let mut all: Vec<_> = self
            .0
            .iter()
            .map(|((who, masked), group)| {
                (
                    who.clone(),
                    if group.differ { masked } else { &group.first }.clone(),
                    group.rows,
                )
            })
            .collect();
        // The sort is stable, so equal counts stay in the order of ops and words.
        all.sort_by_key(|(.., rows)| std::cmp::Reverse(*rows));
        all
    }

    /// Returns the number of rows of all reasons.
    pub(crate) fn rows(&self) -> u64 {
        self.0.values().map(|group| group.rows).sum()
    }
}

/// Replaces each number in `reason` by `N`. Digits in names (`field2`, `sha256`) stay.
pub(crate) fn masked(reason: &str) -> String {
    let mut out = String::with_capacity(reason.len());
    let mut chars = reason.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        if !c.is_ascii_digit() || before.is_alphanumeric() || before == '_' {
            before = c;
            out.push(c);
            continue;
        }
        // A hyphen after a letter or digit is not a sign.
        if out.ends_with('-') && !out[..out.len() - 1].ends_with(|c: char| c.is_alphanumeric()) {
            out.pop();
        }
        // Digits, separators and an exponent, but not the full stop at the end of a sentence.
        while let Some(next) = chars.peek().copied() {
            let mut rest = chars.clone();
            rest.next();
            let digit_follows = rest.peek().is_some_and(char::is_ascii_digit);
            let signed = matches!(rest.peek(), Some('+' | '-'))
                && rest.clone().nth(1).is_some_and(|c| c.is_ascii_digit());
            match next {
                '0'..='9' => {}
                '.' | ',' | '_' if digit_follows => {}
                'e' | 'E' if digit_follows || signed => {
                    if signed {
                        chars.next();
                    }
                }
                _ => break,
            }
            chars.next();
        }
        out.push('N');
        before = 'N';
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_masked_and_names_are_not() {
        for (reason, expected) in [
            ("at line 1 column 27.", "at line N column N."),
            (
                "3000 rows of 60,036,000 bytes, more than 1.5e+9",
                "N rows of N bytes, more than N",
            ),
            ("`-12` is less than -0.5", "`N` is less than N"),
            (
                "no field `text2` in sha256 of op_7",
                "no field `text2` in sha256 of op_7",
            ),
            ("2024-05-01 is no number", "N-N-N is no number"),
            ("第3行", "第3行"),
        ] {
            assert_eq!(masked(reason), expected);
        }
    }

    #[test]
    fn the_commonest_comes_first_and_a_single_form_is_shown_as_it_was() {
        let mut reasons = Reasons::default();
        reasons.add(1, "value 7 is negative", 1);
        for line in 1..4 {
            reasons.add(0, &format!("cut off at column {line}"), 1);
        }
        reasons.add(0, "value 7 is negative", 1);
        assert_eq!(
            reasons.commonest_first(),
            [
                (0, "cut off at column N".to_owned(), 3),
                (0, "value 7 is negative".to_owned(), 1),
                (1, "value 7 is negative".to_owned(), 1)
            ]
        );
        assert_eq!(reasons.rows(), 5);
    }
}
