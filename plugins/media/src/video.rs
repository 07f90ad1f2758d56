//! Sides and duration of a video, from its headers.

use crate::{bmff, ebml};
use djhost_media_files::{Source, le};

/// The first video track.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Video {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) seconds: Option<f64>,
}

const NO_VIDEO: &str = "it has no video in it";

/// Reads the headers.
///
/// # Errors
/// When the file has no video, or is damaged.
pub(crate) fn read(source: &mut Source) -> Result<Video, String> {
    let head = source.up_to(0, 12)?;
    let video = match head {
        [] => return Err("it is empty".into()),
        _ if head.starts_with(&ebml::MAGIC) => {
            let file = ebml::read(source)?;
            let (width, height) = file.video.ok_or(NO_VIDEO)?;
            Video {
                width,
                height,
                seconds: file.seconds,
            }
        }
        [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', b' '] => avi(source)?,
        _ if bmff::is_movie(head) => movie(source)?,
        _ => {
            return Err(
                "it is no video that djhost knows: MP4, MOV, M4V, 3GP, Matroska, WebM, AVI".into(),
            );
        }
    };
    if video.width == 0 || video.height == 0 {
        return Err(format!(
            "its headers say that it has {} × {} pixels",
            video.width, video.height
        ));
    }
    Ok(video)
}

fn movie(source: &mut Source) -> Result<Video, String> {
    let track = bmff::tracks(source)?
        .into_iter()
        .find(|track| track.handler == *b"vide")
        .ok_or(NO_VIDEO)?;
    let seconds = (track.timescale > 0 && track.duration > 0)
        .then(|| track.duration as f64 / track.timescale as f64);
    Ok(Video {
        width: track.width,
        height: track.height,
        seconds,
    })
}

/// The chunks in `start..end`: name, start and length of the content.
fn chunks(source: &mut Source, start: u64, end: u64) -> Result<Vec<([u8; 4], u64, u64)>, String> {
    let (mut at, mut chunks) = (start, Vec::new());
    while at + 8 <= end && chunks.len() < 10_000 {
        let head = source.up_to(at, 8)?;
        if head.len() < 8 {
            break;
        }
        let (name, len) = (std::array::from_fn(|i| head[i]), le(head, 4, 4));
        chunks.push((name, at + 8, len.min(end - at - 8)));
        at += 8 + len + (len & 1);
    }
    Ok(chunks)
}

/// The lists of this kind among chunks: start and end.
fn lists(
    source: &mut Source,
    chunks: &[([u8; 4], u64, u64)],
    kind: &[u8; 4],
) -> Result<Vec<(u64, u64)>, String> {
    let mut lists = Vec::new();
    for (_, start, len) in chunks
        .iter()
        .filter(|(name, _, len)| name == b"LIST" && *len >= 4)
    {
        if source.array::<4>(*start)? == *kind {
            lists.push((start + 4, start + len));
        }
    }
    Ok(lists)
}

fn avi(source: &mut Source) -> Result<Video, String> {
    let len = source.size();
    // The header comes first; what follows may be long.
    let first = chunks(source, 12, len.min(1 << 20))?;
    for (start, end) in lists(source, &first, b"hdrl")? {
        let inner = chunks(source, start, end)?;
        for (start, end) in lists(source, &inner, b"strl")? {
            let stream = chunks(source, start, end)?;
            let content = |name: &[u8; 4], least: u64| {
                stream
                    .iter()
                    .find(|(n, _, len)| n == name && *len >= least)
                    .map(|(_, at, _)| *at)
            };
            let (Some(strh), Some(strf)) = (content(b"strh", 36), content(b"strf", 12)) else {
                continue;
            };
            let head: [u8; 36] = source.array(strh)?;
            if head[..4] != *b"vids" {
                continue;
            }
            let sides: [u8; 12] = source.array(strf)?;
            let (scale, rate, length) = (le(&head, 20, 4), le(&head, 24, 4), le(&head, 32, 4));
            let seconds =
                (scale > 0 && rate > 0).then(|| length as f64 * scale as f64 / rate as f64);
            return Ok(Video {
                width: le(&sides, 4, 4) as u32,
                height: (le(&sides, 8, 4) as i32).unsigned_abs(),
                seconds,
            });
        }
    }
    Err(NO_VIDEO.into())
}
