//! The records of a WARC file that is not packed, one after another.

use super::head::{Head, MAX_HEAD};
use super::records::{Fault, content_length};
use super::unit::MARK;
use super::window::Window;
use memchr::memmem;
use std::io;

/// What is at a position of a plain file.
pub(super) struct Found {
    /// Where it begins: after blank lines.
    pub(super) at: u64,
    /// Where the content of a record begins and ends; or why there is none.
    pub(super) content: Result<(u64, u64), Fault>,
    /// Where the next record begins, or the file ends.
    pub(super) next: u64,
}

/// The record at or after `at`, which is the start of a record or the end of one; None at the end of
/// the file.
pub(super) fn record(file: &mut Window, at: u64) -> io::Result<Option<Found>> {
    let at = skip_blank(file, at)?;
    if at >= file.size {
        return Ok(None);
    }
    let size = file.size;
    let fault = |file: &mut Window, reason: String| -> io::Result<Option<Found>> {
        let next = search(file, at + 1)?;
        Ok(Some(Found {
            at,
            content: Err(Fault::new(reason)),
            next,
        }))
    };
    if !file.at(at, MARK.len())?.starts_with(MARK) {
        return fault(file, "these bytes are no record".to_owned());
    }
    let mut bytes = file.at(at, 4096)?;
    let mut head = Head::parse(bytes);
    if head.is_none() {
        bytes = file.at(at, MAX_HEAD)?;
        head = Head::parse(&bytes[..bytes.len().min(MAX_HEAD)]);
    }
    let Some(head) = head else {
        let reason = match size - at < MAX_HEAD as u64 {
            true => "its header ends in the middle: the file was cut".to_owned(),
            false => format!("its header has more than {} KB", MAX_HEAD >> 10),
        };
        return fault(file, reason);
    };
    let from = at + head.len as u64;
    let length = match content_length(&head) {
        Ok(length) => length,
        Err(reason) => return fault(file, reason),
    };
    let to = from.saturating_add(length);
    if to > size {
        return fault(
            file,
            format!(
                "it is cut: its Content-Length is {length}, and the file has {} more bytes",
                size - from
            ),
        );
    }
    let next = skip_blank(file, to)?;
    let follows = file.at(next, MARK.len())?;
    let is_end = follows.is_empty() || (follows.starts_with(MARK) && next > to);
    // What comes after the end that the standard demands is not this record's fault.
    if !is_end && !file.at(to, 4)?.starts_with(b"\r\n\r\n") {
        return fault(
            file,
            format!("its Content-Length of {length} is wrong: what follows is no record"),
        );
    }
    Ok(Some(Found {
        at,
        content: Ok((from, to)),
        next,
    }))
}

/// The position after line ends.
fn skip_blank(file: &mut Window, mut at: u64) -> io::Result<u64> {
    loop {
        let ready = file.at(at, 64)?;
        let blank = ready.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
        let blank = blank.count();
        at += blank as u64;
        if blank < ready.len() || ready.is_empty() {
            return Ok(at);
        }
    }
}

/// The next line at or after `at` that looks like the first of a record; the size of the file if
/// there is none.
fn search(file: &mut Window, mut at: u64) -> io::Result<u64> {
    let (mark, size) = (memmem::Finder::new(b"\nWARC/"), file.size);
    loop {
        let ready = file.at(at, 128 << 10)?;
        match mark.find(ready) {
            Some(found) => {
                at += found as u64 + 1;
                let version = file.at(at + MARK.len() as u64, 3)?;
                if matches!(version, [b'0'..=b'9', b'.', b'0'..=b'9', ..]) {
                    return Ok(at);
                }
            }
            None if at + ready.len() as u64 >= size => return Ok(size),
            None => at += (ready.len() - MARK.len()) as u64,
        }
    }
}
