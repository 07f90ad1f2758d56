//! Looks into a granted directory or file: whether it may be granted, and a digest that shows
//! changes.

use std::fs::{File, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};

use super::lineage_key::{Key, KeyBuilder};
use crate::rundir::checksum::checksum;

/// Up to this many bytes, the digest covers the content. Beyond, it covers names, sizes and times.
const MAX_CONTENT: u64 = 64 << 20;
/// Most files and directories that are looked at.
const MAX_ENTRIES: usize = 100_000;

/// A file, or everything below a directory in the order of the paths.
pub(crate) struct Files {
    root: PathBuf,
    entries: Vec<(PathBuf, Metadata)>,
    /// A pipe, socket or device, which could block for ever when it is opened.
    pub(crate) special: Option<PathBuf>,
    /// Whether there are more entries than [`MAX_ENTRIES`].
    pub(crate) too_many: bool,
}

impl Files {
    /// Lists `root` and everything below it. Follows `root` if it is a link, but no links below it:
    /// a guest cannot use those that lead out of a granted directory.
    pub(crate) fn of(root: &Path) -> Result<Self> {
        let mut files = Self {
            root: root.to_owned(),
            entries: Vec::new(),
            special: None,
            too_many: false,
        };
        let meta = std::fs::metadata(root)
            .with_context(|| format!("`{}` cannot be read", root.display()))?;
        let mut open = Vec::new();
        files.add(root.to_owned(), meta, &mut open);
        while let Some(dir) = open.pop() {
            let listed = std::fs::read_dir(&dir)
                .with_context(|| format!("`{}` cannot be read", dir.display()))?;
            for entry in listed {
                let entry = entry.with_context(|| format!("`{}` cannot be read", dir.display()))?;
                if files.entries.len() >= MAX_ENTRIES {
                    files.too_many = true;
                    return Ok(files);
                }
                let meta = entry
                    .metadata()
                    .with_context(|| format!("`{}` cannot be read", entry.path().display()))?;
                files.add(entry.path(), meta, &mut open);
                // It is refused whatever else there is, which may change meanwhile, as below `/dev`.
                if files.special.is_some() {
                    return Ok(files);
                }
            }
        }
        files.entries.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(files)
    }

    fn add(&mut self, path: PathBuf, meta: Metadata, open: &mut Vec<PathBuf>) {
        let kind = meta.file_type();
        if kind.is_fifo() || kind.is_socket() || kind.is_char_device() || kind.is_block_device() {
            self.special.get_or_insert_with(|| path.clone());
        }
        if kind.is_dir() {
            open.push(path.clone());
        }
        self.entries.push((path, meta));
    }

    /// Returns a digest. Equal digests mean equal names and contents; beyond 64 MB, equal names,
    /// sizes and modification times.
    pub(crate) fn digest(&self) -> Result<Key> {
        let bytes: u64 = self
            .entries
            .iter()
            .filter(|(_, m)| m.is_file())
            .map(|(_, m)| m.len())
            .sum();
        let mut key = KeyBuilder::new(if bytes <= MAX_CONTENT {
            "granted-content"
        } else {
            "granted-times"
        });
        for (path, meta) in &self.entries {
            key = key.with(
                path.strip_prefix(&self.root)
                    .unwrap_or(path)
                    .as_os_str()
                    .as_bytes(),
            );
            key = if meta.is_dir() {
                key.with("dir")
            } else if meta.is_symlink() {
                let target = std::fs::read_link(path)
                    .with_context(|| format!("`{}` cannot be read", path.display()))?;
                key.with("link").with(target.as_os_str().as_bytes())
            } else if bytes <= MAX_CONTENT {
                key.with("file").with(read(path)?)
            } else {
                let time = meta
                    .modified()
                    .ok()
                    .and_then(|t| t.duration_since(UNIX_EPOCH).ok())
                    .map_or(0, |t| t.as_nanos());
                key.with("file").number(meta.len()).with(time.to_le_bytes())
            };
        }
        Ok(key.key())
    }

    /// Returns a digest of what was fetched: the same on each machine, whatever its size, as equal
    /// names and contents are.
    pub(crate) fn content_digest(&self) -> Result<Key> {
        let mut key = KeyBuilder::new("fetched-content");
        for (path, _) in self.entries.iter().filter(|(_, meta)| meta.is_file()) {
            let name = path.strip_prefix(&self.root).unwrap_or(path);
            let content = File::open(path).and_then(checksum);
            let (sum, bytes) =
                content.with_context(|| format!("`{}` cannot be read", path.display()))?;
            key = key
                .with(name.as_os_str().as_bytes())
                .number(bytes)
                .with(sum);
        }
        Ok(key.key())
    }
}

/// Reads a file, but no more than is allowed for all files: it may have grown since it was listed.
fn read(path: &Path) -> Result<Vec<u8>> {
    use std::io::Read;
    let mut content = Vec::new();
    File::open(path)
        .and_then(|f| f.take(MAX_CONTENT + 1).read_to_end(&mut content))
        .with_context(|| format!("`{}` cannot be read", path.display()))?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn digest(dir: &Path) -> Key {
        Files::of(dir).unwrap().digest().unwrap()
    }

    #[test]
    fn a_digest_follows_names_contents_and_links() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("words");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::write(root.join("a.txt"), "one").unwrap();
        fs::write(root.join("sub/b.txt"), "two").unwrap();
        let first = digest(&root);
        assert_eq!(digest(&root), first);
        let moved = dir.path().join("moved");
        fs::rename(&root, &moved).unwrap();
        assert_eq!(
            digest(&moved),
            first,
            "where the directory is does not count"
        );
        let mut seen = vec![first];
        let mut differs = |what: &str| {
            let now = digest(&moved);
            assert!(!seen.contains(&now), "{what}");
            seen.push(now);
        };
        fs::write(moved.join("a.txt"), "eno").unwrap();
        differs("content of the same length");
        fs::rename(moved.join("sub/b.txt"), moved.join("b.txt")).unwrap();
        differs("a file in another directory");
        std::os::unix::fs::symlink("a.txt", moved.join("link")).unwrap();
        differs("a link");
        fs::remove_file(moved.join("link")).unwrap();
        std::os::unix::fs::symlink("b.txt", moved.join("link")).unwrap();
        differs("a link to another file");
    }

    #[test]
    fn much_content_is_told_by_its_times() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.bin");
        let file = File::create(&path).unwrap();
        file.set_len(MAX_CONTENT + 1).unwrap();
        let before = digest(dir.path());
        assert_eq!(digest(dir.path()), before);
        file.set_modified(UNIX_EPOCH).unwrap();
        assert_ne!(digest(dir.path()), before);
    }

    #[test]
    fn pipes_are_found_at_any_depth() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        assert_eq!(Files::of(dir.path()).unwrap().special, None);
        let pipe = dir.path().join("a/b/pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        assert_eq!(Files::of(dir.path()).unwrap().special, Some(pipe));
    }
}
