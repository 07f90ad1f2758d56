//! Reading events: the files of all attempts merged, torn lines included.

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::record::Record;
use crate::rundir::own_files::read_document;
use crate::rundir::paths::RunPaths;

/// The events of all attempts.
#[derive(Debug, Clone, Default)]
pub struct EventLogs {
    /// In the order in which they happened: by attempt, then by number within it.
    pub records: Vec<Record>,
    /// Lines that are not JSON: cut off by a kill or a full disk.
    pub torn_lines: usize,
    /// Lines of JSON that are no event this version knows.
    pub unknown_lines: usize,
    /// The files that were read.
    pub files: Vec<PathBuf>,
}

/// Reads all event files of a run directory. Returns an empty log if there are none.
pub fn read_events(paths: &RunPaths) -> Result<EventLogs> {
    let mut logs = EventLogs {
        files: paths.event_files()?,
        ..EventLogs::default()
    };
    for file in logs.files.clone() {
        let bytes =
            read_document(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
        logs.add(&bytes);
    }
    logs.sort();
    Ok(logs)
}

impl EventLogs {
    /// Adds the lines of one file. Call [`sort`](Self::sort) after the last one.
    pub fn add(&mut self, bytes: &[u8]) {
        for line in bytes
            .split(|b| *b == b'\n')
            .filter(|line| !line.trim_ascii().is_empty())
        {
            match serde_json::from_slice::<Record>(line) {
                Ok(record) => self.records.push(record),
                Err(error) if error.is_data() => self.unknown_lines += 1,
                Err(_) => self.torn_lines += 1,
            }
        }
    }

    /// Sorts the events into the order in which they happened and removes duplicates.
    pub fn sort(&mut self) {
        self.records.sort_by_key(|r| (r.attempt, r.seq));
        let mut seen = HashSet::new();
        self.records.retain(|r| seen.insert(r.event_id.clone()));
    }
}
