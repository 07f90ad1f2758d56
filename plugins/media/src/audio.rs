//! The duration of audio, from its headers: that of the decoded audio, without the padding that
//! encoders add at the ends.
//!
//! By hand: `symphonia` 0.6 gives other durations than the reference for 8 of the 22 fixtures,
//! `lofty` 0.25 for 14: they count what encoders add, or refuse piped WAV and Matroska files.

use crate::{bmff, ebml, mpeg};
use djhost_media_files::{Source, be, le};

const NO_AUDIO: &str = "it has no audio in it";
const UNKNOWN: &str = "its headers do not say how long it is";

/// The duration in seconds.
///
/// # Errors
/// When the file has no audio, is damaged, or does not say how long it is.
pub(crate) fn duration(source: &mut Source) -> Result<f64, String> {
    let start = after_id3(source)?;
    let head = source.up_to(start, 12)?;
    match head {
        [] => Err("it is empty".into()),
        [b'f', b'L', b'a', b'C', ..] => stream_info(source, start + 8),
        [
            b'R',
            b'I',
            b'F',
            b'F' | b'X',
            _,
            _,
            _,
            _,
            b'W',
            b'A',
            b'V',
            b'E',
        ]
        | [b'R', b'F', b'6', b'4', _, _, _, _, b'W', b'A', b'V', b'E'] => wav(source, start),
        [
            b'F',
            b'O',
            b'R',
            b'M',
            _,
            _,
            _,
            _,
            b'A',
            b'I',
            b'F',
            b'F' | b'C',
        ] => aiff(source, start),
        [b'O', b'g', b'g', b'S', ..] => ogg(source, start),
        _ if head.starts_with(&ebml::MAGIC) => {
            let file = ebml::read(source)?;
            if file.has_audio {
                file.seconds.ok_or_else(|| UNKNOWN.into())
            } else {
                Err(NO_AUDIO.into())
            }
        }
        _ if bmff::is_movie(head) => movie(source),
        _ => mpeg::duration(source, start),
    }
}

fn seconds(samples: u64, rate: u64) -> Result<f64, String> {
    if rate == 0 {
        Err("its headers say that it has no sample rate".into())
    } else {
        Ok(samples as f64 / rate as f64)
    }
}

/// The start of the file's data, after tags.
fn after_id3(source: &mut Source) -> Result<u64, String> {
    let mut at = 0;
    for _ in 0..100 {
        let head = source.up_to(at, 10)?;
        if head.len() < 10 || !head.starts_with(b"ID3") {
            break;
        }
        let size = head[6..10]
            .iter()
            .fold(0, |size, b| size << 7 | u64::from(b & 0x7f));
        at += 10 + size + if head[5] & 0x10 != 0 { 10 } else { 0 };
    }
    Ok(at)
}

/// Reads FLAC's STREAMINFO at `at`.
fn stream_info(source: &mut Source, at: u64) -> Result<f64, String> {
    let bits = be(source.bytes(at + 10, 8)?, 0, 8);
    match bits & 0xf_ffff_ffff {
        0 => Err(UNKNOWN.into()),
        samples => seconds(samples, bits >> 44),
    }
}

fn wav(source: &mut Source, start: u64) -> Result<f64, String> {
    const PCM: [u64; 4] = [1, 3, 6, 7];
    let (mut at, mut format, mut long, mut fact) = (start + 12, None, None, None);
    for _ in 0..10_000 {
        let head = source.up_to(at, 8)?;
        if head.len() < 8 {
            break;
        }
        let (name, len): ([u8; 4], u64) = (std::array::from_fn(|i| head[i]), le(head, 4, 4));
        match &name {
            b"fmt " => {
                let fmt = source.bytes(at + 8, len.clamp(16, 26) as usize)?;
                let tag = if le(fmt, 0, 2) == 0xfffe {
                    le(fmt, 24, 2)
                } else {
                    le(fmt, 0, 2)
                };
                format = Some((tag, le(fmt, 4, 4), le(fmt, 8, 4), le(fmt, 12, 2)));
            }
            b"ds64" => long = Some(le(source.bytes(at + 8, 16)?, 8, 8)),
            b"fact" if len >= 4 => fact = Some(le(source.bytes(at + 8, 4)?, 0, 4)),
            b"data" => {
                let (tag, rate, bytes_per_second, block) =
                    format.ok_or("it does not say how its samples are stored")?;
                let there = source.size().saturating_sub(at + 8);
                // Writers of streams do not know the length in advance.
                let bytes = match len {
                    0xffff_ffff => long.unwrap_or(there).min(there),
                    len => len.min(there),
                };
                return match (PCM.contains(&tag), fact) {
                    (true, _) if block > 0 => seconds(bytes / block, rate),
                    (false, Some(samples)) => seconds(samples, rate),
                    (false, None) if bytes_per_second > 0 => {
                        Ok(bytes as f64 / bytes_per_second as f64)
                    }
                    _ => Err(UNKNOWN.into()),
                };
            }
            _ => {}
        }
        at += 8 + len + (len & 1);
    }
    Err(NO_AUDIO.into())
}

fn aiff(source: &mut Source, start: u64) -> Result<f64, String> {
    let mut at = start + 12;
    for _ in 0..10_000 {
        let head = source.bytes(at, 8).map_err(|_| NO_AUDIO)?;
        let (is_common, len) = (head.starts_with(b"COMM"), be(head, 4, 4));
        if is_common {
            let common = source.bytes(at + 8, 18)?;
            // An 80-bit float: the exponent, and a 64-bit mantissa.
            let rate = be(common, 10, 8) as f64
                * 2f64.powi((be(common, 8, 2) & 0x7fff) as i32 - 16383 - 63);
            return if rate >= 1.0 {
                Ok(be(common, 2, 4) as f64 / rate)
            } else {
                Err("it has no sample rate".into())
            };
        }
        at += 8 + len + (len & 1);
    }
    Err(NO_AUDIO.into())
}

/// Reads the last page of the stream, which has the number of samples up to it.
fn ogg(source: &mut Source, start: u64) -> Result<f64, String> {
    let (mut at, mut found) = (start, None);
    // The first page of each stream says what it is; these pages precede all others.
    for _ in 0..100 {
        let head: [u8; 27] = match source.array(at) {
            Ok(head) if head[..4] == *b"OggS" && head[5] & 2 != 0 => head,
            _ => break,
        };
        let sizes = source.bytes(at + 27, head[26].into())?;
        let (content, size) = (
            at + 27 + u64::from(head[26]),
            sizes.iter().map(|s| u64::from(*s)).sum::<u64>(),
        );
        let packet = source.up_to(content, 64.min(size as usize))?;
        let stream = match packet {
            [1, b'v', b'o', b'r', b'b', b'i', b's', ..] => Some((le(packet, 12, 4), 0)),
            [b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', ..] => {
                Some((48_000, le(packet, 10, 2)))
            }
            [0x7f, b'F', b'L', b'A', b'C', ..] => Some((be(packet, 27, 4) >> 12, 0)),
            [b'S', b'p', b'e', b'e', b'x', b' ', ..] => Some((le(packet, 36, 4), 0)),
            _ => None,
        };
        if let Some((rate, skipped)) = stream {
            found = Some((le(&head, 14, 4), rate, skipped));
            break;
        }
        at = content + size;
    }
    let (serial, rate, skipped) = found.ok_or(NO_AUDIO)?;
    const PAGE: u64 = 27 + 255 + 255 * 255;
    let mut end = source.size();
    for _ in 0..64 {
        // Pieces overlap by a page header.
        let from = end.saturating_sub(PAGE);
        let piece = source.bytes(from, (end - from) as usize)?;
        let mut pages = piece
            .windows(27)
            .enumerate()
            .rev()
            .filter(|(_, head)| head.starts_with(b"OggS\0"));
        let last = pages.find(|(_, head)| le(head, 14, 4) == serial && le(head, 6, 8) != u64::MAX);
        if let Some((_, head)) = last {
            return seconds(le(head, 6, 8).saturating_sub(skipped), rate);
        }
        if from == 0 {
            break;
        }
        end = from + 26;
    }
    Err(UNKNOWN.into())
}

fn movie(source: &mut Source) -> Result<f64, String> {
    let track = bmff::tracks(source)?
        .into_iter()
        .find(|track| track.handler == *b"soun")
        .ok_or(NO_AUDIO)?;
    if track.timescale == 0 || track.duration == 0 {
        return Err(UNKNOWN.into());
    }
    // AAC has whole packets: the length stated for the last one is less than its output.
    let ticks = if track.codec == *b"mp4a" && track.samples.0 > 0 {
        track.samples.0.saturating_mul(track.samples.1)
    } else {
        track.duration
    };
    // What precedes the first edit is not played.
    let start = track
        .edits
        .iter()
        .find_map(|(_, from)| *from)
        .unwrap_or_default();
    seconds(ticks.saturating_sub(start), track.timescale)
}
