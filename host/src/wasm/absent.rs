//! The operators of Data-Juicer that djhost lacks: why, and what to do instead. The table is
//! `absent.txt`, one line for each.

/// The table. Lines that begin with `#` are comments.
const TABLE: &str = include_str!("absent.txt");

/// One operator that is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Absent {
    /// Its name in Data-Juicer.
    pub name: &'static str,
    /// Why djhost lacks it: what it needs. A clause that begins with `it` or `nobody`.
    pub why: &'static str,
    /// What to do instead.
    pub instead: &'static str,
}

/// All operators of the table.
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

/// The operator called `name`, if it is one that Data-Juicer has and djhost lacks.
pub(crate) fn absent(name: &str) -> Option<Absent> {
    all().find(|op| op.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::wasm::packs::packs;

    /// A line that lacks a column, or names an operator that is here, would give a message that is
    /// not true.
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

    /// What a hint tells to use must exist: a name in backquotes that looks like an operator's is
    /// one of a pack.
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
