//! Finds the frames of a zstd file without unpacking them: each block has its size in front.

use super::window::Window;
use std::io;

/// Magic number of a frame with data.
pub(super) const MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// Longest header of a frame.
const MAX_HEADER: usize = 18;
/// Largest block.
const MAX_BLOCK: u64 = 128 << 10;

/// What is at a position of a zstd file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    /// A frame with data up to this position.
    Data(u64),
    /// Bytes up to this position that decoders skip.
    Skippable(u64),
    /// A frame that goes on where the file ends.
    Cut,
    /// The end of the file.
    End,
    /// Something else.
    Other,
}

/// The frame at `at`.
pub(super) fn frame(file: &mut Window, at: u64) -> io::Result<Frame> {
    let size = file.size;
    let head = file.at(at, MAX_HEADER)?;
    if head.is_empty() {
        return Ok(Frame::End);
    }
    if let [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, ..] = head {
        let end = at + 8 + u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
        return Ok(match end <= size {
            true => Frame::Skippable(end),
            false => Frame::Cut,
        });
    }
    if !head.starts_with(MAGIC) {
        return Ok(Frame::Other);
    }
    let Some(flags) = head.get(4) else {
        return Ok(Frame::Cut);
    };
    let flags = *flags;
    if flags & 8 != 0 {
        return Ok(Frame::Other);
    }
    let is_single = flags & 0x20 != 0;
    let dictionary = [0, 1, 2, 4][usize::from(flags & 3)];
    let content = match flags >> 6 {
        0 => u64::from(is_single),
        code => 1 << code,
    };
    let mut next = at + 5 + u64::from(!is_single) + dictionary + content;
    loop {
        let Some(&[a, b, c]) = file.at(next, 3)?.first_chunk::<3>() else {
            return Ok(Frame::Cut);
        };
        let header = u32::from_le_bytes([a, b, c, 0]);
        let length = u64::from(header >> 3);
        next += 3 + match header >> 1 & 3 {
            // One byte, repeated.
            1 => 1,
            0 | 2 if length <= MAX_BLOCK => length,
            _ => return Ok(Frame::Other),
        };
        if header & 1 != 0 {
            break;
        }
    }
    next += if flags & 4 != 0 { 4 } else { 0 };
    Ok(match next <= size {
        true => Frame::Data(next),
        false => Frame::Cut,
    })
}
