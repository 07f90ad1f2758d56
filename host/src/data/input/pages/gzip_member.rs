//! Unpacks single gzip members, and finds where they begin.
//!
//! By hand, around `flate2`'s inflate: its readers say neither where a member ends nor go on at
//! another position, and make a decoder with a window for each member.

use super::unit::{Limit, MARK, Unit};
use super::window::Window;
use flate2::{Crc, Decompress, FlushDecompress, Status};
use memchr::memmem;
use std::io;

/// Magic number and method of a member.
const MAGIC: &[u8] = &[0x1f, 0x8b, 8];
/// Most bytes of a member's header that are accepted.
const MAX_HEADER: usize = 64 << 10;
/// The reach of a stored block: its header, and its content.
const STORED: u64 = 4 + 0xffff;

/// Unpacks members; keeps the decoder between them.
pub(super) struct Members {
    inflate: Decompress,
    spare: Vec<u8>,
}

impl Members {
    pub(super) fn new() -> Self {
        Self {
            inflate: Decompress::new(false),
            spare: Vec::new(),
        }
    }

    /// Unpacks the member at `at` into a buffer that is `reused`, as far as `limit` allows. None
    /// if there is none.
    pub(super) fn unpack(
        &mut self,
        file: &mut Window,
        at: u64,
        limit: Limit,
        reused: Vec<u8>,
    ) -> io::Result<Option<Unit>> {
        let Some(header) = header_length(file.at(at, MAX_HEADER)?) else {
            return Ok(None);
        };
        let mut unit = Unit {
            bytes: reused,
            ..Unit::default()
        };
        unit.bytes.clear();
        self.inflate.reset(false);
        let (mut from, mut crc, mut beyond) = (at + header as u64, Crc::new(), 0u64);
        loop {
            let ready = file.at(from, 1)?;
            if ready.is_empty() {
                unit.fault = Some("its gzip member ends in the middle: the file was cut".into());
                return Ok(Some(unit));
            }
            let keeps = unit.bytes.len() < limit.kept;
            let out = if keeps {
                &mut unit.bytes
            } else {
                self.spare.clear();
                &mut self.spare
            };
            let known = out.len();
            // Of most records all is there after two calls.
            let room = (ready.len() * 4).max(out.len()).clamp(16 << 10, 1 << 20);
            out.reserve(if keeps {
                room.min(limit.kept - known)
            } else {
                room
            });
            let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self
                .inflate
                .decompress_vec(ready, out, FlushDecompress::None);
            crc.update(&out[known..]);
            let taken = self.inflate.total_in() - before_in;
            let made = self.inflate.total_out() - before_out;
            from += taken;
            beyond += if keeps { 0 } else { made };
            match status {
                Ok(Status::StreamEnd) => break,
                Ok(_) if taken > 0 || made > 0 => {}
                Ok(_) | Err(_) => {
                    unit.fault = Some("its gzip data are damaged".into());
                    return Ok(Some(unit));
                }
            }
            if beyond > limit.beyond {
                unit.more_than = Some(self.inflate.total_out());
                return Ok(Some(unit));
            }
        }
        let Some(&[a, b, c, d, e, f, g, h]) = file.at(from, 8)?.first_chunk::<8>() else {
            unit.fault = Some("its gzip member ends in the middle: the file was cut".into());
            return Ok(Some(unit));
        };
        let all = self.inflate.total_out();
        if u32::from_le_bytes([a, b, c, d]) != crc.sum()
            || u32::from_le_bytes([e, f, g, h]) != all as u32
        {
            unit.fault = Some("the checksum of its gzip member does not fit its content".into());
        }
        unit.more_than = (beyond > 0).then_some(all);
        unit.end = Some(from + 8);
        Ok(Some(unit))
    }

    /// Whether a member with a record begins at `at`.
    pub(super) fn is_record(&mut self, file: &mut Window, at: u64) -> io::Result<bool> {
        let ready = file.at(at, MAX_HEADER)?;
        let Some(header) = header_length(ready) else {
            return Ok(false);
        };
        self.inflate.reset(false);
        let mut first = [0; MARK.len()];
        // A block's header and codes come first: 64 KB are more than they can take.
        let status = self
            .inflate
            .decompress(&ready[header..], &mut first, FlushDecompress::None);
        Ok(status.is_ok() && first == MARK)
    }

    /// The next member with a record at or after `at`; the size of the file if there is none.
    pub(super) fn search(&mut self, file: &mut Window, mut at: u64) -> io::Result<u64> {
        let (magic, size) = (memmem::Finder::new(MAGIC), file.size);
        loop {
            let ready = file.at(at, 128 << 10)?;
            match magic.find(ready) {
                Some(found) => {
                    at += found as u64;
                    if self.is_record(file, at)? {
                        return Ok(at);
                    }
                    at += 1;
                }
                None if at + ready.len() as u64 >= size => return Ok(size),
                None => at += (ready.len() - MAGIC.len() + 1) as u64,
            }
        }
    }

    /// A member with a record at or after `at` at which the file can be cut: it is certainly not
    /// within another member; the size of the file if there is none.
    ///
    /// Deflate keeps bytes as they are only in stored blocks. These have their length in front, and
    /// its complement. So a payload that is a WARC file itself can have what looks like members, but
    /// each is in reach of the header of a stored block. Where one might be, this member is not used:
    /// one in eight by chance. Then no cut needs more than a few members to be looked at, where
    /// inflating all of the file to know their starts would double the cost of reading it.
    pub(super) fn cut(&mut self, file: &mut Window, at: u64) -> io::Result<u64> {
        let mut at = at;
        loop {
            at = self.search(file, at)?;
            if at == 0 || at >= file.size || !may_be_stored(file, at)? {
                return Ok(at);
            }
            at += 1;
        }
    }
}

/// Whether a stored block may reach over `at`.
fn may_be_stored(file: &mut Window, at: u64) -> io::Result<bool> {
    let from = at.saturating_sub(STORED);
    let before = file.at(from, (at - from) as usize + 4)?;
    let until = (at - from) as usize;
    // The byte before the length ends in zeros: the type of the block, or what fills the byte.
    let is_header = |h: usize| {
        let length = u16::from_le_bytes([before[h], before[h + 1]]);
        let check = u16::from_le_bytes([before[h + 2], before[h + 3]]);
        length == !check
            && h + 4 + usize::from(length) > until
            && (h == 0 || before[h - 1] & 0xc0 == 0)
    };
    Ok((0..until.min(before.len().saturating_sub(3))).any(is_header))
}

/// The length of a member's header; None if none begins here.
fn header_length(bytes: &[u8]) -> Option<usize> {
    let flags = *bytes.get(3)?;
    if !bytes.starts_with(MAGIC) || flags & 0xe0 != 0 {
        return None;
    }
    let mut at = 10;
    if flags & 4 != 0 {
        let extra = bytes.get(at..at + 2)?;
        at += 2 + usize::from(u16::from_le_bytes([extra[0], extra[1]]));
    }
    // Name and comment, each up to a zero.
    for flag in [8, 16] {
        if flags & flag != 0 {
            at += memchr::memchr(0, bytes.get(at..)?)? + 1;
        }
    }
    at += if flags & 2 != 0 { 2 } else { 0 };
    (at <= bytes.len()).then_some(at)
}
