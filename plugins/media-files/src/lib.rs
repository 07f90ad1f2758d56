//! The files that rows name or have in them, and filters that judge rows by them. Shared by the packs over
//! images, audio and videos: what only one of them decodes is not in the components of the others.

mod judged;
mod media;
mod rows;
mod source;

pub use judged::{AnyOrAll, Judged, PerFile, process, signature};
pub use media::Media;
pub use rows::{Modality, files};
pub use source::{Source, be, le};

/// The most memory in bytes that what is decoded of a file may take: instances have 256 MB by default.
pub const MOST_BYTES: usize = 200 << 20;
