//! The chain of lineage keys of every partition over the plan; see [`crate::plan::lineage_key`].

use std::collections::HashMap;

use super::manifest::Artifact;
use crate::plan::Plan;
use crate::plan::lineage_key::{Key, KeyBuilder};

/// Keys of all partitions after all ops.
pub(crate) struct Chains {
    /// `after[p][i + 1]` is the key of partition `p` after op `i`; `after[p][0]` that of its input.
    after: Vec<Vec<Key>>,
    /// Keys of the key files: `keys[p]` maps global ops to them.
    keys: Vec<HashMap<usize, Key>>,
    /// Keys of the export parts.
    parts: Vec<Key>,
}

impl Chains {
    /// The chains of partitions with the given inputs. `export` describes how parts are written.
    pub(crate) fn new(plan: &Plan, inputs: Vec<Key>, export: &str) -> Self {
        let identities: Vec<&Key> = plan.ops.iter().map(|op| &op.identity).collect();
        Self::with(plan, &identities, inputs, export)
    }

    /// The chains of the same input and ops with other identities, without parts.
    pub(crate) fn of_earlier(&self, plan: &Plan, identities: &[Key]) -> Self {
        let inputs = self.after.iter().map(|chain| chain[0].clone()).collect();
        Self::with(plan, &identities.iter().collect::<Vec<_>>(), inputs, "")
    }

    fn with(plan: &Plan, identities: &[&Key], inputs: Vec<Key>, export: &str) -> Self {
        let mut keys = vec![HashMap::new(); inputs.len()];
        let mut after: Vec<Vec<Key>> = inputs.into_iter().map(|k| vec![k]).collect();
        for op in &plan.ops {
            if op.is_global() {
                // What a global op keeps of one partition depends on all of them.
                let all = after
                    .iter()
                    .fold(KeyBuilder::new("global"), |k, chain| {
                        k.with(chain[op.index].as_str())
                    })
                    .key();
                for (chain, keys) in after.iter_mut().zip(&mut keys) {
                    keys.insert(
                        op.index,
                        KeyBuilder::new("keys")
                            .with(chain[op.index].as_str())
                            .with(identities[op.index].as_str())
                            .key(),
                    );
                    chain.push(
                        KeyBuilder::new("mask")
                            .with(chain[op.index].as_str())
                            .with(identities[op.index].as_str())
                            .with(all.as_str())
                            .key(),
                    );
                }
            } else {
                for chain in &mut after {
                    chain.push(
                        KeyBuilder::new("op")
                            .with(chain[op.index].as_str())
                            .with(identities[op.index].as_str())
                            .key(),
                    );
                }
            }
        }
        let parts = after
            .iter()
            .map(|c| {
                KeyBuilder::new("part")
                    .with(c[plan.ops.len()].as_str())
                    .with(export)
                    .key()
            })
            .collect();
        Self { after, keys, parts }
    }

    /// The key of a partition's rows after op `op`; None: its input.
    pub(crate) fn after(&self, partition: usize, op: Option<usize>) -> &Key {
        &self.after[partition][op.map_or(0, |i| i + 1)]
    }

    /// The key of a partition's key file for global op `op`.
    pub(crate) fn keys(&self, partition: usize, op: usize) -> &Key {
        &self.keys[partition][&op]
    }

    /// The key of a partition's export part.
    pub(crate) fn part(&self, partition: usize) -> &Key {
        &self.parts[partition]
    }

    /// The keys of all parts, in order.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Key> {
        self.parts.iter()
    }

    /// Everything that today's plan can use: key → its places (artifact, op, partition).
    pub(crate) fn expected(&self, plan: &Plan) -> HashMap<Key, Vec<(Artifact, usize, usize)>> {
        let mut expected: HashMap<Key, Vec<(Artifact, usize, usize)>> = HashMap::new();
        for partition in 0..self.after.len() {
            for op in &plan.ops {
                let key = self.after(partition, Some(op.index)).clone();
                if op.is_global() {
                    if op.is_grouper() {
                        expected.entry(key.clone()).or_default().push((
                            Artifact::Rows,
                            op.index,
                            partition,
                        ));
                    }
                    expected
                        .entry(key)
                        .or_default()
                        .push((Artifact::Mask, op.index, partition));
                    expected
                        .entry(self.keys(partition, op.index).clone())
                        .or_default()
                        .push((Artifact::Keys, op.index, partition));
                } else {
                    expected
                        .entry(key)
                        .or_default()
                        .push((Artifact::Rows, op.index, partition));
                }
            }
        }
        expected
    }
}
