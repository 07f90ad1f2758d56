//! A remote file: its size, its version, and its bytes.

use super::address::{Address, Scheme};
use super::ahead::{Ahead, FIRST};
use super::failure::Failure;
use super::http::{self, Location};
use super::hub;
use super::store::{self, Shared};
use bytes::Bytes;
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// Bytes at the end that are fetched together: the footer of most Parquet files.
const TAIL: u64 = 64 << 10;
/// Ends of objects that are kept, in bytes: each task needs them again.
const KEPT: usize = 32 << 20;

/// A remote file. Two with the same address, size and tag have the same bytes: every reply is
/// checked against them.
#[derive(Clone)]
pub(crate) struct Object(Arc<Inner>);

struct Inner {
    address: Address,
    bytes: u64,
    tag: Option<String>,
    ranges: bool,
    way: Way,
}

enum Way {
    Http(Location),
    Store(Shared, Path),
}

impl Object {
    /// Asks the server for the file at `address`.
    pub(crate) fn find(address: Address) -> Result<Self, Failure> {
        if let Some(location) = location(&address) {
            let found = http::find(&location)?;
            return Ok(Self(Arc::new(Inner {
                address,
                bytes: found.bytes,
                tag: found.tag,
                ranges: found.ranges,
                way: Way::Http(location),
            })));
        }
        let (store, path) = store::place(&address)?;
        let found = store::wait(store.head(&path))
            .map_err(|e| Failure::of_store(&format!("HEAD `{address}`"), &e))?;
        Ok(Self(Arc::new(Inner {
            address,
            bytes: found.size,
            tag: found.e_tag,
            ranges: true,
            way: Way::Store(store, path),
        })))
    }

    /// A file that was found before, by this or by an earlier process. Makes no request.
    pub(crate) fn known(
        address: Address,
        bytes: u64,
        tag: Option<String>,
        ranges: bool,
    ) -> Result<Self, Failure> {
        let way = match location(&address) {
            Some(location) => Way::Http(location),
            None => {
                let (store, path) = store::place(&address)?;
                Way::Store(store, path)
            }
        };
        Ok(Self(Arc::new(Inner {
            address,
            bytes,
            tag,
            ranges,
            way,
        })))
    }

    /// Where it is.
    pub(crate) fn address(&self) -> &Address {
        &self.0.address
    }

    /// Its size.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.bytes
    }

    /// Its version: an `ETag`, or whatever else the server tells versions by.
    pub(crate) fn tag(&self) -> Option<&str> {
        self.0.tag.as_deref()
    }

    /// Whether the server answers requests for parts.
    pub(crate) fn ranges(&self) -> bool {
        self.0.ranges
    }

    /// The bytes in `range`, which must be within the file: one request, repeated if it fails by
    /// the server or the network.
    pub(crate) fn fetch(&self, range: Range<u64>) -> io::Result<Bytes> {
        let inner = &*self.0;
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        if range.end > inner.bytes {
            let message = format!(
                "it has {} bytes, and none at {}",
                inner.bytes,
                range.end - 1
            );
            return Err(io::Error::new(ErrorKind::UnexpectedEof, message));
        }
        Ok(match &inner.way {
            Way::Http(location) => http::fetch(location, (inner.bytes, self.tag()), range)?,
            Way::Store(store, path) => self.fetch_from(store, path, range)?,
        })
    }

    fn fetch_from(&self, store: &Shared, path: &Path, range: Range<u64>) -> Result<Bytes, Failure> {
        let request = format!("GET bytes {}-{}", range.start, range.end - 1);
        let options = GetOptions {
            if_match: self.0.tag.clone(),
            range: Some(range.clone().into()),
            ..GetOptions::default()
        };
        let got = store::wait(async {
            let reply = store.get_opts(path, options).await?;
            let is_same =
                reply.meta.size == self.0.bytes && is_tag(self.tag(), reply.meta.e_tag.as_deref());
            Ok((is_same, reply.bytes().await?))
        });
        match got {
            Ok((false, _)) => Err(Failure::changed(&request)),
            Ok((true, bytes)) if bytes.len() as u64 == range.end - range.start => Ok(bytes),
            Ok((true, bytes)) => {
                let why = format!("the reply has {} bytes", bytes.len());
                Err(Failure::broken(&request, &why, 0))
            }
            Err(e) => Err(Failure::of_store(&request, &e)),
        }
    }

    /// Like [`Self::fetch`]. What lies close to the end is fetched once for all that need it.
    pub(crate) fn fetch_near_end(&self, range: Range<u64>) -> io::Result<Bytes> {
        type Kept = Mutex<VecDeque<((String, Option<String>), Bytes)>>;
        static KEPT_ENDS: Kept = Mutex::new(VecDeque::new());
        let first = self.0.bytes.saturating_sub(TAIL);
        if range.start < first || range.end > self.0.bytes {
            return self.fetch(range);
        }
        let name = (self.0.address.text.clone(), self.0.tag.clone());
        let lock = || KEPT_ENDS.lock().expect("nothing panics while it is held");
        let known = self.0.tag.is_some().then(|| {
            let kept = lock();
            let found = kept.iter().find(|(of, _)| *of == name);
            found.map(|(_, end)| end.clone())
        });
        let end = match known.flatten() {
            Some(end) => end,
            None => {
                let end = self.fetch(first..self.0.bytes)?;
                let mut kept = lock();
                kept.push_front((name, end.clone()));
                kept.truncate(KEPT / TAIL as usize);
                end
            }
        };
        Ok(end.slice((range.start - first) as usize..(range.end - first) as usize))
    }

    /// All of it, from front to end, in memory for two pieces. The only way to read a file of which
    /// the server gives no parts.
    pub(crate) fn read(&self) -> Box<dyn Read + Send> {
        match &self.0.way {
            Way::Http(location) if !self.0.ranges => Box::new(http::Whole::new(
                location.clone(),
                self.0.bytes,
                self.0.tag.clone(),
            )),
            _ => Box::new(Ahead::new(self.clone(), 0..self.0.bytes, FIRST)),
        }
    }
}

/// Whether a reply is of the version `known`. Stores write the same `ETag` with and without quotes,
/// and some leave it out here or there.
fn is_tag(known: Option<&str>, found: Option<&str>) -> bool {
    match (known, found) {
        (Some(known), Some(found)) => known.trim_matches('"') == found.trim_matches('"'),
        _ => true,
    }
}

/// Where a file is fetched from that is in no store.
fn location(address: &Address) -> Option<Location> {
    match address.scheme {
        Scheme::S3 | Scheme::Gcs | Scheme::Azure => None,
        Scheme::Hub => Some(hub::location(address)),
        Scheme::Http => Some(Location {
            url: address.text.clone(),
            token: None,
            is_pinned: false,
        }),
    }
}
