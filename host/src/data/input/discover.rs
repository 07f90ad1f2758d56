//! Finds the files of a dataset.

use super::file::{Dataset, default_zstd_window};
use super::found_notes::Notes;
use super::hub::{self, Choice, Tree};
use super::layouts::{Layout, Role, could_be_data, is_hive_partition, layout, role};
use super::search_remote::search_remote;
use super::select::{Found, select};
use super::sniff::{KNOWN, by_name};
use crate::config::Wanted;
use crate::error::UserError;
use crate::remote::address::is_address;
use crate::rundir::RunPaths;
use anyhow::Result;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};
use std::fs::{self, Metadata};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

impl Dataset {
    /// The files at `paths`: each is a file, a directory (searched recursively) or a glob pattern;
    /// relative ones start at `base`. An address (`s3://BUCKET/KEY`, also as a prefix or a pattern,
    /// or `https://HOST/PATH`) stands for files elsewhere.
    ///
    /// The order is that of `paths`, sorted by name within each. A file that appears twice, or
    /// under two names, counts once. Directories and patterns skip hidden and temporary files, run
    /// directories of jobs, metadata that tools keep next to a dataset, and files whose name
    /// promises no rows; a file that is named directly is judged by its content. The notes say what
    /// was skipped or appears twice. Fails with a [`UserError`] for a path that is missing,
    /// unreadable, not fetched or of unknown format, and for JSON rows mixed with columns.
    pub fn open(paths: &[String], base: &Path) -> Result<Self> {
        Self::open_with(paths, base, default_zstd_window())
    }

    /// Like [`Self::open`], with the largest accepted window of a zstd file, in bytes.
    pub fn open_with(paths: &[String], base: &Path, zstd_window: u64) -> Result<Self> {
        Self::open_wanted(paths, &[], base, zstd_window)
    }

    /// Like [`Self::open_with`], with what is read of each path if it is a dataset with several
    /// configurations and splits, as the Hugging Face hub has them. Also fails if that does not say
    /// which are read.
    pub fn open_wanted(
        paths: &[String],
        wanted: &[Wanted],
        base: &Path,
        zstd_window: u64,
    ) -> Result<Self> {
        let mut search = Search::default();
        for (number, given) in paths.iter().enumerate() {
            search.wanted = wanted.get(number).cloned().unwrap_or_default();
            search.add(given, base)?;
        }
        if search.found.is_empty() {
            let place = paths.join(" ");
            let hint = match search.notes.first_passed_over() {
                Some(example) => format!(
                    "files such as `{}` were passed over; valid are {KNOWN}",
                    example.display()
                ),
                None => format!(
                    "valid are {KNOWN}, directories of them, and patterns such as `data/*.jsonl`"
                ),
            };
            return Err(UserError::new(place, "no data files found")
                .hint(hint)
                .into());
        }
        let features = search.features;
        let mut dataset = select(search.found, search.notes, zstd_window)?;
        // Of several datasets none describes all rows.
        if paths.len() == 1 {
            dataset.features = features;
        }
        Ok(dataset)
    }
}

#[derive(Default)]
struct Search {
    found: Vec<Found>,
    /// Device and inode of each file found and directory entered, with the name.
    seen: HashMap<(u64, u64), PathBuf>,
    notes: Notes,
    /// Addresses that were found.
    addresses: HashSet<String>,
    /// What is read of the path that is searched.
    wanted: Wanted,
    features: Option<Map<String, Value>>,
}

fn user(path: &Path, message: impl Into<String>) -> UserError {
    UserError::new(path.display().to_string(), message)
}

/// What to do about a path that cannot be read; `else_hint` if nothing better is known.
fn unreadable(path: &Path, error: &std::io::Error, else_hint: &str) -> UserError {
    let target = fs::read_link(path).unwrap_or_default();
    let leads_to = |part: &str| {
        error.kind() == std::io::ErrorKind::NotFound && target.to_string_lossy().contains(part)
    };
    let hint = if leads_to(".git/annex/objects") {
        "git-annex has not fetched it: run `git annex get` on it"
    } else if leads_to("/blobs/") {
        "what the link leads to is missing: the download into the hub's cache is not complete, run it again"
    } else {
        else_hint
    };
    user(path, format!("cannot be read: {error}")).hint(hint)
}

impl Search {
    fn add(&mut self, given: &str, base: &Path) -> Result<()> {
        if is_address(given) {
            return self.remote(given);
        }
        let path = base.join(given);
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => self.dataset(&path, &metadata),
            Ok(metadata) => {
                self.check_single(given)?;
                self.file(path, metadata, true)
            }
            Err(e)
                if given.contains(['*', '?', '[']) && e.kind() == std::io::ErrorKind::NotFound =>
            {
                self.check_single(given)?;
                self.pattern(given, &path)
            }
            Err(e) => {
                let hint = if given.is_empty() {
                    "name a file, a directory or a pattern such as `data/*.jsonl`"
                } else {
                    "check the spelling, and the directory that it is relative to"
                };
                Err(unreadable(&path, &e, hint).into())
            }
        }
    }

    /// Fails if something else is wanted of a file or a pattern than all of its rows.
    fn check_single(&self, given: &str) -> Result<(), UserError> {
        hub::check_single(given, &self.wanted)
    }

    /// A directory that the user names: perhaps a dataset in the layout of the hub.
    fn dataset(&mut self, path: &Path, metadata: &Metadata) -> Result<()> {
        // Of a repository in the hub's cache the snapshot.
        if let Layout::HubCache { snapshot, of } = layout(path)? {
            self.notes.snapshot(path, &snapshot, of);
            return self.dataset(&snapshot, &fs::metadata(&snapshot)?);
        }
        if let Layout::Saved(_) = layout(path)? {
            self.check_single(&path.display().to_string())?;
            return self.directory(path, metadata);
        }
        if let Layout::Splits(splits) = layout(path)? {
            return self.saved_splits(path, &splits);
        }
        let has_card = path.join("README.md").is_file();
        if !has_card && !self.wanted.is_some() {
            return self.directory(path, metadata);
        }
        let tree =
            Tree::of_directory(path).map_err(|e| user(path, format!("cannot be read: {e}")))?;
        let Some(choice) = hub::choose(&tree, &self.wanted, false)? else {
            return self.directory(path, metadata);
        };
        let Choice {
            files,
            features,
            notes,
        } = choice;
        self.features = features;
        notes.into_iter().for_each(|note| self.notes.sentence(note));
        for (name, named) in files {
            let file = path.join(name);
            if !named && !hub::could_be_rows(&file) {
                self.notes.passed_over(file);
                continue;
            }
            let metadata = fs::metadata(&file)
                .map_err(|e| unreadable(&file, &e, "remove it, or name other files"))?;
            self.file(file, metadata, named)?;
        }
        Ok(())
    }

    /// What `save_to_disk` has written of several splits.
    fn saved_splits(&mut self, path: &Path, splits: &[PathBuf]) -> Result<()> {
        if let Some(name) = self
            .wanted
            .config_name
            .as_deref()
            .filter(|name| *name != "default")
        {
            return Err(user(
                path,
                format!("has no configuration `{name}`: it was saved from one"),
            )
            .hint("leave out `config_name`")
            .into());
        }
        let name = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        };
        let named: Vec<(String, PathBuf)> = splits
            .iter()
            .map(|split| (name(split), split.clone()))
            .collect();
        let place = path.display().to_string();
        let chosen = hub::chosen_splits(&place, "", &named, self.wanted.split.as_deref())?;
        if self.wanted.split.is_none() {
            self.notes.splits(path, splits);
        }
        chosen
            .iter()
            .try_for_each(|(_, split)| self.directory(split, &fs::metadata(split)?))
    }

    fn remote(&mut self, given: &str) -> Result<()> {
        let (files, features) = search_remote(given, &self.wanted, &mut self.notes)?;
        self.features = features;
        for found in files {
            let address = found.path.display().to_string();
            if self.addresses.insert(address) {
                self.found.push(found);
            } else {
                self.notes.twice(&found.path, &found.path);
                let before = self
                    .found
                    .iter_mut()
                    .find(|before| before.path == found.path);
                if let Some(before) = before.filter(|_| found.named) {
                    before.named = true;
                    before.looks_like_notes = false;
                }
            }
        }
        Ok(())
    }

    fn pattern(&mut self, given: &str, path: &Path) -> Result<()> {
        let text = path
            .to_str()
            .ok_or_else(|| user(path, "a pattern must be Unicode"))?;
        // As in Python, `*` enters no hidden directory.
        let options = glob::MatchOptions {
            require_literal_leading_dot: true,
            ..glob::MatchOptions::default()
        };
        let matches = glob::glob_with(text, options)
            .map_err(|e| UserError::new(given, format!("is not a valid pattern: {e}")))?;
        let mut matches: Vec<PathBuf> = matches
            .collect::<Result<_, _>>()
            .map_err(|e| user(e.path(), format!("cannot be read: {}", e.error())))?;
        matches.sort();
        // Directories that the pattern does not name.
        let names = |path: &Path| {
            path.components()
                .filter(|part| *part != Component::CurDir)
                .map(|p| p.as_os_str().to_owned())
                .collect::<Vec<_>>()
        };
        let fixed = names(path)
            .iter()
            .take_while(|name| !name.to_string_lossy().contains(['*', '?', '[']))
            .count();
        let asks_for_them = given.contains("/_");
        for path in matches {
            let temporary = names(&path)
                .iter()
                .skip(fixed)
                .any(|name| name.as_encoded_bytes().starts_with(b"_"));
            if asks_for_them || !temporary {
                self.entry(path)?;
            }
        }
        Ok(())
    }

    fn directory(&mut self, path: &Path, metadata: &Metadata) -> Result<()> {
        if !self.is_new(path, metadata) {
            return Ok(());
        }
        // A run directory, perhaps this job's, is not data, though it holds rows.
        if RunPaths::MARKS.iter().all(|name| path.join(name).exists()) {
            self.notes.passed_over(path.to_owned());
            return Ok(());
        }
        if is_hive_partition(path) {
            self.notes.hive_partition(path);
        }
        match layout(path)? {
            Layout::Plain => {}
            Layout::Saved(files) => {
                let others = self.entries(path)?.into_iter().filter(|entry| {
                    !files.contains(entry) && entry.extension().is_some_and(|e| e == "arrow")
                });
                others.for_each(|other| {
                    self.notes
                        .left_out(other, "is not in the list of `state.json`")
                });
                return files.into_iter().try_for_each(|file| {
                    let metadata = fs::metadata(&file)?;
                    self.file(file, metadata, false)
                });
            }
            Layout::Splits(splits) => {
                self.notes.splits(path, &splits);
                return splits
                    .iter()
                    .try_for_each(|split| self.directory(split, &fs::metadata(split)?));
            }
            Layout::HubCache { snapshot, of } => {
                self.notes.snapshot(path, &snapshot, of);
                return self.directory(&snapshot, &fs::metadata(&snapshot)?);
            }
        }
        if path.join("_delta_log").is_dir() {
            self.notes.delta_table(path);
        }
        let entries = self.entries(path)?;
        // `datasets` keeps results of its own beside a dataset.
        let is_kept = entries
            .iter()
            .any(|entry| entry.ends_with("dataset_info.json"));
        for path in entries {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if is_kept && hub::is_cache(&name) {
                self.notes.left_out(path, "is a cache of `datasets`");
                continue;
            }
            self.entry(path)?;
        }
        Ok(())
    }

    /// The entries of a directory, sorted by name.
    fn entries(&self, path: &Path) -> Result<Vec<PathBuf>> {
        let entries = fs::read_dir(path).and_then(|d| {
            d.map(|e| Ok(e?.path()))
                .collect::<std::io::Result<Vec<_>>>()
        });
        let mut entries = entries.map_err(|e| user(path, format!("cannot be read: {e}")))?;
        entries.sort();
        Ok(entries)
    }

    /// Adds what a directory or pattern contains.
    fn entry(&mut self, path: PathBuf) -> Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let role = role(&name);
        if role == Role::Temporary {
            let could_be =
                could_be_data(&name).is_some_and(|name| by_name(Path::new(name)).is_some());
            if could_be && path.is_file() {
                self.notes
                    .left_out(path, "has the name of a hidden or temporary file");
            }
            return Ok(());
        }
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(_) if by_name(&path).is_none() => return Ok(()),
            // A dangling or circular link: passing over it would lose rows silently.
            Err(e) => {
                return Err(
                    unreadable(&path, &e, "remove it, or leave it out of the pattern").into(),
                );
            }
        };
        if metadata.is_dir() {
            self.directory(&path, &metadata)
        } else if metadata.is_file() && by_name(&path).is_some() {
            let before = self.found.len();
            self.file(path, metadata, false)?;
            self.found[before..]
                .iter_mut()
                .for_each(|found| found.looks_like_notes = role == Role::Metadata);
            Ok(())
        } else {
            self.notes.passed_over(path);
            Ok(())
        }
    }

    /// Whether a file or directory is seen for the first time, under any name.
    fn is_new(&mut self, path: &Path, metadata: &Metadata) -> bool {
        match self.seen.entry((metadata.dev(), metadata.ino())) {
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(path.to_owned());
                true
            }
            std::collections::hash_map::Entry::Occupied(first) => {
                self.notes.twice(path, first.get());
                false
            }
        }
    }

    fn file(&mut self, path: PathBuf, metadata: Metadata, named: bool) -> Result<()> {
        let kind = metadata.file_type();
        if !kind.is_file() {
            let what = if kind.is_fifo() {
                "a pipe"
            } else if kind.is_socket() {
                "a socket"
            } else {
                "a device"
            };
            return Err(user(&path, format!("is {what}, not a file"))
                .hint("write the rows to a file first: a job must be able to read them again")
                .into());
        }
        let key = Some((metadata.dev(), metadata.ino()));
        if self.is_new(&path, &metadata) {
            let modified = metadata.modified()?;
            let modified_ns = match modified.duration_since(UNIX_EPOCH) {
                Ok(after) => after.as_nanos() as i128,
                Err(before) => -(before.duration().as_nanos() as i128),
            };
            self.found.push(Found {
                path,
                bytes: metadata.len(),
                modified_ns,
                version: None,
                key,
                named,
                looks_like_notes: false,
            });
        } else if named && let Some(found) = self.found.iter_mut().find(|f| f.key == key) {
            found.named = true;
            found.looks_like_notes = false;
        }
        Ok(())
    }
}
