//! The files of a dataset below one place, by their names in it.

use crate::rundir::RunPaths;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A card or another document about a dataset is not larger.
const MOST: u64 = 4 << 20;

type Read<'a> = Box<dyn Fn(&str) -> io::Result<Vec<u8>> + 'a>;

/// What lies below a place, and how a small file of it is read.
pub(in crate::data::input) struct Tree<'a> {
    /// The place, for people.
    pub(super) place: String,
    /// Paths of all files, with slashes, sorted.
    pub(super) files: Vec<String>,
    read: Read<'a>,
}

impl<'a> Tree<'a> {
    /// A tree of `files`, of which `read` reads one.
    pub(in crate::data::input) fn new(
        place: String,
        mut files: Vec<String>,
        read: impl Fn(&str) -> io::Result<Vec<u8>> + 'a,
    ) -> Self {
        files.sort();
        let read = Box::new(read);
        Self { place, files, read }
    }

    /// All files below a directory, through links. Run directories of jobs are left out.
    pub(in crate::data::input) fn of_directory(dir: &'a Path) -> io::Result<Self> {
        let mut files = Vec::new();
        walk(dir, "", &mut HashSet::new(), &mut files)?;
        let read = |name: &str| {
            let path = dir.join(name);
            match fs::metadata(&path)?.len() {
                bytes if bytes > MOST => Err(io::ErrorKind::FileTooLarge.into()),
                _ => fs::read(path),
            }
        };
        Ok(Self::new(dir.display().to_string(), files, read))
    }

    /// The text of a small file; None if there is none, or it is no text or too large for what it
    /// should be.
    pub(super) fn text(&self, name: &str) -> io::Result<Option<String>> {
        if self
            .files
            .binary_search_by(|file| (**file).cmp(name))
            .is_err()
        {
            return Ok(None);
        }
        match (self.read)(name) {
            Ok(bytes) => Ok(String::from_utf8(bytes).ok()),
            Err(e) if e.kind() == io::ErrorKind::FileTooLarge => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// The value of a small JSON file.
    pub(super) fn json(&self, name: &str) -> io::Result<Option<serde_json::Value>> {
        let text = self.text(name)?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }
}

fn walk(
    dir: &Path,
    name: &str,
    above: &mut HashSet<(u64, u64)>,
    files: &mut Vec<String>,
) -> io::Result<()> {
    let metadata = fs::metadata(dir)?;
    let key = (metadata.dev(), metadata.ino());
    // A link to a directory that this is in.
    if RunPaths::MARKS.iter().all(|mark| dir.join(mark).exists()) || !above.insert(key) {
        return Ok(());
    }
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let Some(own) = entry.file_name().to_str().map(str::to_owned) else {
            continue;
        };
        let name = match name.is_empty() {
            true => own,
            false => format!("{name}/{own}"),
        };
        let path = entry.path();
        if path.is_dir() {
            walk(&path, &name, above, files)?;
        } else {
            files.push(name);
        }
    }
    above.remove(&key);
    Ok(())
}
