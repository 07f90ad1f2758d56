//! Data-Juicer's operators that djhost lacks: why, and what to do instead. The table is
//! `absent.txt`, one line for each.

/// The table. Lines that begin with `#` are comments.
const TABLE: &str = include_str!("absent.txt");

/// A missing operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Absent {
    /// Its name in Data-Juicer.
    pub name: &'static str,
    /// Why djhost lacks it: a clause that begins with `it` or `nobody`.
    pub why: &'static str,
    /// What to do instead.
    pub instead: &'static str,
}

/// All entries of the table.
pub(crate) fn all() -> impl Iterator<Item = Absent> {
    TABLE
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let mut columns = line.splitn(3, " | ");
            let mut next = || columns.next().unwrap_or_default();
            Absent {
                name: next(),
                why: next(),
                instead: next(),
            }
        })
}

/// The entry for the operator `name`, if djhost lacks it.
pub(crate) fn absent(name: &str) -> Option<Absent> {
    all().find(|op| op.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::wasm::packs::packs;

    /// A line without all columns, or with an operator that djhost has, would make a false message.
    #[test]
    fn the_table_is_whole_and_names_no_operator_twice_or_one_that_is_here() {
        let here: BTreeSet<&str> = packs()
            .flat_map(|pack| pack.operators.iter().copied())
            .collect();
        let mut seen = BTreeSet::new();
        for op in all() {
            assert!(seen.insert(op.name), "{} is there twice", op.name);
            assert!(!here.contains(op.name), "{} is here", op.name);
            assert!(
                op.why.starts_with("it ")
                    || op.why.starts_with("operators ")
                    || op.why.starts_with("nobody "),
                "{}: {}",
                op.name,
                op.why
            );
            assert!(
                !op.instead.is_empty() && !op.instead.ends_with('.'),
                "{}: {}",
                op.name,
                op.instead
            );
        }
        assert!(seen.len() > 160, "{}", seen.len());
    }

    /// A hint must name operators that exist: a name in backquotes that looks like an operator's
    /// must belong to a pack.
    #[cfg(feature = "builtin-ops")]
    #[test]
    fn hints_name_operators_that_are_here() {
        let here: BTreeSet<&str> = packs()
            .flat_map(|pack| pack.operators.iter().copied())
            .collect();
        let kinds = [
            "_filter",
            "_mapper",
            "_deduplicator",
            "_selector",
            "_grouper",
        ];
        for op in all() {
            for name in op
                .instead
                .split('`')
                .skip(1)
                .step_by(2)
                .filter(|name| kinds.iter().any(|kind| name.ends_with(kind)))
            {
                assert!(here.contains(name), "{}: there is no `{name}`", op.name);
            }
        }
    }
}
