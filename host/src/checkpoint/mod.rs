//! Files that survive a kill: rows, keys and parts, each valid if and only if its manifest is there
//! and has the expected key.

mod codec;
mod columns;
mod compose;
mod differences;
mod distribution;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
pub(crate) mod lineage;
mod lines;
pub(crate) mod manifest;
mod patch;
mod refetch;
pub(crate) mod resume;
pub(crate) mod row_file;
mod store;
mod text_patch;

pub(crate) use codec::Stored;
pub(crate) use differences::Memo;
pub(crate) use distribution::Distribution;
pub(crate) use lineage::Chains;
pub(crate) use manifest::{Account, Artifact, InputContent, Manifest, QuarantineFile, Traced};
pub(crate) use refetch::Refetch;
pub(crate) use resume::{Base, Decision, Found, decide};
pub(crate) use row_file::{RowFile, RowFileWriter};
pub(crate) use store::{Store, WrittenRows};
