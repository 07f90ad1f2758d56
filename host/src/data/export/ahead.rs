//! Copies parts into a plain JSONL export while later parts are still being made. The copy has only
//! a hidden name until the job has checked its rows and puts it into place; a kill leaves what any
//! unfinished export leaves, and the next attempt copies again.

use super::part::PartInfo;
use super::staging::Staged;
use super::stream::LineStream;
use super::target::{ExportFormat, ExportTarget};
use crate::data::input::Compression;
use crate::rundir::{AtomicFile, Storage};
use crate::threads::inherit;
use anyhow::{Context, Result, anyhow};
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// A thread that copies each part once all parts before it are there. Dropped, it stops and leaves
/// nothing.
pub(crate) struct Ahead {
    sender: Option<Sender<Done>>,
    is_dropped: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<Option<Copied>>>>,
}

/// A part that is committed: its number, where it is, and what is known of it.
type Done = (usize, PathBuf, PartInfo);

/// An export with the first parts in it.
pub(crate) struct Copied {
    file: AtomicFile,
    /// Path and checksum of each.
    parts: Vec<(PathBuf, String)>,
}

impl Ahead {
    /// None where there is nothing to gain, or where the bytes of the export are not those of its
    /// `parts`: in other formats, packed, and in shards.
    pub(crate) fn start(
        target: &ExportTarget,
        parts: usize,
        storage: &Storage,
    ) -> Result<Option<Self>> {
        let is_plain =
            target.format == ExportFormat::Jsonl && target.compression == Compression::None;
        if !is_plain || target.shard_size.is_some() || parts < 2 {
            return Ok(None);
        }
        let (sender, receiver) = unbounded();
        let is_dropped = Arc::new(AtomicBool::new(false));
        let (target, storage, end) = (target.clone(), storage.clone(), Arc::clone(&is_dropped));
        let thread = std::thread::Builder::new()
            .name("djhost-export".into())
            .spawn(inherit(move || copy(&receiver, &target, &storage, &end)))
            .context("cannot start a thread for the export")?;
        Ok(Some(Self {
            sender: Some(sender),
            is_dropped,
            thread: Some(thread),
        }))
    }

    /// Part number `index` is committed.
    pub(crate) fn part(&self, index: usize, path: PathBuf, info: &PartInfo) {
        if let Some(sender) = &self.sender {
            // If the thread has failed, `finish` says why.
            let _ = sender.send((index, path, info.clone()));
        }
    }

    /// Waits until all parts that were announced, as far as none is missing before them, are
    /// copied. None: there were none.
    pub(crate) fn finish(mut self) -> Result<Option<Copied>> {
        drop(self.sender.take());
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(copied)) => copied,
            _ => Err(anyhow!("internal error: the export's thread panicked")),
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.is_dropped.store(true, Ordering::Relaxed);
        drop(self.sender.take());
        if let Some(thread) = self.thread.take() {
            // Another error ended the job.
            let _ = thread.join();
        }
    }
}

impl Copied {
    /// The file, if exactly `parts` are in it.
    pub(crate) fn holding(self, parts: &[(PathBuf, PartInfo)]) -> Option<AtomicFile> {
        let given = parts.iter().map(|(path, info)| (path, &info.checksum));
        let copied = self.parts.iter().map(|(path, checksum)| (path, checksum));
        given.eq(copied).then_some(self.file)
    }
}

fn copy(
    parts: &Receiver<Done>,
    target: &ExportTarget,
    storage: &Storage,
    is_dropped: &AtomicBool,
) -> Result<Option<Copied>> {
    let mut waiting = BTreeMap::new();
    let mut copied: Option<Copied> = None;
    for (index, path, info) in parts {
        waiting.insert(index, (path, info));
        loop {
            let next = copied.as_ref().map_or(0, |copied| copied.parts.len());
            let Some((path, info)) = waiting.remove(&next) else {
                break;
            };
            if is_dropped.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let context = || format!("cannot make the export `{}`", target.path.display());
            let copied = match &mut copied {
                Some(copied) => copied,
                none => {
                    let directory = target.directory();
                    std::fs::create_dir_all(directory)
                        .with_context(|| format!("cannot create `{}`", directory.display()))?;
                    none.insert(Copied {
                        file: Staged::new(target, directory, storage).start()?,
                        parts: Vec::new(),
                    })
                }
            };
            let lines = LineStream::open([(path.clone(), info.bytes)]).with_context(context)?;
            lines
                .append(0, lines.len(), &mut copied.file)
                .with_context(context)?;
            copied.parts.push((path, info.checksum));
        }
    }
    Ok(copied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::export::part::PartContent;
    use crate::data::losses::Losses;
    use std::path::Path;

    fn part(dir: &Path, index: usize, text: &str) -> Done {
        let path = dir.join(format!("part_{index}"));
        std::fs::write(&path, text).unwrap();
        let info = PartInfo {
            rows: 1,
            bytes: text.len() as u64,
            checksum: text.to_owned(),
            logical_bytes: text.len() as u64,
            content: PartContent::Rows {
                shape: None,
                typed: None,
            },
            losses: Losses::default(),
        };
        (index, path, info)
    }

    fn hidden(dir: &Path) -> usize {
        let names = std::fs::read_dir(dir).unwrap();
        names
            .filter(|e| {
                e.as_ref()
                    .unwrap()
                    .file_name()
                    .to_string_lossy()
                    .starts_with('.')
            })
            .count()
    }

    #[test]
    fn parts_are_copied_in_their_order_and_counted_by_their_checksums() {
        let dir = tempfile::tempdir().unwrap();
        let target = ExportTarget::new(&dir.path().join("out.jsonl"), None, 0).unwrap();
        let texts = ["{}\n", "{\"a\": 1}\n", "{\"b\": 2}\n"];
        let parts: Vec<Done> = (0..3).map(|i| part(dir.path(), i, texts[i])).collect();
        let copied = |known: &[usize]| {
            let ahead = Ahead::start(&target, 3, &Storage::new()).unwrap().unwrap();
            for &i in known {
                let (index, path, info) = &parts[i];
                ahead.part(*index, path.clone(), info);
            }
            ahead.finish().unwrap()
        };
        let all: Vec<_> = parts
            .iter()
            .map(|(_, p, i)| (p.clone(), i.clone()))
            .collect();
        let mut file = copied(&[2, 0, 1]).unwrap().holding(&all).unwrap();
        file.close().unwrap();
        file.place_at(&target.path).unwrap();
        assert_eq!(
            std::fs::read_to_string(&target.path).unwrap(),
            texts.concat()
        );
        assert!(copied(&[1, 2]).is_none(), "the first part is missing");
        assert!(copied(&[0, 1]).unwrap().holding(&all).is_none());
        let mut other = all.clone();
        other[1].1.checksum = "another".to_owned();
        assert!(copied(&[0, 1, 2]).unwrap().holding(&other).is_none());
        assert_eq!(hidden(dir.path()), 0, "what is not used goes away");
    }

    #[test]
    fn a_dropped_copy_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let target = ExportTarget::new(&dir.path().join("out.jsonl"), None, 0).unwrap();
        let ahead = Ahead::start(&target, 2, &Storage::new()).unwrap().unwrap();
        let (index, path, info) = part(dir.path(), 0, "{}\n");
        ahead.part(index, path, &info);
        drop(ahead);
        assert_eq!(hidden(dir.path()), 0);
    }

    #[test]
    fn only_the_bytes_of_parts_are_copied() {
        for (path, shard) in [
            ("out.jsonl.gz", 0),
            ("out.json", 0),
            ("out.parquet", 0),
            ("out.jsonl", 9),
        ] {
            let target = ExportTarget::new(Path::new(path), None, shard).unwrap();
            assert!(
                Ahead::start(&target, 2, &Storage::new()).unwrap().is_none(),
                "{path}"
            );
        }
    }
}
