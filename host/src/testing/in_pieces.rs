//! Duplicates found in pieces, one after another, with the files in a directory.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::global::shuffle::{Finish, Keys, Layout, Matching, SectionFile, find, split};
use crate::global::{Duplicates, KeyTable, Mask};

/// The same as `first_of_keys`, `first_of_groups` or, with a `distance`, `first_of_near`, with
/// sections of about `section` bytes in files in `dir`, which stay. Returns the bytes of the files.
pub fn first_in_pieces(
    tables: &(dyn Fn(usize) -> Result<KeyTable> + Sync),
    masks: &mut [Mask],
    (shape, distance): ((usize, usize), Option<u32>),
    section: u64,
    dir: &Path,
) -> Result<usize> {
    let about = |mask: &Mask| Keys {
        rows: mask.rows() as u64,
        bytes: 0,
    };
    let keys: Vec<Keys> = masks.iter().map(about).collect();
    let matching = distance.map_or(Matching::Equal, Matching::near);
    let layout = Layout::new(matching, shape, &keys, section);
    let place = |kind: &str, number: usize| dir.join(format!("{kind}-{number}"));
    let mut written = 0;
    let mut write = |path: PathBuf, bytes: Vec<u8>| -> Result<()> {
        written += bytes.len();
        Ok(std::fs::write(path, bytes)?)
    };
    let open = |kind: &'static str, sections: usize| {
        move |number: usize| -> Result<SectionFile<'_>> {
            let file = File::open(place(kind, number))?;
            let bytes = file.metadata()?.len();
            let read_at = move |to: &mut [u8], at: u64| Ok(file.read_exact_at(to, at)?);
            let place = number.to_string();
            Ok(SectionFile::new(place, Box::new(read_at), bytes, sections))
        }
    };
    for group in 0..layout.groups() {
        write(place("split", group), split(&layout, group, tables)?)?;
    }
    let splits = open("split", layout.sections() + 1);
    for (piece, sections) in layout.pieces().into_iter().enumerate() {
        write(place("found", piece), find(&layout, sections, &splits)?)?;
    }
    let found = open("found", layout.found_sections());
    let finish = Finish::new(&layout, &splits, &found);
    let none = &mut Duplicates::ignored();
    if finish.joins() {
        let start = crate::global::first_rows(masks);
        finish.joined(masks)?.keep_first(masks, &start, none);
    } else {
        finish.first(masks, none)?;
    }
    Ok(written)
}
