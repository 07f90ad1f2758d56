//! What survives a kill: rows, keys and parts on disk, each valid if and only if its manifest is there and its key is the expected one.
//!
//! ```text
//! key ─► manifest ─► codec ─► store ─► resume
//! ```

mod codec;
mod columns;
mod flat;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod key;
mod lines;
mod manifest;
mod patch;
mod refetch;
mod resume;
mod seal;
mod store;

pub use codec::{RowsReader, RowsWriter, Stored};
pub use flat::{FlatFile, FlatWriter};
pub use key::{Key, KeyBuilder};
pub use manifest::{Account, Artifact, InputContent, Manifest, QuarantineFile};
pub use refetch::Refetch;
pub use resume::{Base, Decision, Found, Slot, decide};
pub use seal::{seal, unseal};
pub use store::{Store, WrittenRows};
