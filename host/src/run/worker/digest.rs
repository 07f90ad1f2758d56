//! A digest of what a process would do: two that have the same one make the same files.

use std::fmt;
use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};

use crate::checkpoint::Chains;
use crate::plan::lineage_key::{Key, KeyBuilder};
use crate::rundir::RunPaths;
use crate::rundir::checksum::checksum;
use crate::rundir::own_files::read_document;

/// The digest, as `PROGRAM-RECIPE-PLAN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlanDigest {
    /// Of the program: its version, architecture and bytes.
    program: Key,
    /// Where that is.
    place: String,
    /// Of the recipe in the run directory, with all options.
    recipe: Key,
    /// Of the lineage keys of all partitions: operators, parameters, input, how it is cut, and how
    /// the result is written.
    plan: Key,
}

impl PlanDigest {
    /// Of the job in the run directory, which has its recipe, and the file `program`.
    pub(crate) fn of(paths: &RunPaths, chains: &Chains, program: &Path) -> Result<Self> {
        let recipe = paths.resolved_config();
        let recipe = read_document(&recipe)
            .with_context(|| format!("cannot read `{}`", recipe.display()))?;
        let (bytes, _) = File::open(program)
            .and_then(checksum)
            .with_context(|| format!("cannot read `{}`", program.display()))?;
        Ok(Self {
            program: KeyBuilder::new("program")
                .with(env!("CARGO_PKG_VERSION"))
                .with(std::env::consts::ARCH)
                .with(bytes)
                .key(),
            // `/proc/self/exe` says nothing to anybody else.
            place: std::fs::read_link(program)
                .unwrap_or_else(|_| program.to_owned())
                .display()
                .to_string(),
            recipe: KeyBuilder::new("recipe").with(recipe).key(),
            plan: chains
                .parts()
                .fold(KeyBuilder::new("plan"), |key, part| key.with(part.as_str()))
                .key(),
        })
    }

    /// Says how this differs from `expected`; None if it does not.
    pub(crate) fn difference(&self, expected: &str) -> Option<String> {
        let own = self.to_string();
        if own == expected {
            return None;
        }
        let mut parts = expected.split('-');
        let mut differs = |own: &Key| parts.next() != Some(short(own));
        let program = format!(
            "another program (`{}`)",
            crate::sanitize::printable(&self.place)
        );
        let differing: Vec<&str> = [
            (differs(&self.program), program.as_str()),
            (differs(&self.recipe), "another recipe"),
            (
                differs(&self.plan),
                "other operators, another dataset, or other partitions",
            ),
        ]
        .into_iter()
        .filter_map(|(differs, what)| differs.then_some(what))
        .collect();
        Some(format!(
            "it has {}: its plan is {own}, that of the job {}",
            differing.join(", "),
            crate::sanitize::printable(expected)
        ))
    }
}

/// Enough digits to tell what people change.
fn short(key: &Key) -> &str {
    &key.as_str()[..16]
}

impl fmt::Display for PlanDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            program,
            recipe,
            plan,
            ..
        } = self;
        write!(f, "{}-{}-{}", short(program), short(recipe), short(plan))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_what_differs_and_both_digests() {
        let key = |text| KeyBuilder::new(text).key();
        let own = PlanDigest {
            program: key("a"),
            place: "here".into(),
            recipe: key("b"),
            plan: key("c"),
        };
        let other = PlanDigest {
            plan: key("d"),
            ..own.clone()
        };
        assert_eq!(own.difference(&own.to_string()), None);
        let said = own.difference(&other.to_string()).unwrap();
        assert!(said.contains("other operators") && !said.contains("another program"));
        assert!(said.contains(&own.to_string()) && said.contains(&other.to_string()));
        let said = own.difference("").unwrap();
        assert!(said.contains("another program (`here`)"));
    }
}
