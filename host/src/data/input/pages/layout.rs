//! Recognises packed WARC files, and whether their records are packed one by one.

use super::gzip_member::Members;
use super::unit::{Limit, MARK};
use super::window::Window;
use super::zstd_frame::{Frame, frame};
use super::zstd_unit::Frames;
use crate::data::input::file::Compression;
use crate::data::input::handle::FileAt;
use std::io;

/// The first unit may have so many bytes: most files begin with a record of a few hundred.
const FIRST: Limit = Limit {
    kept: 16 << 20,
    beyond: 0,
};

/// How a packed file with records is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Each record is a gzip member or a zstd frame of its own.
    ByRecord,
    /// Otherwise.
    AsAWhole,
}

/// How the records of the file are packed; None if it does not begin with a record. If
/// `is_named` as a file of records, some of its beginning may be damaged.
pub(crate) fn layout(
    at: FileAt<'_>,
    is_named: bool,
    compression: Compression,
    zstd_window: u64,
) -> io::Result<Option<Layout>> {
    let mut file = Window::open(at)?;
    let (unit, next) = match compression {
        Compression::Gzip => {
            let mut members = Members::new();
            if !members.is_record(&mut file, 0)? {
                let is_later = is_named && members.search(&mut file, 1)? < file.size;
                return Ok(is_later.then_some(Layout::ByRecord));
            }
            let Some(unit) = members.unpack(&mut file, 0, FIRST, Vec::new())? else {
                return Ok(None);
            };
            let next = match unit.end {
                Some(end) => end,
                None => members.search(&mut file, 1)?,
            };
            (unit, next)
        }
        Compression::Zstd => {
            let mut at = 0;
            // A dictionary, or other bytes to be skipped.
            while let Frame::Skippable(end) = frame(&mut file, at)? {
                at = end;
            }
            let mut frames = Frames::new(&mut file, zstd_window)?;
            if !frames.is_record(&mut file, at)? {
                let is_later = is_named && frames.search(&mut file, at + 1)? < file.size;
                return Ok(is_later.then_some(Layout::ByRecord));
            }
            let Some(unit) = frames.unpack(&mut file, at, FIRST, Vec::new())? else {
                return Ok(None);
            };
            let next = match unit.end {
                Some(end) => end,
                None => frames.search(&mut file, at + 1)?,
            };
            (unit, next)
        }
        _ => return Ok(None),
    };
    if !unit.bytes.starts_with(MARK) {
        return Ok(None);
    }
    // One that is damaged says nothing; then another one decides.
    let is_one = match unit.fault {
        Some(_) => next < file.size,
        None => unit.more_than.is_none() && records_in(&unit.bytes) == 1,
    };
    Ok(Some(match is_one {
        true => Layout::ByRecord,
        false => Layout::AsAWhole,
    }))
}

/// Number of records that follow each other at the start of `bytes`, up to two.
fn records_in(bytes: &[u8]) -> usize {
    super::records::whole_records(bytes).take(2).count()
}
