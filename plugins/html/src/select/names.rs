//! Sets of parts of names.

use aho_corasick::{AhoCorasick, AhoCorasickKind, Anchored, Input, StartKind};

/// Parts of names; those that begin with `^` must stand at the start.
#[derive(Debug)]
pub(crate) struct Names {
    anywhere: AhoCorasick,
    at_start: Vec<&'static str>,
}

impl Names {
    pub(super) fn new(parts: &[&'static str]) -> Self {
        Self::build(parts, false)
    }

    /// Without regard to the case of ASCII letters.
    pub(super) fn any_case(parts: &[&'static str]) -> Self {
        Self::build(parts, true)
    }

    fn build(parts: &[&'static str], any_case: bool) -> Self {
        let anywhere = parts.iter().filter(|part| !part.starts_with('^'));
        Self {
            anywhere: AhoCorasick::builder()
                .ascii_case_insensitive(any_case)
                .kind(Some(AhoCorasickKind::ContiguousNFA))
                .start_kind(StartKind::Unanchored)
                .prefilter(false)
                .build(anywhere)
                .expect("a few short patterns"),
            at_start: parts
                .iter()
                .filter_map(|part| part.strip_prefix('^'))
                .collect(),
        }
    }

    /// Whether one of the parts is in the name.
    pub(crate) fn match_in(&self, name: &str) -> bool {
        !name.is_empty()
            && (self.at_start.iter().any(|part| name.starts_with(part))
                || self
                    .anywhere
                    .find(Input::new(name).anchored(Anchored::No).earliest(true))
                    .is_some())
    }
}
