//! Which files of a copy are those of the bucket.
//!
//! A file that grows by a line for each object that was fetched or put. Files of a copy do not wait
//! for the disk, so what it says is worth nothing after the machine was started again.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::remote::{Listed, Version};
use crate::rundir::own_files::{open_own, read_document};
use crate::rundir::paths::RunPaths;
use crate::rundir::process::ProcessId;

/// An object, as a line of the file has it.
#[derive(Serialize, Deserialize)]
struct Line {
    key: String,
    bytes: u64,
    /// None: it has gone.
    tag: Option<String>,
}

/// The objects whose bytes the copy has, by key.
pub(super) struct Index {
    known: HashMap<String, (u64, Version)>,
    /// Those of the bucket alone.
    absent: HashMap<String, Listed>,
    file: File,
}

impl Index {
    /// Reads the index of the copy in `root`, which is there.
    pub(super) fn open(root: &Path) -> Result<Self> {
        let path = RunPaths::new(root).mirror_index();
        let boot = ProcessId::current().boot_id;
        let text = read_document(&path).unwrap_or_default();
        let mut lines = text.split(|b| *b == b'\n');
        let is_of_today = lines.next() == Some(boot.as_bytes());
        let mut known = HashMap::new();
        for line in lines.filter(|_| is_of_today) {
            // The last one may be cut.
            let Ok(line) = serde_json::from_slice::<Line>(line) else {
                continue;
            };
            match line.tag {
                None => known.remove(&line.key),
                Some(tag) => known.insert(line.key, (line.bytes, Version::of_tag(tag))),
            };
        }
        let failed = || format!("cannot write `{}`", path.display());
        let mut options = OpenOptions::new();
        let mut file = open_own(&path, options.create(true).append(true)).with_context(failed)?;
        if !is_of_today {
            file.set_len(0).with_context(failed)?;
            writeln!(file, "{boot}").with_context(failed)?;
        }
        Ok(Self {
            known,
            absent: HashMap::new(),
            file,
        })
    }

    /// Whether the copy has this object, if it has a file of its size.
    pub(super) fn has(&self, listed: &Listed) -> bool {
        let known = self.known.get(&listed.key);
        known.is_some_and(|(bytes, version)| {
            *bytes == listed.bytes
                && version.tag.is_some()
                && version.tag.as_deref().map(bare) == listed.tag.as_deref().map(bare)
        })
    }

    /// What is known of an object.
    pub(super) fn version(&self, key: &str) -> Option<&Version> {
        self.known.get(key).map(|(_, version)| version)
    }

    /// The object, if it is in the bucket alone.
    pub(super) fn absent(&self, key: &str) -> Option<&Listed> {
        self.absent.get(key)
    }

    /// The object that the copy has at `key`, as a list would have it.
    pub(super) fn listed(&self, key: &str) -> Option<Listed> {
        let (bytes, version) = self.known.get(key)?;
        Some(Listed::new(key, *bytes, version.tag.clone()))
    }

    /// Notes an object that the copy does not have.
    pub(super) fn leave(&mut self, object: &Listed) {
        self.remove(&object.key);
        self.absent.insert(object.key.clone(), object.clone());
    }

    /// All objects, in no order, also those of the bucket alone.
    pub(super) fn keys(&self) -> Vec<String> {
        self.known
            .keys()
            .chain(self.absent.keys())
            .cloned()
            .collect()
    }

    /// The copy has this object now. That it cannot be noted costs the time to fetch it again.
    pub(super) fn insert(&mut self, key: &str, bytes: u64, version: Version) {
        self.note(&Line {
            key: key.to_owned(),
            bytes,
            tag: version.tag.clone(),
        });
        self.absent.remove(key);
        self.known.insert(key.to_owned(), (bytes, version));
    }

    /// There is no such object any more.
    pub(super) fn remove(&mut self, key: &str) {
        self.absent.remove(key);
        if self.known.remove(key).is_some() {
            self.note(&Line {
                key: key.to_owned(),
                bytes: 0,
                tag: None,
            });
        }
    }

    fn note(&mut self, line: &Line) {
        let mut text = serde_json::to_vec(line).unwrap_or_default();
        text.push(b'\n');
        let _ = self.file.write_all(&text);
    }
}

/// A tag as all stores write it.
fn bare(tag: &str) -> &str {
    tag.trim_matches('"')
}
