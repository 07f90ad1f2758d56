//! Reads a range of a remote file from front to end, some pieces ahead of its reader.

use super::Object;
use crate::threads::inherit;
use bytes::Bytes;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;
use std::thread::JoinHandle;

/// Bytes of a request, and how many of them are under way while a piece is read. Together they hide a
/// latency of 50 ms at 60 MB/s as one piece of 8 MB ahead does, and take 6 MB for each worker instead of
/// 16.
const PIECE: u64 = 2 << 20;
const UNDER_WAY: usize = 2;
/// Of the first request of whoever reads all of it: the reader waits for it. Readers that begin with less
/// may want to look at a few rows, so nothing is fetched ahead of them until they have come that far.
pub(super) const FIRST: u64 = 1 << 20;

/// The bytes of a range. Needs memory for three pieces; fetches nothing beyond the range.
pub(crate) struct Ahead {
    object: Object,
    /// What has not been requested.
    left: Range<u64>,
    piece: Bytes,
    next: VecDeque<JoinHandle<io::Result<Bytes>>>,
    /// Bytes of the next request.
    size: u64,
}

impl Ahead {
    /// Requests grow from `first` bytes to those of a piece.
    pub(crate) fn new(object: Object, range: Range<u64>, first: u64) -> Self {
        Self {
            object,
            left: range,
            piece: Bytes::new(),
            next: VecDeque::new(),
            size: first.clamp(1, PIECE),
        }
    }

    fn take(&mut self) -> Range<u64> {
        let end = self.left.end.min(self.left.start + self.size);
        self.size = PIECE.min(2 * self.size);
        let range = self.left.start..end;
        self.left.start = end;
        range
    }

    /// The next bytes, as many as there are at hand; none at the end.
    pub(crate) fn piece(&mut self) -> io::Result<&mut Bytes> {
        if !self.piece.is_empty() {
            return Ok(&mut self.piece);
        }
        self.piece = match self.next.pop_front() {
            Some(next) => next
                .join()
                .map_err(|_| io::Error::other("a thread that reads ahead has failed"))??,
            None => {
                let range = self.take();
                self.object.fetch(range)?
            }
        };
        while self.size > FIRST && self.next.len() < UNDER_WAY && !self.left.is_empty() {
            let (range, object) = (self.take(), self.object.clone());
            let fetch = inherit(move || object.fetch(range));
            self.next.push_back(
                std::thread::Builder::new()
                    .name("ahead".to_owned())
                    .spawn(fetch)?,
            );
        }
        Ok(&mut self.piece)
    }
}

impl Read for Ahead {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let piece = self.piece()?;
        let count = piece.len().min(bytes.len());
        bytes[..count].copy_from_slice(&piece.split_to(count));
        Ok(count)
    }
}
