//! Finds the files of a dataset.

use super::file::{Dataset, Format, InputFile};
use super::sniff::{KNOWN, by_name, sniff};
use crate::error::UserError;
use crate::job::RunPaths;
use anyhow::Result;
use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

impl Dataset {
    /// The files at `paths`: each is a file, a directory (searched with all below it) or a glob pattern; relative ones start at `base`.
    ///
    /// The order is that of `paths`, and by name within each. A file that comes twice counts once. In directories and patterns hidden and
    /// temporary files are left out, run directories of jobs, and files whose name promises no rows; a file that is named itself is taken by its content.
    /// Anything that is not there, not readable or of no known format is a [`UserError`], and so are JSON rows mixed with columns.
    pub fn open(paths: &[String], base: &Path) -> Result<Self> {
        let mut search = Search::default();
        for given in paths {
            search.add(given, base)?;
        }
        if search.found.is_empty() {
            let place = paths.join(" ");
            let hint = match search.passed_over.first() {
                Some(example) => format!("files such as `{}` were passed over; valid are {KNOWN}", example.display()),
                None => format!("valid are {KNOWN}, directories of them, and patterns such as `data/*.jsonl`"),
            };
            return Err(UserError::new(place, "no data files found").hint(hint).into());
        }
        search.finish()
    }
}

#[derive(Default)]
struct Search {
    /// With whether it was named itself.
    found: Vec<(PathBuf, Metadata, bool)>,
    /// Device and inode of what was found or entered.
    seen: HashSet<(u64, u64)>,
    passed_over: Vec<PathBuf>,
}

fn user(path: &Path, message: impl Into<String>) -> UserError {
    UserError::new(path.display().to_string(), message)
}

impl Search {
    fn add(&mut self, given: &str, base: &Path) -> Result<()> {
        let path = base.join(given);
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => self.directory(&path, &metadata),
            Ok(metadata) => self.file(path, metadata, true),
            Err(e) if given.contains(['*', '?', '[']) && e.kind() == std::io::ErrorKind::NotFound => self.pattern(given, &path),
            Err(e) => {
                let hint = if given.is_empty() {
                    "name a file, a directory or a pattern such as `data/*.jsonl`"
                } else {
                    "check the spelling, and the directory that it is relative to"
                };
                Err(user(&path, format!("cannot be read: {e}")).hint(hint).into())
            }
        }
    }

    fn pattern(&mut self, given: &str, path: &Path) -> Result<()> {
        let text = path.to_str().ok_or_else(|| user(path, "a pattern must be Unicode"))?;
        // As in Python, `*` enters no hidden directory.
        let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::default() };
        let matches = glob::glob_with(text, options).map_err(|e| UserError::new(given, format!("is not a valid pattern: {e}")))?;
        let mut matches: Vec<PathBuf> =
            matches.collect::<Result<_, _>>().map_err(|e| user(e.path(), format!("cannot be read: {}", e.error())))?;
        matches.sort();
        // The directories that the pattern does not name.
        let names =
            |path: &Path| path.components().filter(|part| *part != Component::CurDir).map(|p| p.as_os_str().to_owned()).collect::<Vec<_>>();
        let fixed = names(path).iter().take_while(|name| !name.to_string_lossy().contains(['*', '?', '['])).count();
        let asks_for_them = given.contains("/_");
        for path in matches {
            let temporary = names(&path).iter().skip(fixed).any(|name| name.as_encoded_bytes().starts_with(b"_"));
            if asks_for_them || !temporary {
                self.entry(path)?;
            }
        }
        Ok(())
    }

    fn directory(&mut self, path: &Path, metadata: &Metadata) -> Result<()> {
        if !self.seen.insert((metadata.dev(), metadata.ino())) {
            return Ok(());
        }
        // What a job keeps, this one perhaps, is no data, though it holds rows.
        if RunPaths::MARKS.iter().all(|name| path.join(name).exists()) {
            self.passed_over.push(path.to_owned());
            return Ok(());
        }
        let entries = fs::read_dir(path).and_then(|d| d.map(|e| Ok(e?.path())).collect::<std::io::Result<Vec<_>>>());
        let mut entries = entries.map_err(|e| user(path, format!("cannot be read: {e}")))?;
        entries.sort();
        for path in entries {
            self.entry(path)?;
        }
        Ok(())
    }

    /// Something found in a directory or by a pattern.
    fn entry(&mut self, path: PathBuf) -> Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // What `save_to_disk` of Hugging Face's datasets writes beside the data.
        if matches!(&*name, "dataset_info.json" | "dataset_dict.json" | "state.json") {
            return Ok(());
        }
        if name.starts_with(['.', '_']) || [".tmp", ".swp", ".part", ".partial", ".crdownload", "~"].iter().any(|s| name.ends_with(s)) {
            return Ok(());
        }
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(_) if by_name(&path).is_none() => return Ok(()),
            // A link to nowhere, or to itself: rows would be missing without a word.
            Err(e) => return Err(user(&path, format!("cannot be read: {e}")).hint("remove it, or leave it out of the pattern").into()),
        };
        if metadata.is_dir() {
            self.directory(&path, &metadata)
        } else if metadata.is_file() && by_name(&path).is_some() {
            self.file(path, metadata, false)
        } else {
            self.passed_over.push(path);
            Ok(())
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
        if self.seen.insert((metadata.dev(), metadata.ino())) {
            self.found.push((path, metadata, named));
        }
        Ok(())
    }

    fn finish(self) -> Result<Dataset> {
        let (mut files, mut named_files) = (Vec::new(), HashSet::new());
        for (path, metadata, named) in self.found {
            let (format, compression) = sniff(&path)?;
            let modified = metadata.modified()?;
            let modified_ns = match modified.duration_since(UNIX_EPOCH) {
                Ok(after) => after.as_nanos() as i128,
                Err(before) => -(before.duration().as_nanos() as i128),
            };
            let path = std::path::absolute(&path)?;
            if named {
                named_files.insert(path.clone());
            }
            files.push(InputFile { path, format, compression, bytes: metadata.len(), modified_ns, origin: None });
        }
        let mut notes = Vec::new();
        // An empty file names no format worth a quarrel.
        if files.iter().any(|f| f.format.is_columnar()) {
            leave_out(&mut files, &mut notes, |f| f.bytes == 0, "is empty");
        }
        // A README beside the data is not data, unless somebody says so.
        if files.iter().any(|f| f.format != Format::Text && f.bytes > 0) {
            leave_out(
                &mut files,
                &mut notes,
                |f| f.format == Format::Text && !named_files.contains(&f.path),
                "is plain text among other formats",
            );
        }
        if let (Some(columns), Some(rows)) = (files.iter().find(|f| f.format.is_columnar()), files.iter().find(|f| !f.format.is_columnar()))
        {
            return Err(user(&rows.path, format!("holds JSON rows, but `{}` holds columns", columns.path.display()))
                .hint("one dataset is either JSON, CSV and text or Parquet and Arrow: name them in two jobs, or convert one")
                .into());
        }
        if !self.passed_over.is_empty() {
            notes.push(format!("{} files were passed over, for instance `{}`", self.passed_over.len(), self.passed_over[0].display()));
        }
        Ok(Dataset { files, notes })
    }
}

fn leave_out(files: &mut Vec<InputFile>, notes: &mut Vec<String>, which: impl Fn(&InputFile) -> bool, why: &str) {
    files.retain(|file| {
        let out = which(file);
        if out {
            notes.push(format!("`{}` {why} and was left out", file.path.display()));
        }
        !out
    });
}
