//! The pixels of an image, and the limit of their memory.

/// Red, green and blue of each pixel, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pixels {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) rgb: Vec<u8>,
}

/// Instances have 256 MB by default.
pub(crate) const MOST_BYTES: usize = 200 << 20;

/// Checks that so much memory may be used.
///
/// # Errors
/// When it is too much.
pub(crate) fn afford(bytes: usize) -> Result<(), String> {
    match bytes {
        0..=MOST_BYTES => Ok(()),
        _ => Err(format!(
            "its pixels need {} MB to decode, more than {} MB are refused",
            bytes >> 20,
            MOST_BYTES >> 20
        )),
    }
}
