//! The records of a WARC file, one after another. What is damaged costs itself: the next record is
//! found by its first bytes.

use super::gzip_member::Members;
use super::head::{Head, MAX_HEAD};
use super::plain_records;
use super::unit::{Limit, MARK, Unit};
use super::window::Window;
use super::zstd_unit::Frames;
use crate::data::input::file::{Compression, InputFile};
use std::io;
use std::ops::Range;

/// How much of what is damaged or too large is kept.
const KEPT: usize = 64 << 10;
/// How far before the id of a record its unit is searched.
const BACK: u64 = 1 << 20;

/// Why there is no record.
pub(super) struct Fault(pub(super) String);

impl Fault {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// A record, or what stands in its place. Its bytes are in [`Records::bytes`].
pub(super) struct Item {
    /// Its place in row ids: the position of its unit in the file, plus its number within that.
    pub(super) offset: u64,
    /// Header and content.
    pub(super) range: Range<usize>,
    /// It is damaged.
    pub(super) fault: Option<Fault>,
    /// It is larger than the limit, with this many bytes; `range` has its beginning.
    pub(super) size: Option<u64>,
}

/// Reads the records whose place is in a range of a file.
pub(super) struct Records {
    file: Window,
    how: How,
    /// Records at places before and after these are passed over.
    start: u64,
    end: u64,
    /// The position of the next unit.
    next: u64,
    limit: usize,
    unit: Unit,
    within: Option<Within>,
}

enum How {
    Plain,
    Gzip(Members),
    Zstd(Frames),
}

/// The place in a unit that is being read.
struct Within {
    /// Its position.
    at: u64,
    /// Bytes and records so far.
    done: usize,
    records: u64,
}

impl Records {
    /// Those in `start..end` of the file. Of larger records than `limit` bytes only the beginning is
    /// kept.
    pub(super) fn open(
        input: &InputFile,
        start: u64,
        end: u64,
        limit: usize,
        zstd_window: u64,
    ) -> io::Result<Self> {
        let mut file = Window::open(input)?;
        let how = match input.compression {
            Compression::Gzip => How::Gzip(Members::new()),
            Compression::Zstd => How::Zstd(Frames::new(&mut file, zstd_window)?),
            _ => How::Plain,
        };
        let mut records = Self {
            file,
            how,
            start,
            end,
            next: start,
            limit,
            unit: Unit::default(),
            within: None,
        };
        records.next = records.unit_of(start)?;
        Ok(records)
    }

    /// Goes on at another place.
    pub(super) fn seek(&mut self, start: u64, end: u64) -> io::Result<()> {
        (self.start, self.end, self.within) = (start, end, None);
        self.next = self.unit_of(start)?;
        Ok(())
    }

    /// Header and content of the last item.
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.unit.bytes[range]
    }

    /// The position up to which the file has been read.
    pub(super) fn position(&self) -> u64 {
        self.next.min(self.end)
    }

    /// Size of the file when it was opened.
    pub(super) fn size(&self) -> u64 {
        self.file.size
    }

    /// The next record; None after the last one.
    pub(super) fn next(&mut self) -> io::Result<Option<Item>> {
        loop {
            let item = match self.within {
                Some(_) => self.next_within(),
                None if self.next >= self.end || self.next >= self.file.size => return Ok(None),
                None => self.next_unit()?,
            };
            if let Some(item) = item
                && (self.start..self.end).contains(&item.offset)
            {
                return Ok(Some(item));
            }
        }
    }

    /// Opens the next unit. The item is what cannot be unpacked, or the record of a plain file.
    fn next_unit(&mut self) -> io::Result<Option<Item>> {
        let at = self.next;
        let reused = std::mem::take(&mut self.unit.bytes);
        let limit = Limit::of_records(self.limit + MAX_HEAD);
        let unit = match &mut self.how {
            How::Plain => return self.next_plain(reused),
            How::Gzip(members) => members.unpack(&mut self.file, at, limit, reused)?,
            How::Zstd(frames) => frames.unpack(&mut self.file, at, limit, reused)?,
        };
        let Some(unit) = unit else {
            return self.no_unit(at);
        };
        self.next = match unit.end {
            Some(end) if unit.fault.is_none() || self.is_record(end)? => end,
            _ => self.search(at + 1)?,
        };
        self.unit = unit;
        self.within = Some(Within {
            at,
            done: 0,
            records: 0,
        });
        Ok(None)
    }

    /// What is between two units: zeros are nothing, as on tapes.
    fn no_unit(&mut self, at: u64) -> io::Result<Option<Item>> {
        self.next = self.search(at)?;
        let bytes = (self.next - at).min(KEPT as u64);
        self.unit = Unit::default();
        self.file.copy(at, at + bytes, &mut self.unit.bytes)?;
        if self.unit.bytes.iter().all(|byte| *byte == 0) && bytes == self.next - at {
            return Ok(None);
        }
        Ok(Some(Item {
            offset: at,
            range: 0..self.unit.bytes.len(),
            fault: Some(Fault::new(format!(
                "{} bytes here are not packed as the rest of the file is",
                self.next - at
            ))),
            size: None,
        }))
    }

    fn search(&mut self, at: u64) -> io::Result<u64> {
        match &mut self.how {
            How::Plain => Ok(at),
            How::Gzip(members) => members.search(&mut self.file, at),
            How::Zstd(frames) => frames.search(&mut self.file, at),
        }
    }

    fn next_plain(&mut self, mut bytes: Vec<u8>) -> io::Result<Option<Item>> {
        bytes.clear();
        let Some(found) = plain_records::record(&mut self.file, self.next)? else {
            self.next = self.file.size;
            return Ok(None);
        };
        self.next = found.next;
        let (end, fault) = match found.content {
            Ok((_, end)) => (end, None),
            Err(fault) => (found.next, Some(fault)),
        };
        let size = end - found.at;
        let is_large = fault.is_none() && size > (self.limit + MAX_HEAD) as u64;
        let kept = match is_large || fault.is_some() {
            true => size.min(MAX_HEAD as u64),
            false => size,
        };
        self.file.copy(found.at, found.at + kept, &mut bytes)?;
        self.unit.bytes = bytes;
        Ok(Some(Item {
            offset: found.at,
            range: 0..kept as usize,
            fault,
            size: is_large.then_some(size),
        }))
    }

    /// The next record of the unit; None at its end.
    fn next_within(&mut self) -> Option<Item> {
        let within = self.within.as_mut()?;
        let bytes = &self.unit.bytes;
        let blank = bytes[within.done..]
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'));
        let at = within.done + blank.count();
        let rest = &bytes[at..];
        let offset = within.at + within.records;
        let item = |range: Range<usize>, fault: Option<String>, size| Item {
            offset,
            range,
            fault: fault.map(Fault),
            size,
        };
        if rest.is_empty() {
            let is_first = within.records == 0;
            self.within = None;
            let fault = self.unit.fault.take().filter(|_| is_first);
            let missing = || {
                let all = self.unit.more_than.take()?;
                let limit = self.limit;
                Some(format!(
                    "what comes here has {all} bytes unpacked, of which {limit} are accepted"
                ))
            };
            return fault
                .or_else(missing)
                .map(|fault| item(at..at, Some(fault), None));
        }
        if within.records > 0 && self.unit.end.is_some_and(|end| offset >= end) {
            // Row ids of records are between those of their units.
            self.within = None;
            let fault = "so small a part of the file holds no more records".to_owned();
            return Some(item(at..at + rest.len().min(KEPT), Some(fault), None));
        }
        within.records += 1;
        let parsed = record(rest, self.unit.more_than.map(|all| all - at as u64));
        let (length, next, fault) = match parsed {
            Parsed::Whole(length) => (length, length, None),
            Parsed::Large(size) => {
                self.unit.more_than = None;
                within.done = bytes.len();
                let fault = self.unit.fault.take();
                return Some(item(at..at + rest.len().min(MAX_HEAD), fault, Some(size)));
            }
            Parsed::Fault(reason) => {
                let next = search(rest).unwrap_or_else(|| {
                    self.unit.more_than = None;
                    rest.len()
                });
                (next.min(KEPT), next, Some(reason))
            }
        };
        within.done = at + next;
        // What is damaged may be any part of what was unpacked.
        let fault = self.unit.fault.clone().or(fault);
        Some(item(at..at + length, fault, None))
    }

    /// The unit that has the record at this place.
    fn unit_of(&mut self, place: u64) -> io::Result<u64> {
        if place == 0 || matches!(self.how, How::Plain) || self.is_record(place)? {
            return Ok(place);
        }
        let mut at = place;
        while at > 0 && place - at < BACK {
            at -= 1;
            if self.is_record(at)? {
                return Ok(at);
            }
        }
        Ok(place)
    }

    fn is_record(&mut self, at: u64) -> io::Result<bool> {
        match &mut self.how {
            How::Plain => Ok(true),
            How::Gzip(members) => members.is_record(&mut self.file, at),
            How::Zstd(frames) => frames.is_record(&mut self.file, at),
        }
    }
}

enum Parsed {
    /// Bytes of header and content.
    Whole(usize),
    /// It has this many bytes, more than were unpacked.
    Large(u64),
    Fault(String),
}

/// The record at the start of `bytes`. `all` is how many bytes there were, if `bytes` are not all.
fn record(bytes: &[u8], all: Option<u64>) -> Parsed {
    if !bytes.starts_with(MARK) {
        return Parsed::Fault("these bytes are no record".to_owned());
    }
    let Some(head) = Head::parse(&bytes[..bytes.len().min(MAX_HEAD)]) else {
        return Parsed::Fault(match bytes.len() < MAX_HEAD && all.is_none() {
            true => "its header ends in the middle".to_owned(),
            false => format!("its header has more than {} KB", MAX_HEAD >> 10),
        });
    };
    let length = match content_length(&head) {
        Ok(length) => length,
        Err(reason) => return Parsed::Fault(reason),
    };
    let end = (head.len as u64).saturating_add(length);
    if end > bytes.len() as u64 {
        return match all {
            Some(all) if end <= all => Parsed::Large(end),
            _ => Parsed::Fault(format!(
                "it is cut: its Content-Length is {length}, and {} bytes are there",
                all.unwrap_or(bytes.len() as u64)
                    .saturating_sub(head.len as u64)
            )),
        };
    }
    let end = end as usize;
    let after = &bytes[end..];
    let blank = after.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
    let blank = blank.count();
    let follows = &after[blank..];
    let is_record = MARK.starts_with(&follows[..follows.len().min(MARK.len())]);
    // What comes after the end that the standard demands is not this record's fault.
    if follows.is_empty() || (blank > 0 && is_record) || after.starts_with(b"\r\n\r\n") {
        return Parsed::Whole(end);
    }
    Parsed::Fault(format!(
        "its Content-Length of {length} is wrong: what follows is no record"
    ))
}

/// Where the next line begins that looks like the first of a record.
fn search(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(bytes, b"\nWARC/")
        .map(|found| found + 1)
        .find(|at| {
            let version = &bytes[at + MARK.len()..];
            matches!(version, [b'0'..=b'9', b'.', b'0'..=b'9', ..])
        })
}

/// The length that a record's header gives.
pub(super) fn content_length(head: &Head<'_>) -> Result<u64, String> {
    let Some(text) = head.text("Content-Length") else {
        return Err("its header has no Content-Length".to_owned());
    };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(length) if digits => Ok(length),
        _ => Err(format!(
            "its Content-Length `{}` is no number",
            crate::sanitize::printable(text.chars().take(40).collect::<String>().as_str())
        )),
    }
}

/// The records that follow each other at the start of `bytes`, without damage.
pub(super) fn whole_records(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let blank = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
        bytes = &bytes[blank.count()..];
        match record(bytes, None) {
            Parsed::Whole(length) => {
                let (one, rest) = bytes.split_at(length);
                bytes = rest;
                Some(one)
            }
            _ => None,
        }
    })
}
