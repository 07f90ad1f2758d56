//! A place in a bucket where djhost keeps files of its own: objects that are made only if there are
//! none, or replaced only if they are as they were. That excludes two writers.

use super::address::Address;
use super::client::{ServerDate, retry};
use super::failure::Failure;
use super::list::Listed;
use super::store::{self, Shared};
use super::{Object, Upload};
use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{
    ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, UpdateVersion,
};
use std::fs::File;
use std::io;
use std::time::Duration;

/// All objects below a prefix.
#[derive(Clone)]
pub(crate) struct Bucket {
    /// Of the prefix, without a slash at its end.
    address: Address,
    store: Shared,
}

/// What an object is known by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) tag: Option<String>,
    generation: Option<String>,
}

/// When an object may be put.
#[derive(Debug, Clone)]
pub(crate) enum When {
    Always,
    /// There is none.
    Absent,
    /// It is this one.
    Is(Version),
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Put {
    Done(Version),
    /// Somebody else has put another one there.
    Refused,
}

/// A small object.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) bytes: Bytes,
    pub(crate) version: Version,
    /// How long ago it was written, by the clock of the server alone, to the second.
    pub(crate) age: Option<Duration>,
}

impl Bucket {
    /// Makes no request.
    pub(crate) fn new(address: &Address) -> Result<Self, Failure> {
        let key = address.key.trim_end_matches('/');
        let address = address.beside(key);
        Ok(Self {
            store: store::of(&address)?,
            address,
        })
    }

    /// The address of an object.
    pub(crate) fn address(&self, key: &str) -> Address {
        match (&*self.address.key, key) {
            (_, "") => self.address.clone(),
            ("", key) => self.address.beside(key),
            (prefix, key) => self.address.beside(&format!("{prefix}/{key}")),
        }
    }

    fn path(&self, key: &str) -> Result<Path, Failure> {
        store::path(&self.address(key).key)
    }

    /// Puts an object. A reply that was lost is made up for: what is there is looked at.
    pub(crate) fn put(&self, key: &str, bytes: &Bytes, when: &When) -> Result<Put, Failure> {
        let path = self.path(key)?;
        let request = format!("PUT `{}`", self.address(key));
        let mut tries = 0;
        loop {
            let mode = match when {
                When::Always => PutMode::Overwrite,
                When::Absent => PutMode::Create,
                When::Is(version) => PutMode::Update(UpdateVersion {
                    e_tag: version.tag.clone(),
                    version: version.generation.clone(),
                }),
            };
            let payload = PutPayload::from(bytes.clone());
            let put = store::wait(self.store.put_opts(&path, payload, PutOptions::from(mode)));
            let error = match put {
                Ok(put) => {
                    return Ok(Put::Done(Version {
                        tag: put.e_tag,
                        generation: put.version,
                    }));
                }
                Err(error) => error,
            };
            let failure = Failure::of_store(&request, &error);
            let is_refusal = matches!(
                error,
                object_store::Error::AlreadyExists { .. }
                    | object_store::Error::Precondition { .. }
                    | object_store::Error::NotFound { .. }
            );
            if matches!(when, When::Always) || !is_refusal && !failure.is_passing() {
                return Err(failure);
            }
            if matches!(error, object_store::Error::NotFound { .. }) {
                return match when {
                    When::Is(_) => Ok(Put::Refused),
                    // There is no such bucket.
                    _ => Err(failure),
                };
            }
            // The request, or an earlier try of it, may have done what it was to do.
            let there = self.get(key)?;
            match (&there, when) {
                (Some(there), _) if there.bytes == *bytes => {
                    return Ok(Put::Done(there.version.clone()));
                }
                (None, When::Absent) => {}
                (Some(there), When::Is(version)) if there.version.is(version) => {}
                _ => return Ok(Put::Refused),
            }
            if tries == retry().max_retries {
                return Err(failure);
            }
            std::thread::sleep(Duration::from_millis(100 << tries.min(7)));
            tries += 1;
        }
    }

    /// Puts a local file, whatever its size. Of a large one a kill may leave parts.
    pub(crate) fn put_file(&self, key: &str, file: File) -> anyhow::Result<Version> {
        let mut upload = Upload::begin(file, self.address(key))?.one_by_one();
        let put = upload.send().and_then(|()| upload.commit());
        match put {
            Ok(tag) => Ok(Version {
                tag,
                generation: None,
            }),
            Err(error) => {
                if let Some(left) = upload.unfinished() {
                    // The error that is reported is the first one.
                    let _ = left.abort();
                }
                Err(error)
            }
        }
    }

    /// All of a small object; None if there is none.
    pub(crate) fn get(&self, key: &str) -> Result<Option<Got>, Failure> {
        let path = self.path(key)?;
        let got = store::wait(async {
            let reply = self.store.get(&path).await?;
            let date = reply.extensions.get::<ServerDate>().cloned();
            let meta = reply.meta.clone();
            Ok((date, meta, reply.bytes().await?))
        });
        match got {
            Ok((date, meta, bytes)) => Ok(Some(Got {
                bytes,
                age: age(date, &meta),
                version: Version {
                    tag: meta.e_tag,
                    generation: meta.version,
                },
            })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(e) => {
                let failure = Failure::of_store(&format!("GET `{}`", self.address(key)), &e);
                match failure.is_absence() {
                    true => Ok(None),
                    false => Err(failure),
                }
            }
        }
    }

    /// What there is below `dir`, by its key from here, unsorted; with `deep` also in directories
    /// in it.
    pub(crate) fn list(&self, dir: &str, deep: bool) -> Result<Vec<Listed>, Failure> {
        let below = self.address(dir);
        let request = format!("the list of `{below}`");
        let prefix = match below.key.is_empty() {
            true => None,
            false => Some(store::path(&below.key)?),
        };
        let objects: Result<Vec<ObjectMeta>, _> = match deep {
            true => store::wait(self.store.list(prefix.as_ref()).try_collect()),
            false => store::wait(self.store.list_with_delimiter(prefix.as_ref()))
                .map(|listed| listed.objects),
        };
        let objects = objects.map_err(|e| Failure::of_store(&request, &e))?;
        let above = match self.address.key.is_empty() {
            true => String::new(),
            false => format!("{}/", self.address.key),
        };
        let listed = objects.into_iter().filter_map(|object| {
            let key = String::from(object.location);
            let key = key.strip_prefix(&above)?;
            Some(Listed::new(key, object.size, object.e_tag))
        });
        Ok(listed.filter(|listed| !listed.key.is_empty()).collect())
    }

    /// An object that is there, as a list would have it.
    pub(crate) fn find(&self, key: &str) -> Result<Listed, Failure> {
        let object = Object::find(self.address(key))?;
        let tag = object.tag().map(str::to_owned);
        Ok(Listed::new(key, object.bytes(), tag))
    }

    /// An object of `bytes` bytes, of which parts are to be read. Makes no request.
    pub(crate) fn object(&self, key: &str, bytes: u64) -> Result<Object, Failure> {
        Object::known(self.address(key), bytes, None, true)
    }

    /// Writes an object that was listed to `to`. An error if it is another one by now.
    pub(crate) fn fetch(&self, listed: &Listed, to: &mut dyn io::Write) -> io::Result<()> {
        let address = self.address(&listed.key);
        let object = Object::known(address, listed.bytes, listed.tag.clone(), true)?;
        io::copy(&mut object.read(), to).map(drop)
    }

    /// Removes an object; one that is not there is no mistake.
    pub(crate) fn remove(&self, key: &str) -> Result<(), Failure> {
        super::remove(&self.address(key))
    }
}

impl Version {
    pub(crate) fn of_tag(tag: String) -> Self {
        Self {
            tag: Some(tag).filter(|tag| !tag.is_empty()),
            generation: None,
        }
    }

    /// Whether this is the version `other`, as far as both are known.
    fn is(&self, other: &Self) -> bool {
        let same = |a: &Option<String>, b: &Option<String>| match (a, b) {
            (Some(a), Some(b)) => a.trim_matches('"') == b.trim_matches('"'),
            _ => true,
        };
        same(&self.tag, &other.tag) && same(&self.generation, &other.generation)
    }
}

/// The time from the last change of an object to the reply.
fn age(date: Option<ServerDate>, meta: &ObjectMeta) -> Option<Duration> {
    let now = jiff::fmt::rfc2822::parse(&date?.0).ok()?.timestamp();
    let seconds = now.as_second() - meta.last_modified.timestamp();
    Some(Duration::from_secs(seconds.max(0).unsigned_abs()))
}
