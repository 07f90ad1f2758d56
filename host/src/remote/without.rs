//! In place of the rest of this folder where djhost is built without it: every address is refused.

use super::address::Address;
use crate::error::UserError;
use anyhow::Result as Outcome;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;

/// Says that nothing remote is read.
#[derive(Debug)]
pub(crate) struct Failure;

impl Failure {
    pub(crate) fn is_absence(&self) -> bool {
        false
    }

    pub(crate) fn at(self, place: impl Into<String>) -> UserError {
        UserError::new(place, "this djhost is built without remote files")
            .hint("build it with the feature `remote`, or copy the dataset here first")
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("this djhost is built without remote files")
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        Self::new(io::ErrorKind::Unsupported, failure)
    }
}

/// There are none.
#[derive(Clone)]
pub(crate) struct Object(Infallible);

impl Object {
    pub(crate) fn find(_: Address) -> Result<Self, Failure> {
        Err(Failure)
    }

    pub(crate) fn known(_: Address, _: u64, _: Option<String>, _: bool) -> Result<Self, Failure> {
        Err(Failure)
    }

    pub(crate) fn bytes(&self) -> u64 {
        match self.0 {}
    }

    pub(crate) fn tag(&self) -> Option<&str> {
        match self.0 {}
    }

    pub(crate) fn ranges(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn fetch(&self, _: Range<u64>) -> io::Result<Bytes> {
        match self.0 {}
    }

    pub(crate) fn fetch_near_end(&self, _: Range<u64>) -> io::Result<Bytes> {
        match self.0 {}
    }

    pub(crate) fn read(&self) -> Box<dyn Read + Send> {
        match self.0 {}
    }
}

/// There are none.
pub(crate) struct RayJobs(Infallible);

/// There are none.
pub(crate) struct RayJob {
    pub(crate) status: String,
    pub(crate) message: Option<String>,
    pub(crate) driver_exit_code: Option<i32>,
}

impl RayJob {
    pub(crate) fn is_over(&self) -> bool {
        true
    }
}

impl RayJobs {
    pub(crate) fn new(_: &str) -> Result<Self, String> {
        Err("this djhost is built without the feature `remote`".to_owned())
    }

    pub(crate) fn version(&self) -> Result<String, Failure> {
        match self.0 {}
    }

    pub(crate) fn put_package(&self, _: &str, _: &[u8]) -> Result<(), Failure> {
        match self.0 {}
    }

    pub(crate) fn find(&self, _: &str) -> Result<Option<RayJob>, Failure> {
        match self.0 {}
    }

    pub(crate) fn submit(&self, _: &str, _: &str, _: &str) -> Result<(), Failure> {
        match self.0 {}
    }

    pub(crate) fn logs(&self, _: &str) -> Result<String, Failure> {
        match self.0 {}
    }
}

/// There are none.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) key: String,
    pub(crate) bytes: u64,
    pub(crate) tag: Option<String>,
}

impl Listed {
    pub(crate) fn new(key: &str, bytes: u64, tag: Option<String>) -> Self {
        let key = key.to_owned();
        Self { key, bytes, tag }
    }
}

pub(crate) mod hub {
    use super::{Address, Failure};
    use std::convert::Infallible;
    use std::path::PathBuf;

    pub(crate) fn pin(_: &Address) -> Result<Address, Failure> {
        Err(Failure)
    }

    pub(crate) fn check_writable(_: &Address, _: bool) -> Result<(), Failure> {
        Err(Failure)
    }

    /// A file for a dataset.
    #[expect(dead_code, reason = "nothing is put anywhere")]
    pub(crate) struct NewFile {
        pub(crate) file: PathBuf,
        pub(crate) path: String,
    }

    /// There are none.
    pub(crate) struct Push(Infallible);

    impl Push {
        pub(crate) fn begin(_: &Address, _: Option<bool>) -> Result<Self, Failure> {
            Err(Failure)
        }

        pub(crate) fn renew(&mut self) -> Result<(), Failure> {
            match self.0 {}
        }

        pub(crate) fn upload(&mut self, _: Vec<NewFile>) -> Result<(), Failure> {
            match self.0 {}
        }

        pub(crate) fn text(&self, _: &str) -> Result<Option<String>, Failure> {
            match self.0 {}
        }

        pub(crate) fn commit(
            &self,
            _: &[(&str, &str)],
            _: &str,
            _: impl Fn(&str) -> bool,
            _: &str,
        ) -> Result<bool, Failure> {
            match self.0 {}
        }
    }
}

pub(crate) fn list(_: &Address, _: &str) -> Result<Vec<Listed>, Failure> {
    Err(Failure)
}

/// There are none.
pub(crate) struct Ahead(Infallible);

impl Ahead {
    pub(crate) fn new(object: Object, _: Range<u64>, _: u64) -> Self {
        match object.0 {}
    }

    pub(crate) fn piece(&mut self) -> io::Result<&mut Bytes> {
        match self.0 {}
    }
}

impl Read for Ahead {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match self.0 {}
    }
}

/// There are none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unfinished {
    address: String,
}

impl Unfinished {
    pub(crate) fn abort(&self) -> Result<(), Failure> {
        Err(Failure)
    }
}

/// There are none.
pub(crate) struct Upload(Infallible);

impl Upload {
    pub(crate) fn begin(_: File, _: Address) -> Outcome<Self> {
        Err(Failure.into())
    }

    pub(crate) fn unfinished(&self) -> Option<Unfinished> {
        match self.0 {}
    }

    pub(crate) fn send(&mut self) -> Outcome<()> {
        match self.0 {}
    }

    pub(crate) fn commit(&mut self) -> Outcome<Option<String>> {
        match self.0 {}
    }
}

pub(crate) fn check_writable(_: &Address) -> Result<(), Failure> {
    Err(Failure)
}

pub(crate) fn remove(_: &Address) -> Result<(), Failure> {
    Err(Failure)
}

/// There are none.
#[derive(Clone)]
pub(crate) struct Bucket(Infallible);

/// There are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) tag: Option<String>,
}

impl Version {
    pub(crate) fn of_tag(tag: String) -> Self {
        Self { tag: Some(tag) }
    }
}

/// When an object may be put.
#[derive(Debug, Clone)]
pub(crate) enum When {
    Always,
    Absent,
    Is(Version),
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Put {
    Done(Version),
    Refused,
}

/// A small object.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) bytes: Bytes,
    pub(crate) version: Version,
    pub(crate) age: Option<std::time::Duration>,
}

impl Bucket {
    pub(crate) fn new(_: &Address) -> Result<Self, Failure> {
        Err(Failure)
    }

    pub(crate) fn address(&self, _: &str) -> Address {
        match self.0 {}
    }

    pub(crate) fn put(&self, _: &str, _: &Bytes, _: &When) -> Result<Put, Failure> {
        match self.0 {}
    }

    pub(crate) fn put_file(&self, _: &str, _: File) -> Outcome<Version> {
        match self.0 {}
    }

    pub(crate) fn get(&self, _: &str) -> Result<Option<Got>, Failure> {
        match self.0 {}
    }

    pub(crate) fn list(&self, _: &str, _: bool) -> Result<Vec<Listed>, Failure> {
        match self.0 {}
    }

    pub(crate) fn find(&self, _: &str) -> Result<Listed, Failure> {
        match self.0 {}
    }

    pub(crate) fn object(&self, _: &str, _: u64) -> Result<Object, Failure> {
        match self.0 {}
    }

    pub(crate) fn fetch(&self, _: &Listed, _: &mut dyn io::Write) -> io::Result<()> {
        match self.0 {}
    }

    pub(crate) fn remove(&self, _: &str) -> Result<(), Failure> {
        match self.0 {}
    }
}

pub(crate) fn unfinished_below(_: &Address) -> Result<Vec<Unfinished>, Failure> {
    Err(Failure)
}

pub(crate) fn is_empty(_: &Address) -> Result<bool, Failure> {
    Err(Failure)
}

pub(crate) fn unfinished(_: &Address) -> Result<Vec<(String, Unfinished)>, Failure> {
    Err(Failure)
}

pub(crate) fn fetch_to_cache(_: &Address) -> Result<Option<super::cache::Fetched>, UserError> {
    Err(Failure.at(""))
}

pub(crate) fn fetch_files_to_cache(
    _: &[Address],
) -> Result<std::path::PathBuf, (usize, UserError)> {
    Err((0, Failure.at("")))
}

pub(crate) fn fetch_dir_to_cache(
    _: &Address,
    _: impl Fn(&str) -> bool,
) -> Result<super::cache::Fetched, UserError> {
    Err(Failure.at(""))
}
