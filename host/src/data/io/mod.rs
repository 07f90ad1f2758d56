//! The compression of files that djhost itself writes.

pub(crate) mod compression;
