//! Decodes an image to RGB pixels as PIL does: turned by its EXIF data, without transparency, the
//! first picture of an animation.

use crate::image::{Format, format, png_orientation, shape, webp_orientation};
use crate::jpeg;
use crate::pixels::{Pixels, afford};
use djhost_media_files::{MOST_BYTES, Source, be, le};
use std::io::Cursor;

const LARGEST_FILE: u64 = 50 << 20;

/// Decodes an image.
///
/// # Errors
/// When it is no image, damaged, cut off, too large, or of a kind of which only headers are read.
pub(crate) fn decode(source: &mut Source) -> Result<Pixels, String> {
    // Also refuses what is too large before decoding anything.
    let oriented = shape(source)?;
    let format = format(source)?;
    let bytes = oriented.width as usize * oriented.height as usize * 3;
    afford(bytes.saturating_add(source.size() as usize))?;
    let data = source.all(LARGEST_FILE)?;
    let (pixels, orientation) = match format {
        Format::Png => (png(&data)?, png_orientation(source)?),
        Format::Jpeg => (
            jpeg::decode(&data)?,
            crate::image::jpeg_orientation(source)?,
        ),
        Format::Gif => (
            gif(&data, oriented.width as usize, oriented.height as usize)?,
            1,
        ),
        Format::WebP => (webp(&data)?, webp_orientation(source)?),
        Format::Bmp => (
            bmp(&data, oriented.width as usize, oriented.height as usize)?,
            1,
        ),
        Format::Tiff | Format::Ico | Format::Heif => {
            return Err(
                "images of this kind cannot be compared, only PNG, JPEG, GIF, WebP and BMP".into(),
            );
        }
    };
    Ok(turned(pixels, orientation))
}

/// Applies the EXIF orientation.
fn turned(pixels: Pixels, orientation: u16) -> Pixels {
    if !(2..=8).contains(&orientation) {
        return pixels;
    }
    let Pixels { width, height, rgb } = pixels;
    let (new_width, new_height) = if orientation >= 5 {
        (height, width)
    } else {
        (width, height)
    };
    let mut out = Vec::with_capacity(rgb.len());
    for y in 0..new_height {
        for x in 0..new_width {
            let (from_x, from_y) = match orientation {
                2 => (width - 1 - x, y),
                3 => (width - 1 - x, height - 1 - y),
                4 => (x, height - 1 - y),
                5 => (y, x),
                6 => (y, height - 1 - x),
                7 => (width - 1 - y, height - 1 - x),
                _ => (width - 1 - y, x),
            };
            let at = (from_y * width + from_x) * 3;
            out.extend_from_slice(&rgb[at..at + 3]);
        }
    }
    Pixels {
        width: new_width,
        height: new_height,
        rgb: out,
    }
}

fn png(data: &[u8]) -> Result<Pixels, String> {
    use png::{BitDepth, ColorType};
    let damaged = |error: png::DecodingError| format!("its PNG data are damaged: {error}");
    let mut decoder =
        png::Decoder::new_with_limits(Cursor::new(data), png::Limits { bytes: MOST_BYTES });
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(damaged)?;
    let size = reader
        .output_buffer_size()
        .ok_or("its pixels need too much memory")?;
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    afford(size + width * height * 3 + data.len())?;
    let mut buffer = vec![0; size];
    let frame = reader.next_frame(&mut buffer).map_err(damaged)?;
    let samples = frame.color_type.samples();
    let is_deep = frame.bit_depth == BitDepth::Sixteen;
    let bytes = samples * if is_deep { 2 } else { 1 };
    let step = if is_deep { 2 } else { 1 };
    let mut rgb = Vec::with_capacity(width * height * 3);
    for pixel in buffer.chunks_exact(bytes).take(width * height) {
        match frame.color_type {
            // PIL keeps 16 bits of grey, and clips them when it converts.
            ColorType::Grayscale if is_deep => {
                rgb.extend([if pixel[0] == 0 { pixel[1] } else { 255 }; 3])
            }
            ColorType::Grayscale | ColorType::GrayscaleAlpha => rgb.extend([pixel[0]; 3]),
            _ => rgb.extend([pixel[0], pixel[step], pixel[2 * step]]),
        }
    }
    Ok(Pixels { width, height, rgb })
}

/// The first picture, on a screen of the given size. Uncovered parts have the transparent colour,
/// or the first one.
fn gif(data: &[u8], width: usize, height: usize) -> Result<Pixels, String> {
    let damaged = |error: gif::DecodingError| format!("its GIF data are damaged: {error}");
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::Indexed);
    options.allow_unknown_blocks(true);
    options.set_memory_limit(gif::MemoryLimit::Bytes(
        std::num::NonZeroU64::new(MOST_BYTES as u64).unwrap_or(std::num::NonZeroU64::MIN),
    ));
    let mut decoder = options.read_info(Cursor::new(data)).map_err(damaged)?;
    let shared = decoder.global_palette().map(<[u8]>::to_vec);
    let frame = decoder
        .read_next_frame()
        .map_err(damaged)?
        .ok_or("it has no image in it")?;
    let palette = frame.palette.clone().or(shared);
    let colour = |index: u8| match &palette {
        Some(palette) => palette
            .get(usize::from(index) * 3..usize::from(index) * 3 + 3)
            .map_or([0; 3], |c| [c[0], c[1], c[2]]),
        None => [index; 3],
    };
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let (frame_width, frame_height) = (usize::from(frame.width), usize::from(frame.height));
    let free = frame.transparent.unwrap_or(0);
    let mut rgb = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            let is_inside =
                (left..left + frame_width).contains(&x) && (top..top + frame_height).contains(&y);
            let index = if is_inside {
                frame
                    .buffer
                    .get((y - top) * frame_width + x - left)
                    .copied()
            } else {
                None
            };
            rgb.extend(colour(index.unwrap_or(free)));
        }
    }
    Ok(Pixels { width, height, rgb })
}

fn webp(data: &[u8]) -> Result<Pixels, String> {
    let damaged = |error: image_webp::DecodingError| format!("its WebP data are damaged: {error}");
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(data)).map_err(damaged)?;
    decoder.set_memory_limit(MOST_BYTES);
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    let size = decoder
        .output_buffer_size()
        .ok_or("its pixels need too much memory")?;
    // The decoder needs about as much again.
    afford(2 * size + width * height * 3 + data.len())?;
    let mut buffer = vec![0; size];
    if decoder.is_animated() {
        decoder.read_frame(&mut buffer).map_err(damaged)?;
    } else {
        decoder.read_image(&mut buffer).map_err(damaged)?;
    }
    let rgb = if decoder.has_alpha() {
        buffer
            .chunks_exact(4)
            .flat_map(|p| [p[0], p[1], p[2]])
            .collect()
    } else {
        buffer
    };
    Ok(Pixels { width, height, rgb })
}

/// Decodes uncompressed bitmaps.
fn bmp(data: &[u8], width: usize, height: usize) -> Result<Pixels, String> {
    const CUT: &str = "it is cut off: its bitmap ends too early";
    let (first, header) = (le(data, 10, 4) as usize, le(data, 14, 4) as usize);
    let is_old = header == 12;
    let (bits, compression) = if is_old {
        (le(data, 24, 2), 0)
    } else {
        (le(data, 28, 2), le(data, 30, 4))
    };
    let is_upright = !is_old && (le(data, 22, 4) as u32 as i32) < 0;
    // 32-bit bitmaps with masks mostly have the usual ones.
    let masks = [0, 1, 2].map(|i| {
        if compression == 3 {
            le(data, 54 + 4 * i, 4)
        } else {
            [0xff_0000, 0xff00, 0xff][i]
        }
    });
    if !(compression == 0
        || (compression == 3
            && bits == 32
            && masks
                .iter()
                .all(|m| *m == 0xff << m.trailing_zeros().min(24))))
    {
        return Err("it is a bitmap of a rare kind (compressed, or with masks)".into());
    }
    let (colours, entry) = (14 + header, if is_old { 3 } else { 4 });
    let stride = (width * bits as usize).div_ceil(32) * 4;
    let mut rgb = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        let row = first.saturating_add(stride * if is_upright { y } else { height - 1 - y });
        let row = data.get(row..row.saturating_add(stride)).ok_or(CUT)?;
        for x in 0..width {
            match bits {
                1 | 4 | 8 => {
                    let bits = bits as usize;
                    let index = usize::from(row[x * bits / 8] >> (8 - bits - x * bits % 8))
                        & ((1 << bits) - 1);
                    let colour = colours + index * entry;
                    let colour = if colour + 3 <= first {
                        be(data, colour, 3) as u32
                    } else {
                        0
                    };
                    rgb.extend([colour as u8, (colour >> 8) as u8, (colour >> 16) as u8]);
                }
                16 => {
                    // Five bits each; PIL spreads them over eight.
                    let pixel = le(row, x * 2, 2);
                    rgb.extend([10, 5, 0].map(|shift| ((pixel >> shift & 31) * 255 / 31) as u8));
                }
                24 => rgb.extend([row[x * 3 + 2], row[x * 3 + 1], row[x * 3]]),
                32 => {
                    let pixel = le(row, x * 4, 4);
                    rgb.extend(masks.map(|mask| (pixel >> mask.trailing_zeros()) as u8));
                }
                _ => return Err("it is a bitmap of a rare kind".into()),
            }
        }
    }
    Ok(Pixels { width, height, rgb })
}
