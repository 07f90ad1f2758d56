//! Elements of Matroska and WebM files.
//!
//! By hand: `matroska` 0.30 refuses live streams, whose elements have no length, and files whose
//! end was cut off; and for a file of 100 bytes that claims a title of 550 GB it allocates these.

use djhost_media_files::{Source, be};

/// What the headers of a file say.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Matroska {
    pub(crate) seconds: Option<f64>,
    /// Width and height of the first video track.
    pub(crate) video: Option<(u32, u32)>,
    pub(crate) has_audio: bool,
}

/// The first bytes of a file.
pub(crate) const MAGIC: [u8; 4] = [0x1a, 0x45, 0xdf, 0xa3];

const SEGMENT: u64 = 0x1853_8067;
const INFO: u64 = 0x1549_a966;
const TIMESTAMP_SCALE: u64 = 0x2a_d7b1;
const DURATION: u64 = 0x4489;
const TRACKS: u64 = 0x1654_ae6b;
const TRACK_ENTRY: u64 = 0xae;
const TRACK_TYPE: u64 = 0x83;
const VIDEO: u64 = 0xe0;
const PIXEL_WIDTH: u64 = 0xb0;
const PIXEL_HEIGHT: u64 = 0xba;

/// An element; `start` is where its content begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Element {
    id: u64,
    start: u64,
    end: u64,
    /// Its length is unknown, as in live streams.
    is_open: bool,
}

/// The element at `at`, within one that ends at `end`; None at that end.
fn element(source: &mut Source, at: u64, end: u64) -> Result<Option<Element>, String> {
    let head = source.up_to(at, 12)?;
    if head.len() < 2 || at >= end {
        return Ok(None);
    }
    let id_len = head[0].leading_zeros() as usize + 1;
    let size_first = head.get(id_len).copied().unwrap_or_default();
    let size_len = size_first.leading_zeros() as usize + 1;
    if id_len > 4 || size_len > 8 || head.len() < id_len + size_len {
        return Err("its elements are damaged".into());
    }
    let (id, mask) = (be(head, 0, id_len), (1 << (7 * size_len)) - 1);
    let size = be(head, id_len, size_len) & mask;
    let (start, is_open) = (at + (id_len + size_len) as u64, size == mask);
    Ok(Some(Element {
        id,
        start,
        end: if is_open {
            end
        } else {
            start.saturating_add(size).min(end)
        },
        is_open,
    }))
}

/// Calls `each` for the elements in `outer` until it returns true.
fn walk(
    source: &mut Source,
    outer: Element,
    mut each: impl FnMut(&mut Source, Element) -> Result<bool, String>,
) -> Result<(), String> {
    let mut at = outer.start;
    while let Some(inner) = element(source, at, outer.end)? {
        if each(source, inner)? || (inner.is_open && inner.id != SEGMENT) {
            break;
        }
        at = inner.end;
    }
    Ok(())
}

fn number(source: &mut Source, element: Element) -> Result<u64, String> {
    let n = (element.end - element.start).min(8) as usize;
    Ok(be(source.bytes(element.start, n)?, 0, n))
}

/// Reads the headers.
///
/// # Errors
/// When they are damaged.
pub(crate) fn read(source: &mut Source) -> Result<Matroska, String> {
    let mut found = Matroska::default();
    let file = Element {
        id: 0,
        start: 0,
        end: source.size(),
        is_open: false,
    };
    walk(source, file, |source, segment| {
        if segment.id != SEGMENT {
            return Ok(false);
        }
        let (mut has_info, mut has_tracks) = (false, false);
        walk(source, segment, |source, part| {
            match part.id {
                INFO => {
                    has_info = true;
                    found.seconds = seconds(source, part)?;
                }
                TRACKS => {
                    has_tracks = true;
                    walk(source, part, |source, entry| {
                        if entry.id == TRACK_ENTRY {
                            track(source, entry, &mut found)
                        } else {
                            Ok(false)
                        }
                    })?;
                }
                _ => {}
            }
            Ok(has_info && has_tracks)
        })?;
        Ok(true)
    })?;
    Ok(found)
}

fn seconds(source: &mut Source, info: Element) -> Result<Option<f64>, String> {
    let (mut scale, mut duration) = (1_000_000, None);
    walk(source, info, |source, part| {
        match part.id {
            TIMESTAMP_SCALE => scale = number(source, part)?,
            DURATION => {
                let bits = number(source, part)?;
                duration = match part.end - part.start {
                    4 => Some(f32::from_bits(bits as u32).into()),
                    8 => Some(f64::from_bits(bits)),
                    _ => None,
                };
            }
            _ => {}
        }
        Ok(false)
    })?;
    Ok(duration
        .map(|ticks: f64| ticks * scale as f64 / 1e9)
        .filter(|seconds| seconds.is_finite() && *seconds >= 0.0))
}

fn track(source: &mut Source, entry: Element, found: &mut Matroska) -> Result<bool, String> {
    let (mut kind, mut sides) = (0, (0, 0));
    walk(source, entry, |source, part| {
        match part.id {
            TRACK_TYPE => kind = number(source, part)?,
            VIDEO => walk(source, part, |source, side| {
                match side.id {
                    PIXEL_WIDTH => sides.0 = number(source, side)? as u32,
                    PIXEL_HEIGHT => sides.1 = number(source, side)? as u32,
                    _ => {}
                }
                Ok(false)
            })?,
            _ => {}
        }
        Ok(false)
    })?;
    match kind {
        1 if found.video.is_none() => found.video = Some(sides),
        2 => found.has_audio = true,
        _ => {}
    }
    Ok(false)
}
