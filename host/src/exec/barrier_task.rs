//! A piece of the work of a barrier, as any process can do it: what [`shuffle`](crate::global::shuffle)
//! is about, on files of the run directory.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::context::TaskContext;
use super::{elsewhere, segment};
use crate::checkpoint::{Account, Manifest, RowFile};
use crate::error::Stopped;
use crate::global::KeyTable;
use crate::global::shuffle::{self, Layout, Matching, ReadAt, SectionFile};
use crate::rundir::RunPaths;
use crate::wasm::thread_cpu;

/// A piece of the work of a barrier.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BarrierTask {
    /// The global op.
    pub op: usize,
    /// How its keys are spread.
    pub layout: Layout,
    /// Which piece.
    pub piece: Piece,
}

/// What is to be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Piece {
    /// The keys of a group of partitions go to sections.
    Split {
        /// The group.
        group: usize,
        /// The manifests of the keys of its partitions, without accounts.
        keys: Vec<Manifest>,
    },
    /// Some sections are looked through.
    Find {
        /// Which ones, of [`Layout::pieces`].
        number: usize,
        /// The files of all groups.
        splits: Vec<MadeFile>,
    },
}

/// A file that a piece of work has made. It is in `checkpoints/` until the barrier is over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MadeFile {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// What it took to make it.
    pub cpu_seconds: f64,
}

impl BarrierTask {
    /// The task that splits the keys of a group; `keys` are the manifests of those of all partitions.
    pub(super) fn split(op: usize, layout: &Layout, group: usize, keys: &[Manifest]) -> Self {
        let without_account = |keys: &Manifest| Manifest {
            account: Account::default(),
            ..keys.clone()
        };
        let keys = keys[layout.partitions(group)].iter();
        Self {
            op,
            layout: layout.clone(),
            piece: Piece::Split {
                group,
                keys: keys.map(without_account).collect(),
            },
        }
    }

    /// The task that looks through the sections of a piece.
    pub(super) fn find(op: usize, layout: &Layout, number: usize, splits: &[MadeFile]) -> Self {
        Self {
            op,
            layout: layout.clone(),
            piece: Piece::Find {
                number,
                splits: splits.to_vec(),
            },
        }
    }

    /// The name of the task: `split.OP.GROUP` or `find.OP.PIECE`.
    pub(crate) fn id(&self) -> String {
        match &self.piece {
            Piece::Split { group, .. } => format!("split.{}.{group}", self.op),
            Piece::Find { number, .. } => format!("find.{}.{number}", self.op),
        }
    }

    /// Whether it looks through sections.
    pub(crate) fn is_find(&self) -> bool {
        matches!(self.piece, Piece::Find { .. })
    }

    /// The manifests of the files that it reads, of those that have one.
    pub(crate) fn manifests(&self) -> &[Manifest] {
        match &self.piece {
            Piece::Split { keys, .. } => keys,
            Piece::Find { .. } => &[],
        }
    }

    /// The bytes that it has to read, about.
    pub(crate) fn bytes(&self) -> u64 {
        match &self.piece {
            Piece::Split { keys, .. } => keys.iter().map(|keys| keys.bytes).sum(),
            Piece::Find { splits, .. } => {
                let all: u64 = splits.iter().map(|file| file.bytes).sum();
                all / self.layout.pieces().len() as u64
            }
        }
    }
}

/// Does a piece of work. Its file is there when this returns.
pub(crate) fn run(env: &TaskContext<'_>, task: &BarrierTask) -> Result<MadeFile> {
    let started = thread_cpu();
    let (paths, layout) = (&env.store.paths, &task.layout);
    let goes_on = || match env.stop.requested() {
        true => Err(Stopped.into()),
        false => anyhow::Ok(()),
    };
    goes_on()?;
    let (path, bytes) = match &task.piece {
        Piece::Split { group, keys } => {
            let first = layout.partitions(*group).start;
            let tables = |p: usize| {
                goes_on()?;
                let keys = keys.get(p - first).context("a task without keys")?;
                table(env, keys, layout.matching == Matching::Grouped)
            };
            let bytes = shuffle::split(layout, *group, &tables);
            (paths.split(task.op, *group), bytes)
        }
        Piece::Find { number, splits } => {
            let all = layout.pieces();
            let sections = all.get(*number).context("a task without sections")?;
            let open = |group: usize| {
                goes_on()?;
                let file = splits.get(group).context("a task without files")?;
                open(env, file, layout.sections() + 1)
            };
            let bytes = shuffle::find(layout, sections.clone(), &open);
            (paths.found(task.op, *number), bytes)
        }
    };
    let name = || format!("op {} `{}`", task.op, env.plan.ops[task.op].name);
    let bytes = bytes.with_context(name)?;
    let path = env.store.place(path);
    // A power cut ends the barrier: nobody waits for the disk.
    env.store.storage.replace(&path, &bytes)?;
    let name = path.file_name().context("a file without a name")?;
    Ok(MadeFile {
        name: name.to_string_lossy().into_owned(),
        bytes: bytes.len() as u64,
        cpu_seconds: thread_cpu().saturating_sub(started).as_secs_f64(),
    })
}

/// The keys that a manifest is of; those of a grouper lie beside rows.
pub(super) fn table(
    env: &TaskContext<'_>,
    keys: &Manifest,
    is_beside_rows: bool,
) -> Result<KeyTable> {
    segment::bring(env, keys)?;
    let path = segment::data_of(env, keys);
    let read = || match is_beside_rows {
        true => KeyTable::from_bytes(RowFile::open(&path)?.keys()?),
        false => KeyTable::from_bytes(std::fs::read(&path)?),
    };
    read().with_context(|| format!("cannot read `{}`", path.display()))
}

/// Opens a file that was made for a barrier, of `sections` sections. Of one that is in a bucket alone,
/// what is read is fetched.
pub(super) fn open<'e>(
    env: &'e TaskContext<'_>,
    file: &MadeFile,
    sections: usize,
) -> Result<SectionFile<'e>> {
    let path = place(env, file)?;
    let bytes = file.bytes;
    let is_here = || path.symlink_metadata().is_ok_and(|found| found.is_file());
    let read_at: ReadAt<'e> = match env.store.paths.mirror() {
        Some(mirror) if !is_here() => {
            let object = mirror.object(&path, bytes)?;
            Box::new(move |to, at| {
                to.copy_from_slice(&object.fetch(at..at + to.len() as u64)?);
                Ok(())
            })
        }
        _ => {
            let opened = File::open(&path);
            let opened = opened.with_context(|| format!("cannot read `{}`", path.display()))?;
            Box::new(move |to, at| Ok(opened.read_exact_at(to, at)?))
        }
    };
    let place = path.display().to_string();
    Ok(SectionFile::new(place, read_at, bytes, sections))
}

/// Where a file of a barrier is.
fn place(env: &TaskContext<'_>, file: &MadeFile) -> Result<PathBuf> {
    let is_one = RunPaths::is_of_barrier(&file.name) && !file.name.contains('/');
    ensure!(is_one, "`{}` is no file of a barrier", file.name);
    Ok(env.store.paths.checkpoints().join(&file.name))
}

/// Puts a file of a worker where others see it, and takes it from the worker's copy of a run directory
/// that is in a bucket.
pub(crate) fn share(env: &TaskContext<'_>, file: &MadeFile) -> Result<()> {
    elsewhere::share(env)?;
    match env.store.paths.mirror() {
        Some(mirror) => mirror.leave(&place(env, file)?),
        None => Ok(()),
    }
}

/// Removes the files of all barriers that there are: no other one is at work.
pub(super) fn remove_left(env: &TaskContext<'_>) -> Result<()> {
    for path in env.store.paths.files_of_barriers()? {
        env.store.storage.remove_unsynced(&path)?;
    }
    Ok(())
}

/// Removes a file that is of no more use.
pub(super) fn remove(env: &TaskContext<'_>, file: &MadeFile) -> Result<()> {
    let path = place(env, file)?;
    if let Some(mirror) = env.store.paths.mirror() {
        mirror.adopt(&path)?;
    }
    env.store.storage.remove_unsynced(&path).map(drop)
}
