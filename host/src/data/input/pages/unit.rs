//! A unit of a packed WARC file: a gzip member or a zstd frame, unpacked.

/// What was unpacked.
#[derive(Debug, Default)]
pub(super) struct Unit {
    /// The content, or its first bytes if it is larger than the limit.
    pub(super) bytes: Vec<u8>,
    /// All of the content, if it is larger than the limit.
    pub(super) more_than: Option<u64>,
    /// Where it ends in the file; None: not known, because of what is in `fault` or because it is
    /// far larger than the limit.
    pub(super) end: Option<u64>,
    /// Why it could not be unpacked to its end.
    pub(super) fault: Option<String>,
}

/// How much of a unit is unpacked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    /// So many bytes are kept.
    pub(super) kept: usize,
    /// So many more are unpacked to find the end. After that the next unit is searched by its first
    /// bytes: a bomb of 10 MB has 10 GB.
    pub(super) beyond: u64,
}

impl Limit {
    /// For records of at most this many bytes.
    pub(super) fn of_records(bytes: usize) -> Self {
        Self {
            kept: bytes,
            beyond: 256 << 20,
        }
    }
}

/// The first bytes of a record.
pub(super) const MARK: &[u8] = b"WARC/";
