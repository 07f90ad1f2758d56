//! Reads frames of a zstd file: what their headers say, and their content.
//!
//! The headers are parsed by hand because zstd's error for a window above the limit does not say
//! which limit would do, and the user's next step is to set it.

use super::file::Compression;
use super::packing::packing;
use super::source::Source;
use std::fmt;
use std::io::{self, BufRead, Read};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

/// Longest frame header, including the magic number.
const HEADER: usize = 18;

/// Why a frame cannot be unpacked although it is intact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It needs a window of this many bytes.
    Window { needs: u64, allowed: u64 },
    /// It was packed with this dictionary.
    Dictionary(u32),
}

impl Unfit {
    /// What the user can do about it.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Window { needs, .. } if *needs <= 2 << 30 => {
                let mb = needs.div_ceil(1 << 20);
                format!(
                    "set `zstd_window_mb: {mb}`, or `--zstd_window_mb {mb}`: while such a file is unpacked, it takes that much memory"
                )
            }
            Self::Window { .. } => {
                "pack it again with `--long=31` or less: zstd itself unpacks no larger windows"
                    .to_owned()
            }
            Self::Dictionary(_) => "unpack it first: `zstd -d -D DICTIONARY FILE`".to_owned(),
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Window { needs, allowed } => {
                let (needs, allowed) = (needs.div_ceil(1 << 20), allowed >> 20);
                write!(
                    f,
                    "was packed with a window of {needs} MB (`zstd --long`), `zstd_window_mb` allows {allowed} MB"
                )
            }
            Self::Dictionary(id) => write!(
                f,
                "was packed with a dictionary (number {id}), which djhost does not have"
            ),
        }
    }
}

/// Whether the first data frame in `head` can be unpacked with a window of `allowed` bytes.
pub(crate) fn check(mut head: &[u8], allowed: u64) -> Result<(), Unfit> {
    while let [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, rest @ ..] = head {
        let size = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
        head = rest.get(size..).unwrap_or_default();
    }
    let [0x28, 0xb5, 0x2f, 0xfd, flags, rest @ ..] = head else {
        return Ok(());
    };
    let is_single = flags & 0x20 != 0;
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte))
    };
    let window_bytes = usize::from(!is_single);
    let dictionary_bytes = [0, 1, 2, 4][usize::from(flags & 3)];
    let size_bytes = match flags >> 6 {
        0 => usize::from(is_single),
        code => 1 << code,
    };
    let dictionary = number(
        rest.get(window_bytes..window_bytes + dictionary_bytes)
            .unwrap_or_default(),
    );
    let needs = match (is_single, rest.first()) {
        (false, Some(window)) => {
            let base = 1u64 << (10 + (window >> 3));
            base + (base >> 3) * u64::from(window & 7)
        }
        // A single segment: the window is the content.
        _ => {
            let from = window_bytes + dictionary_bytes;
            number(rest.get(from..from + size_bytes).unwrap_or_default())
                + if size_bytes == 2 { 256 } else { 0 }
        }
    };
    if dictionary != 0 {
        Err(Unfit::Dictionary(dictionary as u32))
    } else if needs > allowed {
        Err(Unfit::Window { needs, allowed })
    } else {
        Ok(())
    }
}

/// Unpacks frames, including skippable ones, up to other data or the end of the file.
pub(crate) struct Frames {
    source: Source,
    decoder: Decoder<'static>,
    allowed: u64,
    /// Before a frame, or after the last one.
    between: bool,
}

impl Frames {
    pub(crate) fn new(source: Source, allowed: u64) -> io::Result<Self> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(
            allowed.next_power_of_two().ilog2().clamp(10, 31),
        ))?;
        Ok(Self {
            source,
            decoder,
            allowed,
            between: true,
        })
    }

    pub(crate) fn into_source(self) -> Source {
        self.source
    }
}

impl Read for Frames {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        loop {
            if self.between {
                let head = self.source.peek(HEADER)?;
                if packing(head) != Compression::Zstd {
                    return Ok(0);
                }
                // Nothing is wrong with the data.
                check(head, self.allowed).map_err(|unfit| {
                    let message = format!("a further part of it {unfit}: {}", unfit.hint());
                    io::Error::new(io::ErrorKind::Unsupported, message)
                })?;
                self.decoder.reinit()?;
                self.between = false;
            }
            let ready = self.source.fill_buf()?;
            let is_end = ready.is_empty();
            let (mut from, mut to) = (InBuffer::around(ready), OutBuffer::around(&mut bytes[..]));
            let left = self.decoder.run(&mut from, &mut to)?;
            let (taken, made) = (from.pos(), to.pos());
            self.source.consume(taken);
            self.between = left == 0;
            if made > 0 {
                return Ok(made);
            }
            if is_end && !self.between {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the last frame is not whole",
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_say_what_a_frame_needs() {
        let allowed = 128 << 20;
        let frame = |flags: u8, rest: &[u8]| [&[0x28, 0xb5, 0x2f, 0xfd, flags], rest].concat();
        // `zstd --long=31`: 2 GiB; `--long=27`: 128 MiB.
        assert_eq!(
            check(&frame(0x04, &[21 << 3]), allowed),
            Err(Unfit::Window {
                needs: 2 << 30,
                allowed
            })
        );
        assert_eq!(check(&frame(0x04, &[17 << 3]), allowed), Ok(()));
        assert_eq!(
            check(&frame(0x04, &[(17 << 3) | 1]), allowed),
            Err(Unfit::Window {
                needs: 144 << 20,
                allowed
            })
        );
        // A single segment, with sizes of 1, 2, 4 and 8 bytes.
        assert_eq!(
            check(&frame(0x20, &[255]), 200),
            Err(Unfit::Window {
                needs: 255,
                allowed: 200
            })
        );
        assert_eq!(
            check(&frame(0x60, &[1, 0]), 256),
            Err(Unfit::Window {
                needs: 257,
                allowed: 256
            })
        );
        assert_eq!(check(&frame(0xa0, &[0, 0, 0, 8]), allowed), Ok(()));
        assert_eq!(
            check(&frame(0xe0, &[0, 0, 0, 0, 1, 0, 0, 0]), allowed),
            Err(Unfit::Window {
                needs: 1 << 32,
                allowed
            })
        );
        assert_eq!(
            check(&frame(0x23, &[7, 0, 0, 0, 9]), allowed),
            Err(Unfit::Dictionary(7))
        );
        // After skippable frames, as `pzstd` writes them.
        let skipped = [
            &[0x5a, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4][..],
            &frame(0x04, &[21 << 3]),
        ]
        .concat();
        assert!(check(&skipped, allowed).is_err());
        for cut in 0..skipped.len() {
            let _ = check(&skipped[..cut], allowed);
        }
    }
}
