//! Finds the lines of rows by counting line ends: from the next place before them whose line is known,
//! or from the beginning of their partition if that is far away. What is before the partition others
//! count as they read it, so the lines of such rows are known when all partitions are done.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Mutex;

use anyhow::{Context, Result, ensure};

use super::context::TaskContext;
use crate::checkpoint::Manifest;
use crate::data::batch::split_id;
use crate::data::input::handle::{Handle, Sequential};
use crate::data::input::source_lines::LineReader;
use crate::data::{Dataset, Slice};
use crate::rundir::quarantine_entry::for_each_entry;

/// Bytes that a task reads at most to know a line at once: a gigabyte takes a processor a fifth of a
/// second. Of a remote file they come over the network.
const NEAR: u64 = 1 << 30;
const NEAR_REMOTE: u64 = 16 << 20;
/// Names the variable that tests set to have the lines of all rows counted from their partitions.
const TEST_NEAR: &str = "DJHOST_TEST_NEAR_BYTES";
/// Bytes per read.
const PIECE: usize = 256 << 10;

/// Places whose lines this process knows: the line that begins at a byte of a file.
#[derive(Debug, Default)]
pub(crate) struct KnownLines(Mutex<BTreeMap<(usize, u64), u64>>);

impl KnownLines {
    /// The last known place of `file` up to `offset`, and its line.
    fn before(&self, file: usize, offset: u64) -> (u64, u64) {
        let known = self.0.lock().expect("no panic while held");
        let last = known.range((file, 0)..=(file, offset)).next_back();
        last.map_or((0, 1), |((_, offset), line)| (*offset, *line))
    }

    fn add(&self, file: usize, offset: u64, line: u64) {
        let mut known = self.0.lock().expect("no panic while held");
        known.insert((file, offset), line);
    }
}

/// Where a row begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The line of the user's file, from 1; the row of columns, from 1; the byte of a file of pages.
    /// None: it is far away.
    pub line: Option<u64>,
    /// If so, the line within the partition, from 1.
    pub line_in_partition: Option<u64>,
    /// Whether the row's offset is one in the user's file.
    pub has_offset: bool,
}

/// Finds the lines of ascending offsets in one pass over the line ends.
pub(super) struct Lines<'a> {
    dataset: &'a Dataset,
    /// The slices of the rows' partition, and what is known. None: all that is before a row is read.
    near: Option<(&'a [Slice], &'a KnownLines)>,
    at: Option<At>,
}

/// A file that is being read.
struct At {
    file: usize,
    reader: Sequential,
    offset: u64,
    /// The line that begins at `offset`, or is there.
    line: u64,
    /// Whether lines are counted from the beginning of the partition.
    is_in_partition: bool,
    /// For rows that were unpacked from rows that span or share lines.
    source: Option<LineReader>,
    buffer: Vec<u8>,
}

impl<'a> Lines<'a> {
    /// Of rows anywhere in `dataset`.
    pub(super) fn new(dataset: &'a Dataset) -> Self {
        Self {
            dataset,
            near: None,
            at: None,
        }
    }

    /// Of rows of the partition that has these slices.
    pub(super) fn of_partition(
        dataset: &'a Dataset,
        slices: &'a [Slice],
        known: &'a KnownLines,
    ) -> Self {
        Self {
            dataset,
            near: Some((slices, known)),
            at: None,
        }
    }

    /// Where the row at `offset` begins.
    pub(super) fn of(&mut self, file: usize, offset: u64) -> Result<Place> {
        let known = |line| Place {
            line: Some(line),
            line_in_partition: None,
            has_offset: true,
        };
        if self.dataset.is_columnar() {
            return Ok(known(offset + 1));
        }
        if self.dataset.is_pages() {
            return Ok(known(offset));
        }
        let input = &self.dataset.files[file];
        let context = || format!("cannot read `{}`", input.path.display());
        let at = match self.at.take() {
            Some(at) if at.file == file && at.offset <= offset => at,
            left => {
                self.at = left;
                self.leave();
                self.open(file, offset).with_context(context)?
            }
        };
        let at = self.at.insert(at);
        at.count_to(offset).with_context(context)?;
        if at.is_in_partition {
            return Ok(Place {
                line: None,
                line_in_partition: Some(at.line),
                has_offset: at.source.is_none(),
            });
        }
        let source = at.source.as_mut();
        let line = source.map(|source| source.line(at.line - 1)).transpose()?;
        Ok(Place {
            line: Some(line.flatten().unwrap_or(at.line)),
            has_offset: at.source.is_none(),
            ..known(0)
        })
    }

    fn open(&self, file: usize, offset: u64) -> io::Result<At> {
        let input = &self.dataset.files[file];
        let (mut from, mut line, mut end) = (0, 1, input.bytes);
        let mut is_in_partition = false;
        if let Some((slices, known)) = self.near {
            (from, line) = known.before(file, offset);
            let has = |slice: &&Slice| slice.file == file && slice.end > offset;
            let slice = slices.iter().find(has);
            end = slice.map_or(end, |slice| slice.end);
            let start = slice.map_or(0, |slice| slice.start.min(offset));
            if start > from && offset - from > near(input.version.is_some()) {
                (from, line, is_in_partition) = (start, 1, true);
            }
        }
        Ok(At {
            file,
            reader: Handle::open(input)?.sequential(from, end, PIECE as u64),
            offset: from,
            line,
            is_in_partition,
            source: match input.origin {
                Some(_) => LineReader::of(&input.path)?,
                None => None,
            },
            buffer: Vec::with_capacity(PIECE),
        })
    }

    /// Keeps what is known of the file that was read last.
    fn leave(&mut self) {
        if let (Some(at), Some((_, known))) = (self.at.take(), self.near)
            && !at.is_in_partition
        {
            known.add(at.file, at.offset, at.line);
        }
    }
}

impl Drop for Lines<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl At {
    fn count_to(&mut self, offset: u64) -> io::Result<()> {
        while self.offset < offset {
            self.buffer.clear();
            let want = PIECE.min((offset - self.offset) as usize);
            let got = self.reader.append(&mut self.buffer, want, self.offset)?;
            if got == 0 {
                break;
            }
            self.line += memchr::memchr_iter(b'\n', &self.buffer).count() as u64;
            self.offset += got as u64;
        }
        Ok(())
    }
}

fn near(is_remote: bool) -> u64 {
    let set = std::env::var(TEST_NEAR).ok();
    set.and_then(|set| set.parse().ok())
        .unwrap_or(match is_remote {
            true => NEAR_REMOTE,
            false => NEAR,
        })
}

/// File and line of a row, or row number in a file of columns, or position in a file of pages; line 0
/// if the file cannot be read.
pub(crate) fn place(dataset: &Dataset, id: u64) -> (String, u64) {
    places(dataset, &[id]).pop().unwrap_or_default()
}

/// The same of rows with ascending ids, in one pass over their files.
pub(crate) fn places(dataset: &Dataset, ids: &[u64]) -> Vec<(String, u64)> {
    let mut lines = Lines::new(dataset);
    let place = |id: &u64| {
        let (file, offset) = split_id(*id);
        let name = dataset.files.get(file).map(|f| f.shown().to_string());
        let place = lines.of(file, offset).ok();
        let line = place.and_then(|place| place.line);
        (name.unwrap_or_default(), line.unwrap_or(0))
    };
    ids.iter().map(place).collect()
}

/// Writes the lines into the files of rows in quarantine that do not have them yet. `parts` are the
/// manifests of all parts, in order, whose accounts have the lines that were read.
pub(crate) fn complete(env: &TaskContext<'_>, parts: &[Manifest]) -> Result<()> {
    let lacks = |part: &&Manifest| part.account.quarantine.iter().any(|file| file.unplaced > 0);
    if !parts.iter().any(|part| lacks(&part)) {
        return Ok(());
    }
    // Lines before the slice of each partition in each file; None after a partition whose lines are
    // not known, because another version of this program has read it.
    let mut before: HashMap<usize, Option<u64>> = HashMap::new();
    for part in parts {
        let slices = &env.partitions[part.partition].slices;
        if lacks(&part) {
            let mut starts = HashMap::new();
            for slice in slices {
                let start = before.get(&slice.file).copied().unwrap_or(Some(0));
                starts.insert(slice.file, start);
            }
            for file in part.account.quarantine.iter().filter(|f| f.unplaced > 0) {
                let path = env.store.paths.quarantine().join(&file.name);
                env.store.paths.bring(&path)?;
                write_lines(env, &path, &starts)?;
            }
        }
        for slice in slices {
            let lines = part.account.lines.get(&slice.file);
            let start = before.entry(slice.file).or_insert(Some(0));
            *start = start.zip(lines).map(|(start, lines)| start + lines);
        }
    }
    Ok(())
}

fn write_lines(
    env: &TaskContext<'_>,
    path: &Path,
    starts: &HashMap<usize, Option<u64>>,
) -> Result<()> {
    let mut out = BufWriter::new(env.store.storage.create(path)?);
    let mut sources: HashMap<usize, (u64, Option<LineReader>)> = HashMap::new();
    let mut counted = Lines::new(env.dataset);
    for_each_entry(path, |mut entry, line| {
        let Some(number) = entry.line_in_partition.take() else {
            out.write_all(line.as_bytes())?;
            out.write_all(b"\n")?;
            return Ok(true);
        };
        let (file, offset) = split_id(entry.row_id);
        ensure!(file < env.dataset.files.len(), "there is no file {file}");
        entry.line = match starts.get(&file).copied().flatten() {
            None => counted.of(file, offset)?.line,
            Some(before) => {
                let row = before + number - 1;
                let input = &env.dataset.files[file];
                let (last, source) = sources.entry(file).or_default();
                if *last == 0 || row < *last {
                    *source = match input.origin {
                        Some(_) => LineReader::of(&input.path)?,
                        None => None,
                    };
                }
                *last = row;
                let line = source.as_mut().map(|source| source.line(row)).transpose()?;
                Some(line.flatten().unwrap_or(row + 1))
            }
        };
        serde_json::to_writer(&mut out, &entry)?;
        out.write_all(b"\n")?;
        Ok(true)
    })?;
    out.into_inner().map_err(|e| e.into_error())?.commit()
}
