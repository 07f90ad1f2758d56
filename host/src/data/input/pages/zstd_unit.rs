//! Unpacks single frames of a zstd file, with the dictionary that a WARC file may begin with.

use super::unit::{Limit, MARK, Unit};
use super::window::Window;
use super::zstd_frame::{Frame, MAGIC, frame};
use crate::data::input::zstd_frames::{Unfit, check};
use memchr::memmem;
use std::io::{self, Read};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

/// The skippable frame with the dictionary of all frames after it.
const DICTIONARY: &[u8] = &[0x5d, 0x2a, 0x4d, 0x18];
/// Largest dictionary that is accepted, unpacked.
const MAX_DICTIONARY: u64 = 32 << 20;

/// Unpacks frames; keeps the decoder between them.
pub(super) struct Frames {
    decoder: Decoder<'static>,
    has_dictionary: bool,
    /// Largest window that is accepted.
    allowed: u64,
}

impl Frames {
    /// For a file whose frames may need a window of `allowed` bytes. Reads the dictionary that it
    /// begins with, if it does.
    pub(super) fn new(file: &mut Window, allowed: u64) -> io::Result<Self> {
        let dictionary = dictionary(file)?;
        let mut decoder = Decoder::with_dictionary(dictionary.as_deref().unwrap_or_default())?;
        let log = allowed.next_power_of_two().ilog2().clamp(10, 31);
        decoder.set_parameter(DParameter::WindowLogMax(log))?;
        Ok(Self {
            decoder,
            has_dictionary: dictionary.is_some(),
            allowed,
        })
    }

    /// Unpacks the frame at `at` into a buffer that is `reused`, as far as `limit` allows. None
    /// if there is none.
    pub(super) fn unpack(
        &mut self,
        file: &mut Window,
        at: u64,
        limit: Limit,
        reused: Vec<u8>,
    ) -> io::Result<Option<Unit>> {
        let mut unit = Unit {
            bytes: reused,
            ..Unit::default()
        };
        unit.bytes.clear();
        let found = frame(file, at)?;
        let end = match found {
            Frame::Data(end) => end,
            Frame::Skippable(end) => {
                unit.end = Some(end);
                return Ok(Some(unit));
            }
            Frame::Cut | Frame::Other if file.at(at, 4)?.starts_with(MAGIC) => file.size,
            Frame::Cut | Frame::End | Frame::Other => return Ok(None),
        };
        // Where the blocks do not lead to an end, there is none.
        let known = matches!(found, Frame::Data(_)).then_some(end);
        match check(file.at(at, 18)?, self.allowed) {
            Err(Unfit::Dictionary(_)) if self.has_dictionary => {}
            Err(unfit) => {
                unit.fault = Some(format!("its frame {unfit}"));
                unit.end = known;
                return Ok(Some(unit));
            }
            Ok(()) => {}
        }
        self.decoder.reinit()?;
        let (mut from, mut all, mut piece) = (at, 0u64, vec![0; 64 << 10]);
        let whole = loop {
            let ready = file.at(from, 1)?;
            let ready = &ready[..ready.len().min((end - from) as usize)];
            let is_end = ready.is_empty();
            let (mut input, mut out) = (InBuffer::around(ready), OutBuffer::around(&mut piece[..]));
            let left = match self.decoder.run(&mut input, &mut out) {
                Ok(left) => left,
                Err(_) => break false,
            };
            let (taken, made) = (input.pos(), out.pos());
            from += taken as u64;
            all += made as u64;
            let kept = made.min(limit.kept.saturating_sub(unit.bytes.len()));
            unit.bytes.extend_from_slice(&piece[..kept]);
            if left == 0 {
                break true;
            }
            if is_end && made == 0 {
                break false;
            }
            // The end is known: what is too large need not be unpacked.
            if all > limit.kept as u64 + limit.beyond {
                break true;
            }
        };
        if !whole {
            unit.fault = Some(match from >= file.size {
                true => "its zstd frame ends in the middle: the file was cut".to_owned(),
                false => "its zstd data are damaged".to_owned(),
            });
        }
        unit.more_than = (all > unit.bytes.len() as u64).then_some(all);
        // The sizes of its blocks may be what is damaged.
        unit.end = known.filter(|_| unit.fault.is_none());
        Ok(Some(unit))
    }

    /// The next frame with a record at or after `at`; the size of the file if there is none.
    pub(super) fn search(&mut self, file: &mut Window, mut at: u64) -> io::Result<u64> {
        let (magic, size) = (memmem::Finder::new(MAGIC), file.size);
        loop {
            let ready = file.at(at, 128 << 10)?;
            match magic.find(ready) {
                Some(found) => {
                    at += found as u64;
                    if matches!(frame(file, at)?, Frame::Data(_)) && self.is_record(file, at)? {
                        return Ok(at);
                    }
                    at += 1;
                }
                None if at + ready.len() as u64 >= size => return Ok(size),
                None => at += (ready.len() - MAGIC.len() + 1) as u64,
            }
        }
    }

    /// Whether the frame at `at` begins with a record.
    pub(super) fn is_record(&mut self, file: &mut Window, at: u64) -> io::Result<bool> {
        self.decoder.reinit()?;
        let (mut from, mut first, mut known) = (at, [0; MARK.len()], 0);
        while known < MARK.len() {
            let ready = file.at(from, 1)?;
            let is_end = ready.is_empty();
            let mut input = InBuffer::around(ready);
            let mut out = OutBuffer::around(&mut first[known..]);
            if self.decoder.run(&mut input, &mut out).is_err() {
                return Ok(false);
            }
            let (taken, made) = (input.pos(), out.pos());
            if is_end && made == 0 {
                return Ok(false);
            }
            from += taken as u64;
            known += made;
        }
        Ok(first == MARK)
    }
}

/// The dictionary that the file begins with: as it is, or packed itself.
fn dictionary(file: &mut Window) -> io::Result<Option<Vec<u8>>> {
    if !file.at(0, 8)?.starts_with(DICTIONARY) {
        return Ok(None);
    }
    let Frame::Skippable(end) = frame(file, 0)? else {
        return Ok(None);
    };
    if end > MAX_DICTIONARY {
        return Ok(None);
    }
    let mut stored = Vec::new();
    file.copy(8, end, &mut stored)?;
    if !stored.starts_with(MAGIC) {
        return Ok(Some(stored));
    }
    let mut unpacked = Vec::new();
    let packed = zstd::Decoder::new(&stored[..])?;
    let read = packed.take(MAX_DICTIONARY).read_to_end(&mut unpacked);
    Ok(read.is_ok().then_some(unpacked))
}
