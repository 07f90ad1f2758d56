//! Looks at the first bytes of remote files: several at a time, because each look is a request, and
//! of very many files only at some.

use super::handle::FileAt;
use super::select::Found;
use super::sniff::{Sniffed, sniff, unpacked_name};
use crate::threads::pool;
use anyhow::Result;
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Requests at a time.
const AT_ONCE: usize = 32;
/// Files of one ending at which it looks, if there are more.
const LOOKS: usize = 64;

/// What was seen of each remote file. Files with the same ending as [`LOOKS`] others, spread over
/// all of them and all of one kind, are taken for the same: readers check.
pub(super) fn look_ahead(
    found: &[Found],
    zstd_window: u64,
) -> Result<HashMap<PathBuf, Result<Sniffed>>> {
    let mut kinds: HashMap<String, Vec<&Found>> = HashMap::new();
    for file in found.iter().filter(|file| file.version.is_some()) {
        // What may be metadata is judged by itself.
        let ending = match file.looks_like_notes {
            true => file.path.display().to_string(),
            false => ending(&file.path),
        };
        kinds.entry(ending).or_default().push(file);
    }
    if kinds.is_empty() {
        return Ok(HashMap::new());
    }
    let chosen: Vec<&Found> = kinds.values().flat_map(|files| spread(files)).collect();
    let look = |file: &&Found| {
        let at = FileAt::new(&file.path, file.bytes, file.version.as_ref());
        (file.path.clone(), sniff(at, zstd_window))
    };
    let threads = pool(AT_ONCE.min(chosen.len()), "look")?;
    let mut looks: HashMap<PathBuf, Result<Sniffed>> =
        threads.install(|| chosen.par_iter().map(look).collect());
    for files in kinds.values().filter(|files| files.len() > LOOKS) {
        let seen = spread(files).filter_map(|file| looks.get(&file.path)?.as_ref().ok());
        let seen: Vec<&Sniffed> = seen.collect();
        let Some(first) = seen.first().map(|first| (*first).clone()) else {
            continue;
        };
        let is_alike = seen.len() == spread(files).count()
            && seen.iter().all(|other| {
                other.note.is_none()
                    && other.unreadable.is_none()
                    && (other.format, other.compression) == (first.format, first.compression)
            });
        let rest: Vec<&Found> = files
            .iter()
            .filter(|file| !looks.contains_key(&file.path))
            .copied()
            .collect();
        match is_alike {
            true => looks.extend(
                rest.into_iter()
                    .map(|file| (file.path.clone(), Ok(first.clone()))),
            ),
            // They differ, so each has to be looked at.
            false => {
                looks.extend(threads.install(|| rest.par_iter().map(look).collect::<Vec<_>>()))
            }
        }
    }
    Ok(looks)
}

/// At most [`LOOKS`] of `files`, at equal distances.
fn spread<'a>(files: &'a [&'a Found]) -> impl Iterator<Item = &'a Found> {
    let count = files.len().min(LOOKS);
    (0..count).map(move |k| files[k * files.len() / count])
}

/// The part of a name that says what is in a file: `jsonl.gz`.
fn ending(path: &Path) -> String {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    let bare = unpacked_name(&name);
    let format = bare.rsplit_once('.').map_or(bare, |(_, format)| format);
    format!("{format}{}", &name[bare.len()..])
}
