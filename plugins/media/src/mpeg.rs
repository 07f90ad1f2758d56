//! MP3 and AAC streams: consecutive frames, each with a header. The duration is counted as FFmpeg's
//! decoder puts it out; `audio` has the reason why no crate does.

use djhost_media_files::{Source, be};

/// One frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frame {
    bytes: u64,
    samples: u64,
    rate: u64,
    /// Bytes from its start to where a Xing header would be.
    side: u64,
    is_aac: bool,
}

impl Frame {
    fn is_like(self, other: Self) -> bool {
        (self.rate, self.samples, self.is_aac) == (other.rate, other.samples, other.is_aac)
    }
}

/// Kilobits per second of MPEG 1 layers I, II, III, then of MPEG 2 layer I, and its layers II and
/// III.
const BITRATES: [[u64; 15]; 5] = [
    [
        0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448,
    ],
    [
        0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384,
    ],
    [
        0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ],
    [
        0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256,
    ],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

const AAC_RATES: [u64; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000,
    7350,
];

fn frame(head: &[u8]) -> Option<Frame> {
    let [0xff, second, third, fourth, ..] = *head else {
        return None;
    };
    if second & 0xf6 == 0xf0 {
        // ADTS.
        let rate = *AAC_RATES.get(usize::from(third >> 2 & 0xf))?;
        let bytes = be(head, 3, 3) >> 5 & 0x1fff;
        let blocks = u64::from(*head.get(6)? & 3) + 1;
        return (bytes >= 7).then_some(Frame {
            bytes,
            samples: 1024 * blocks,
            rate,
            side: 0,
            is_aac: true,
        });
    }
    let (version, layer) = (second >> 3 & 3, 4 - (second >> 1 & 3));
    if second & 0xe0 != 0xe0 || version == 1 || layer == 4 {
        return None;
    }
    let is_first = version == 3;
    let row = match (is_first, layer) {
        (true, layer) => usize::from(layer) - 1,
        (false, 1) => 3,
        (false, _) => 4,
    };
    let bitrate = *BITRATES[row].get(usize::from(third >> 4))? * 1000;
    let rate = [44_100, 48_000, 32_000].get(usize::from(third >> 2 & 3))?
        >> [2, 0, 1, 0][usize::from(version)];
    let padding = u64::from(third >> 1 & 1);
    let (samples, bytes) = match (layer, is_first) {
        (1, _) => (384, (12 * bitrate / rate + padding) * 4),
        (3, false) => (576, 72 * bitrate / rate + padding),
        _ => (1152, 144 * bitrate / rate + padding),
    };
    let is_mono = fourth >> 6 == 3;
    let side = 4 + match (is_first, is_mono) {
        (true, false) => 32,
        (true, true) | (false, false) => 17,
        (false, true) => 9,
    };
    (bitrate > 0).then_some(Frame {
        bytes,
        samples,
        rate,
        side,
        is_aac: false,
    })
}

/// The duration in seconds.
///
/// # Errors
/// When there are no frames.
pub(crate) fn duration(source: &mut Source, start: u64) -> Result<f64, String> {
    let (at, first) = find(source, start, None)?
        .ok_or("it is no audio that djhost knows: WAV, AIFF, FLAC, MP3, AAC, Ogg, MP4, Matroska")?;
    let mut next = at;
    if let Some(said) = header(source, at, first)? {
        let there = source.size() - at;
        if let Said {
            frames: Some(frames),
            bytes: Some(bytes),
            ..
        } = said
            && bytes <= there
        {
            let samples = (frames * first.samples).saturating_sub(said.cut);
            return Ok(samples as f64 / first.rate as f64);
        }
        // The stream was cut off, or the header does not say: counts the frames. The header itself
        // has no sound.
        next += first.bytes;
        let samples = count(source, next, first)?.saturating_sub(said.cut_at_start);
        return Ok(samples as f64 / first.rate as f64);
    }
    let samples = count(source, next, first)?;
    Ok(samples as f64 / first.rate as f64)
}

/// The samples of all frames from `at` on.
fn count(source: &mut Source, mut at: u64, first: Frame) -> Result<u64, String> {
    let mut samples = 0;
    loop {
        source.walk();
        match frame(source.up_to(at, 7)?) {
            // The last frame counts even if its end is missing.
            Some(next) if next.is_like(first) => {
                samples += next.samples;
                at += next.bytes;
            }
            _ => match find(source, at, Some(first))? {
                Some((found, _)) => at = found,
                None => break,
            },
        }
    }
    Ok(samples)
}

/// The next frame followed by a similar one, within 64 KB.
fn find(
    source: &mut Source,
    from: u64,
    like: Option<Frame>,
) -> Result<Option<(u64, Frame)>, String> {
    let end = source.size().min(from.saturating_add(64 << 10));
    for at in from..end {
        let Some(found) = frame(source.up_to(at, 7)?) else {
            continue;
        };
        let next = at + found.bytes;
        let follows = next == source.size()
            || frame(source.up_to(next, 7)?).is_some_and(|frame| frame.is_like(found));
        if follows && like.is_none_or(|like| like.is_like(found)) {
            return Ok(Some((at, found)));
        }
    }
    Ok(None)
}

/// What a header in the first frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Said {
    frames: Option<u64>,
    bytes: Option<u64>,
    /// Samples that the encoder added at both ends, and at the start the delay of decoders.
    cut: u64,
    cut_at_start: u64,
}

/// The header in a first frame without sound.
fn header(source: &mut Source, at: u64, first: Frame) -> Result<Option<Said>, String> {
    if first.is_aac {
        return Ok(None);
    }
    let vbri = source.up_to(at + 36, 18)?;
    if vbri.starts_with(b"VBRI") && vbri.len() == 18 {
        return Ok(Some(Said {
            frames: Some(be(vbri, 14, 4)),
            bytes: Some(be(vbri, 10, 4)),
            ..Said::default()
        }));
    }
    let xing = source.up_to(at + first.side, 8 + 4 + 4 + 100 + 4 + 24)?;
    if !xing.starts_with(b"Xing") && !xing.starts_with(b"Info") {
        return Ok(None);
    }
    let flags = be(xing, 4, 4);
    let mut said = Said::default();
    let mut place = 8;
    if flags & 1 != 0 {
        said.frames = Some(be(xing, place, 4));
        place += 4;
    }
    if flags & 2 != 0 {
        said.bytes = Some(be(xing, place, 4));
        place += 4;
    }
    place += if flags & 4 != 0 { 100 } else { 0 } + if flags & 8 != 0 { 4 } else { 0 };
    // After the encoder's name, 12 bits each: samples added at the start and at the end.
    let added = be(xing, place + 21, 3);
    if xing.get(place).is_some_and(|b| b.is_ascii_alphanumeric()) {
        said.cut = (added >> 12) + (added & 0xfff);
        said.cut_at_start = (added >> 12) + 529;
    }
    Ok(Some(said))
}
