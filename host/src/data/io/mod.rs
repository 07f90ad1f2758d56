//! Bytes on their way to and from files: checksums, and the compression of what djhost itself writes.

pub(crate) mod checksum;
pub(crate) mod compression;
