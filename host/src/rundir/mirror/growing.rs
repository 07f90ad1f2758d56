//! Files that only grow, events and logs, as numbered objects: an object cannot grow.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result};
use bytes::Bytes;

use super::pull::Grown;
use super::queue::{Item, Kind};
use crate::rundir::paths::RunPaths;

/// Most bytes of a piece.
const PIECE: u64 = 8 << 20;

/// How far each file is in the bucket.
#[derive(Default)]
pub(super) struct Growing {
    /// By its name in the run directory: bytes, and the number of the next piece.
    sent: HashMap<String, (u64, u32)>,
}

impl Growing {
    /// The bucket has these already.
    pub(super) fn start(&mut self, grown: Vec<Grown>) {
        let sent = grown
            .into_iter()
            .map(|file| (file.key, (file.bytes, file.pieces)));
        self.sent = sent.collect();
    }

    /// Files that are not there any more begin anew if they come again: a name has only the second in
    /// which it was made.
    pub(super) fn forget_removed(&mut self, root: &Path) {
        self.sent
            .retain(|key, _| root.join(key).symlink_metadata().is_ok());
    }

    /// What has been added since the last call, by whole lines, or with `all` to the last byte.
    pub(super) fn take(&mut self, root: &Path, all: bool) -> Result<Vec<Item>> {
        let paths = RunPaths::new(root);
        let mut items = Vec::new();
        for path in [paths.event_files()?, paths.log_files()?].concat() {
            let Some(key) = path.strip_prefix(root).ok().and_then(Path::to_str) else {
                continue;
            };
            let (sent, number) = self.sent.entry(key.to_owned()).or_default();
            let context = || format!("cannot read `{}`", path.display());
            let file = File::open(&path).with_context(context)?;
            let length = file.metadata().with_context(context)?.len();
            while *sent < length {
                let mut piece = vec![0; (length - *sent).min(PIECE) as usize];
                file.read_exact_at(&mut piece, *sent)
                    .with_context(context)?;
                if !all {
                    let end = memchr::memrchr(b'\n', &piece).map_or(0, |at| at + 1);
                    piece.truncate(end);
                }
                if piece.is_empty() {
                    break;
                }
                let bytes = piece.len() as u64;
                items.push(Item::new(
                    RunPaths::piece(key, *number),
                    Kind::Data,
                    Some(Bytes::from(piece)),
                    bytes,
                ));
                *sent += bytes;
                *number += 1;
            }
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn pieces_are_whole_lines_and_together_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let paths = RunPaths::new(dir.path());
        paths.create().unwrap();
        let path = paths.events("20260101_000000", 0);
        let mut file = File::create(&path).unwrap();
        let mut growing = Growing::default();
        let mut pieces = Vec::new();
        for text in ["one\ntwo\nth", "ree\n", "", "four\nfi"] {
            file.write_all(text.as_bytes()).unwrap();
            let items = growing.take(dir.path(), false).unwrap();
            assert!(
                items
                    .iter()
                    .all(|item| item.content.as_ref().unwrap().ends_with(b"\n"))
            );
            pieces.extend(items);
        }
        pieces.extend(growing.take(dir.path(), true).unwrap());
        let names: Vec<_> = pieces
            .iter()
            .map(|item| RunPaths::of_piece(&item.key))
            .collect();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert_eq!(names, [0, 1, 2, 3].map(|number| Some((name, number))));
        let all: Vec<u8> = pieces
            .iter()
            .flat_map(|item| item.content.clone().unwrap())
            .collect();
        assert_eq!(all, std::fs::read(&path).unwrap());
        // In the same second a job is started over.
        std::fs::remove_file(&path).unwrap();
        growing.forget_removed(dir.path());
        std::fs::write(&path, "new\n").unwrap();
        let [piece] = &growing.take(dir.path(), false).unwrap()[..] else {
            panic!("not one piece");
        };
        assert_eq!(RunPaths::of_piece(&piece.key), Some((name, 0)));
        assert_eq!(piece.content.as_deref(), Some(&b"new\n"[..]));
    }
}
