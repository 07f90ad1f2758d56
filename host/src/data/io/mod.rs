//! Bytes on their way to files: the compression of what djhost itself writes.

pub(crate) mod compression;
