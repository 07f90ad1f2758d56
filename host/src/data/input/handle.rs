//! An input file that is open, on a disk or elsewhere. All reading of input goes through it.

use super::file::{InputFile, Version};
use crate::remote::address::of_path;
use crate::remote::{Ahead, Object};
use bytes::Bytes;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Mutex;

/// Bytes of the first request for a part of a remote file that nobody has announced. Requests that
/// follow each other grow up to [`LARGE`].
const SMALL: u64 = 64 << 10;
const LARGE: u64 = 4 << 20;

/// Where a file is, and of a remote one what is known of it.
#[derive(Clone, Copy)]
pub(crate) struct FileAt<'a> {
    path: &'a Path,
    known: Option<(u64, &'a Version)>,
}

impl<'a> FileAt<'a> {
    pub(crate) fn path(self) -> &'a Path {
        self.path
    }

    /// Whether it can be read from the middle.
    pub(crate) fn gives_parts(self) -> bool {
        self.known.is_none_or(|(_, version)| version.ranges)
    }

    /// The file at `path`, of `bytes` bytes and the version that it has if it is a remote one.
    pub(crate) fn new(path: &'a Path, bytes: u64, version: Option<&'a Version>) -> Self {
        Self {
            path,
            known: version.map(|version| (bytes, version)),
        }
    }
}

impl<'a> From<&'a Path> for FileAt<'a> {
    fn from(path: &'a Path) -> Self {
        Self { path, known: None }
    }
}

impl<'a> From<&'a std::path::PathBuf> for FileAt<'a> {
    fn from(path: &'a std::path::PathBuf) -> Self {
        path.as_path().into()
    }
}

impl<'a> From<&'a InputFile> for FileAt<'a> {
    fn from(file: &'a InputFile) -> Self {
        Self::new(&file.path, file.bytes, file.version.as_ref())
    }
}

/// A file from which bytes can be read at any place.
pub(crate) enum Handle {
    Local(File),
    Remote(Remote),
}

/// A remote file with the last bytes read from it.
pub(crate) struct Remote {
    pub(crate) object: Object,
    window: Mutex<(u64, Bytes)>,
}

impl Handle {
    /// Makes no request for a remote file that is known.
    pub(crate) fn open<'a>(at: impl Into<FileAt<'a>>) -> io::Result<Self> {
        let at = at.into();
        let Some(address) = of_path(at.path) else {
            return File::open(at.path).map(Self::Local);
        };
        let object = match at.known {
            Some((bytes, version)) => {
                Object::known(address, bytes, version.tag.clone(), version.ranges)?
            }
            None => Object::find(address)?,
        };
        Ok(Self::Remote(Remote {
            object,
            window: Mutex::default(),
        }))
    }

    /// The size of the file: of a remote one that which it had when it was found.
    pub(crate) fn bytes(&self) -> io::Result<u64> {
        match self {
            Self::Local(file) => Ok(file.metadata()?.len()),
            Self::Remote(remote) => Ok(remote.object.bytes()),
        }
    }

    /// Like [`FileExt::read_at`].
    pub(crate) fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<usize> {
        match self {
            Self::Local(file) => file.read_at(bytes, at),
            Self::Remote(remote) => remote.read_at(bytes, at),
        }
    }

    /// Like [`FileExt::read_exact_at`].
    pub(crate) fn read_exact_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        match self {
            Self::Local(file) => file.read_exact_at(bytes, at),
            Self::Remote(remote) => {
                let mut done = 0;
                while done < bytes.len() {
                    match remote.read_at(&mut bytes[done..], at + done as u64)? {
                        0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                        got => done += got,
                    }
                }
                Ok(())
            }
        }
    }

    /// For readers that seek by themselves.
    pub(crate) fn seekable(self) -> Box<dyn ReadSeek> {
        match self {
            Self::Local(file) => Box::new(file),
            Self::Remote(_) => Box::new(Seekable {
                handle: self,
                at: 0,
            }),
        }
    }

    /// Reads from `from` to `to`: of a remote file ahead of the reader, in requests that grow from `first`
    /// bytes.
    pub(crate) fn sequential(self, from: u64, to: u64, first: u64) -> Sequential {
        match self {
            Self::Local(file) => Sequential::Local(file),
            Self::Remote(remote) => Sequential::Remote(Ahead::new(remote.object, from..to, first)),
        }
    }
}

impl Remote {
    fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<usize> {
        let held = self.bytes_at(at, bytes.len())?;
        let count = bytes.len().min(held.len());
        bytes[..count].copy_from_slice(&held[..count]);
        Ok(count)
    }

    /// The bytes at `at`, at least one before the end: what is held of them, or `want` or more that
    /// are fetched.
    pub(crate) fn bytes_at(&self, at: u64, want: usize) -> io::Result<Bytes> {
        let all = self.object.bytes();
        if want == 0 || at >= all {
            return Ok(Bytes::new());
        }
        let mut window = self.window.lock().expect("nothing panics while it is held");
        let (first, held) = (window.0, window.1.len() as u64);
        if at < first || at >= first + held {
            // Whoever goes on where the last request ended will go further.
            let grown = match held > 0 && at == first + held {
                true => (2 * held).min(LARGE),
                false => SMALL,
            };
            let end = all.min(at + grown.max(want as u64));
            *window = (at, self.object.fetch_near_end(at..end)?);
        }
        let (first, held) = &*window;
        Ok(held.slice((at - first) as usize..))
    }
}

/// Reads a file that can be moved in.
pub(crate) trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

struct Seekable {
    handle: Handle,
    at: u64,
}

impl Read for Seekable {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let got = self.handle.read_at(bytes, self.at)?;
        self.at += got as u64;
        Ok(got)
    }
}

impl Seek for Seekable {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.handle.bytes()?.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// Reads a file from a place on.
pub(crate) enum Sequential {
    Local(File),
    Remote(Ahead),
}

impl Sequential {
    /// Appends up to `most` bytes of those at `at`, where the last call ended, to the spare capacity
    /// of `buffer`. 0 at the end.
    pub(crate) fn append(
        &mut self,
        buffer: &mut Vec<u8>,
        most: usize,
        at: u64,
    ) -> io::Result<usize> {
        match self {
            Self::Local(file) => {
                let from = buffer.len();
                let spare = &mut buffer.spare_capacity_mut()[..most];
                let got = match rustix::io::pread(&*file, spare, at) {
                    Ok((read, _)) => read.len(),
                    Err(error) => return Err(error.into()),
                };
                // SAFETY: `pread` has initialised that many bytes of the spare capacity.
                unsafe { buffer.set_len(from + got) };
                Ok(got)
            }
            Self::Remote(ahead) => {
                let piece = ahead.piece()?;
                let count = piece.len().min(most);
                buffer.extend_from_slice(&piece.split_to(count));
                Ok(count)
            }
        }
    }
}

/// The whole content, from front to end.
pub(crate) fn whole<'a>(at: impl Into<FileAt<'a>>) -> io::Result<Box<dyn Read + Send>> {
    Ok(match Handle::open(at)? {
        Handle::Local(file) => Box::new(file),
        Handle::Remote(remote) => remote.object.read(),
    })
}
