//! Datasets out: the export parts of the partitions, and the export that is assembled from them.

pub(crate) mod ahead;
pub(crate) mod assemble;
pub(crate) mod card;
pub(crate) mod columnar;
pub(crate) mod columnar_file;
pub(crate) mod part;
pub(crate) mod publish;
pub(crate) mod push;
pub(crate) mod staging;
pub(crate) mod stream;
pub(crate) mod target;

pub(crate) use ahead::Ahead;
pub(crate) use assemble::{Exported, assemble};
pub(crate) use card::Card;
pub(crate) use part::{ExportOptions, PartInfo, PartWriter};
pub(crate) use publish::{Published, publish};
pub(crate) use push::push;
pub(crate) use target::{ExportFormat, ExportTarget};
