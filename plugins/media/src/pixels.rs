//! The pixels of an image, and the limit of their memory.

use djhost_media_files::MOST_BYTES;

/// Red, green and blue of each pixel, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pixels {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) rgb: Vec<u8>,
}

/// The image as a mirror shows it: left and right exchanged.
pub(crate) fn mirrored(mut pixels: Pixels) -> Pixels {
    for row in pixels.rgb.chunks_exact_mut(pixels.width * 3) {
        row.as_chunks_mut::<3>().0.reverse();
    }
    pixels
}

/// The image upside down: top and bottom exchanged.
pub(crate) fn flipped(mut pixels: Pixels) -> Pixels {
    let stride = pixels.width * 3;
    let rows = pixels.rgb.chunks_exact(stride).rev();
    pixels.rgb = rows.flatten().copied().collect();
    pixels
}

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
