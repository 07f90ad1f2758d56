//! Decides which committed files today's plan can use. Pure: facts in, decisions out, no access to
//! the disk.

use std::collections::{BTreeMap, HashMap};

use super::manifest::{Artifact, Manifest};
use crate::plan::lineage_key::Key;

/// The place of a manifest: the numbers in its file name.
pub(crate) type Slot = (Artifact, usize, usize);

/// A manifest that was found, with its place.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The op in its file name.
    pub op: usize,
    /// The partition in its file name.
    pub partition: usize,
    /// Its content, or why it cannot be read.
    pub manifest: Result<Manifest, String>,
}

/// What to do with a file before anything runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Decision {
    /// Today's plan has it at this place.
    Keep,
    /// Today's plan has it at another partition, whose number changed while its rows did not.
    Move {
        /// The partition that it belongs to now.
        to: usize,
    },
    /// Of no use today; the user is told the reason.
    SetAside(String),
}

/// Decides on every found file. `expected` returns the key that today's plan has for (artifact, op,
/// partition). A key can have several partitions only if these are equal: then the first free one
/// gets the file.
pub(crate) fn decide(
    found: &[Found],
    expected: &HashMap<Key, Vec<(Artifact, usize, usize)>>,
) -> Vec<Decision> {
    let mut taken: BTreeMap<Slot, usize> = BTreeMap::new();
    let mut decisions: Vec<Option<Decision>> = vec![None; found.len()];
    // First the files that are in their places: nothing may be moved over them.
    for (i, f) in found.iter().enumerate() {
        match &f.manifest {
            Err(why) => decisions[i] = Some(Decision::SetAside(why.clone())),
            Ok(m) => {
                let places = expected.get(&m.key).map(Vec::as_slice).unwrap_or_default();
                if m.op != Some(f.op) || m.partition != f.partition {
                    decisions[i] = Some(Decision::SetAside(
                        "its manifest belongs to another place".into(),
                    ));
                } else if places.contains(&(m.artifact, f.op, f.partition)) {
                    taken.insert((m.artifact, f.op, f.partition), i);
                    decisions[i] = Some(Decision::Keep);
                } else if places.is_empty() {
                    decisions[i] = Some(Decision::SetAside(
                        "the recipe, an operator or the input has changed".into(),
                    ));
                }
            }
        }
    }
    for (i, f) in found.iter().enumerate() {
        if decisions[i].is_some() {
            continue;
        }
        let Ok(m) = &f.manifest else { continue };
        let free = expected[&m.key].iter().find(|(a, op, p)| {
            *a == m.artifact && *op == f.op && !taken.contains_key(&(*a, *op, *p))
        });
        decisions[i] = Some(match free {
            Some((a, op, p)) => {
                taken.insert((*a, *op, *p), i);
                Decision::Move { to: *p }
            }
            None => Decision::SetAside("its position in the recipe has changed".into()),
        });
    }
    decisions
        .into_iter()
        .map(|d| d.unwrap_or(Decision::Keep))
        .collect()
}

/// Where a partition's rows after some op come from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Base {
    /// The op after which rows are stored; None: the input.
    pub rows_after: Option<usize>,
    /// Global ops whose masks still apply to them, in order.
    pub masks: Vec<usize>,
}

impl Base {
    /// The base for the rows of a partition after op `after` (None: before the first op), if no op
    /// needs to run for it. `has(artifact, op)` says whether a good file exists; `has_mask(op)`
    /// whether the op keeps only some of the rows before it.
    pub(crate) fn after(
        after: Option<usize>,
        has: &impl Fn(Artifact, usize) -> bool,
        has_mask: &impl Fn(usize) -> bool,
    ) -> Option<Self> {
        let Some(op) = after else {
            return Some(Self {
                rows_after: None,
                masks: Vec::new(),
            });
        };
        if has(Artifact::Rows, op) {
            return Some(Self {
                rows_after: Some(op),
                masks: Vec::new(),
            });
        }
        if !has_mask(op) || !has(Artifact::Mask, op) {
            return None;
        }
        let mut base = Self::after(op.checked_sub(1), has, has_mask)?;
        base.masks.push(op);
        Some(base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::manifest::Account;
    use crate::checkpoint::store::Store;
    use crate::plan::lineage_key::KeyBuilder;

    fn key(name: &str) -> Key {
        KeyBuilder::new(name).key()
    }

    fn found(name: &str, op: usize, partition: usize) -> Found {
        let manifest = Store::manifest(
            Artifact::Rows,
            key(name),
            Some(op),
            partition,
            0,
            Account::default(),
        );
        Found {
            op,
            partition,
            manifest: Ok(manifest),
        }
    }

    #[test]
    fn a_partition_whose_number_changed_takes_its_file_along() {
        let expected = HashMap::from([
            (key("a"), vec![(Artifact::Rows, 4, 1)]),
            (key("b"), vec![(Artifact::Rows, 4, 0)]),
        ]);
        let got = decide(
            &[found("a", 4, 0), found("b", 4, 0), found("c", 4, 2)],
            &expected,
        );
        assert_eq!(got[0], Decision::Move { to: 1 });
        assert_eq!(got[1], Decision::Keep);
        assert!(matches!(got[2], Decision::SetAside(_)));
    }

    #[test]
    fn masks_stand_on_the_rows_before_them() {
        let has = |a: Artifact, op: usize| {
            matches!((a, op), (Artifact::Rows, 1) | (Artifact::Mask, 2 | 3))
        };
        let global = |op: usize| op == 2 || op == 3;
        assert_eq!(
            Base::after(Some(3), &has, &global),
            Some(Base {
                rows_after: Some(1),
                masks: vec![2, 3]
            })
        );
        assert_eq!(Base::after(Some(4), &has, &global), None);
        assert_eq!(
            Base::after(None, &has, &global),
            Some(Base {
                rows_after: None,
                masks: vec![]
            })
        );
    }
}
