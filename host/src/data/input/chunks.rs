//! The bytes of a Parquet file, for its decoder. Of a remote one only what was announced is fetched:
//! the columns that are read, of the row groups that are read, in pieces of up to 2 MB.

use super::handle::{FileAt, Handle, Remote};
use crate::threads::inherit;
use bytes::{Bytes, BytesMut};
use parquet::errors::Result;
use parquet::file::reader::{ChunkReader, Length};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Bytes of a request, and how many of them are under way while a piece of the same column is read:
/// as `remote/ahead.rs` has it, with the reasons.
const PIECE: u64 = 2 << 20;
const UNDER_WAY: usize = 2;
/// Bytes between two columns that are fetched with them rather than by a request more.
const GAP: u64 = 16 << 10;
/// Requests at a time when a row group begins.
const AT_ONCE: usize = 16;

/// A file, as the decoder wants it.
pub(crate) enum Chunks {
    Local(File),
    Remote(Arc<Fetched>),
}

impl Chunks {
    pub(crate) fn open<'a>(at: impl Into<FileAt<'a>>) -> io::Result<Self> {
        Ok(match Handle::open(at)? {
            Handle::Local(file) => Self::Local(file),
            Handle::Remote(remote) => Self::Remote(Arc::new(Fetched {
                remote,
                pieces: Mutex::default(),
            })),
        })
    }

    pub(crate) fn is_remote(&self) -> bool {
        matches!(self, Self::Remote(_))
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Local(file) => Self::Local(file.try_clone()?),
            Self::Remote(fetched) => Self::Remote(Arc::clone(fetched)),
        })
    }

    /// Says what will be read: of each row group the ranges of its columns. `all` is whether most of
    /// it will be.
    pub(crate) fn announce(&self, groups: Vec<Vec<Range<u64>>>, all: bool) {
        if let Self::Remote(fetched) = self {
            let most = if all { PIECE } else { PIECE / 2 };
            let mut pieces = fetched
                .pieces
                .lock()
                .expect("nothing panics while it is held");
            *pieces = Pieces {
                all: cut(groups, most),
                begun: None,
                is_eager: all,
            };
        }
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        match self {
            Self::Local(file) => file.len(),
            Self::Remote(fetched) => fetched.remote.object.bytes(),
        }
    }
}

impl ChunkReader for Chunks {
    type T = ChunkRead;

    fn get_read(&self, start: u64) -> Result<ChunkRead> {
        Ok(match self {
            Self::Local(file) => ChunkRead::Local(file.get_read(start)?),
            Self::Remote(fetched) => ChunkRead::Remote {
                fetched: Arc::clone(fetched),
                at: start,
                held: Bytes::new(),
            },
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        match self {
            Self::Local(file) => file.get_bytes(start, length),
            Self::Remote(fetched) => {
                let first = fetched.from(start, length)?;
                if first.len() >= length {
                    return Ok(first.slice(..length));
                }
                let mut bytes = BytesMut::with_capacity(length);
                bytes.extend_from_slice(&first);
                while bytes.len() < length {
                    let left = length - bytes.len();
                    let more = fetched.from(start + bytes.len() as u64, left)?;
                    if more.is_empty() {
                        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
                    }
                    bytes.extend_from_slice(&more[..more.len().min(left)]);
                }
                Ok(bytes.freeze())
            }
        }
    }
}

/// Reads on from a place.
pub(crate) enum ChunkRead {
    Local(BufReader<File>),
    Remote {
        fetched: Arc<Fetched>,
        at: u64,
        held: Bytes,
    },
}

impl Read for ChunkRead {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Local(file) => file.read(bytes),
            Self::Remote { fetched, at, held } => {
                if held.is_empty() {
                    *held = fetched.from(*at, bytes.len())?;
                }
                let count = held.len().min(bytes.len());
                bytes[..count].copy_from_slice(&held.split_to(count));
                *at += count as u64;
                Ok(count)
            }
        }
    }
}

/// A remote file, and pieces of it that are here or on their way.
pub(crate) struct Fetched {
    remote: Remote,
    pieces: Mutex<Pieces>,
}

#[derive(Default)]
struct Pieces {
    /// Sorted.
    all: Vec<Piece>,
    /// The row group that was begun last.
    begun: Option<usize>,
    /// The first pieces of a row group are fetched together.
    is_eager: bool,
}

struct Piece {
    range: Range<u64>,
    group: usize,
    /// The one before it belongs to the same column.
    continues: bool,
    state: State,
}

#[derive(Default)]
enum State {
    #[default]
    Elsewhere,
    Coming(JoinHandle<io::Result<Bytes>>),
    Here(Bytes),
}

impl Fetched {
    /// The bytes from `at` on that are at hand after at most one request; none at the end. `want` is
    /// how many are needed, if nothing was announced of them.
    fn from(&self, at: u64, want: usize) -> io::Result<Bytes> {
        let mut pieces = self.pieces.lock().expect("nothing panics while it is held");
        let after = pieces.all.partition_point(|piece| piece.range.start <= at);
        let Some(number) = after
            .checked_sub(1)
            .filter(|n| at < pieces.all[*n].range.end)
        else {
            drop(pieces);
            return self.remote.bytes_at(at, want);
        };
        let group = pieces.all[number].group;
        if pieces.begun != Some(group) {
            pieces.begun = Some(group);
            if pieces.is_eager {
                let firsts = pieces
                    .all
                    .iter_mut()
                    .filter(|p| p.group == group && !p.continues);
                firsts
                    .take(AT_ONCE)
                    .try_for_each(|piece| self.send_for(piece))?;
            }
            // A batch of rows may still need the end of the one before.
            let done = pieces.all.iter_mut().filter(|p| p.group + 1 < group);
            done.for_each(|piece| piece.state = State::Elsewhere);
        }
        if pieces.all[number].continues {
            pieces.all[number - 1].state = State::Elsewhere;
        }
        pieces.all[number + 1..]
            .iter_mut()
            .take(UNDER_WAY)
            .take_while(|next| next.continues)
            .try_for_each(|next| self.send_for(next))?;
        let piece = &mut pieces.all[number];
        let here = match std::mem::take(&mut piece.state) {
            State::Here(bytes) => bytes,
            State::Coming(thread) => thread
                .join()
                .map_err(|_| io::Error::other("a thread that reads ahead has failed"))??,
            State::Elsewhere => self.remote.object.fetch(piece.range.clone())?,
        };
        piece.state = State::Here(here.clone());
        Ok(here.slice((at - piece.range.start) as usize..))
    }

    fn send_for(&self, piece: &mut Piece) -> io::Result<()> {
        if matches!(piece.state, State::Elsewhere) {
            let (object, range) = (self.remote.object.clone(), piece.range.clone());
            let fetch = inherit(move || object.fetch(range));
            let thread = std::thread::Builder::new().name("ahead".to_owned());
            piece.state = State::Coming(thread.spawn(fetch)?);
        }
        Ok(())
    }
}

/// Cuts the columns of row groups into pieces of at most `most` bytes; small ones that lie together
/// become one.
fn cut(groups: Vec<Vec<Range<u64>>>, most: u64) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (group, mut columns) in groups.into_iter().enumerate() {
        columns.sort_by_key(|range| range.start);
        for column in columns.into_iter().filter(|range| !range.is_empty()) {
            let fits = |last: &&mut Piece| {
                last.group == group
                    && !last.continues
                    && column.start >= last.range.end
                    && column.start - last.range.end <= GAP
                    && column.end - last.range.start <= most
            };
            if let Some(last) = pieces.last_mut().filter(fits) {
                last.range.end = column.end;
                continue;
            }
            let mut start = column.start;
            while start < column.end {
                let end = column.end.min(start + most);
                pieces.push(Piece {
                    range: start..end,
                    group,
                    continues: start > column.start,
                    state: State::Elsewhere,
                });
                start = end;
            }
        }
    }
    pieces.sort_by_key(|piece| piece.range.start);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_cut_and_small_ones_joined() {
        let cut = |groups| -> Vec<(Range<u64>, bool)> {
            let pieces = cut(groups, 100);
            pieces.into_iter().map(|p| (p.range, p.continues)).collect()
        };
        assert_eq!(
            cut(vec![vec![0..30, 30..60, 60..110]]),
            [(0..60, false), (60..110, false)]
        );
        assert_eq!(
            cut(vec![vec![300..310, 0..250]]),
            [
                (0..100, false),
                (100..200, true),
                (200..250, true),
                (300..310, false)
            ]
        );
        // Not over the end of a row group.
        assert_eq!(cut(vec![vec![0..30], vec![30..60]]).len(), 2);
    }
}
