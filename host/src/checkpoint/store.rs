//! The committed files of a run: data is written first, the manifest last, and only whole files are
//! read back.

use std::collections::HashSet;
use std::fs::File;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail};

use super::codec::{RowsReader, RowsWriter, Stored, extension};
use super::differences::Memo;
use super::manifest::{Account, Artifact, FORMAT_VERSION, Manifest};
use super::row_file::RowFileWriter;
use crate::config::value::{ANY, OptionType};
use crate::config::{Compression, IntermediateStorage, StorageFormat};
use crate::data::{Batch, ExportOptions};
use crate::plan::lineage_key::Key;
use crate::rundir::checksum::checksum;
use crate::rundir::checksummed_json::{seal, unseal};
use crate::rundir::own_files::read_document;
use crate::rundir::{RunPaths, Storage};

/// Where and how checkpoints are stored.
#[derive(Clone)]
pub(crate) struct Store {
    /// The run directory.
    pub paths: RunPaths,
    /// The disk.
    pub storage: Storage,
    format: StorageFormat,
    compression: Compression,
    /// Whether rows equal to the input's are stored, too.
    whole: bool,
    batch_bytes: usize,
    /// The attempt and the number of the worker that writes; None: nobody else does.
    writer: Option<(u32, usize)>,
    sound: Arc<Sound>,
}

/// The files that this process has made, or read from their first byte to the last.
#[derive(Default)]
struct Sound(Mutex<HashSet<u64>>);

impl Sound {
    /// Stands for the file that `manifest` names and its content.
    fn mark(manifest: &Manifest) -> u64 {
        let is_part = manifest.artifact == Artifact::Part;
        let file = (is_part, &manifest.data, &manifest.checksum);
        BuildHasherDefault::<DefaultHasher>::default().hash_one(file)
    }

    fn add(&self, manifest: &Manifest) {
        let mut marks = self.0.lock().expect("no panic while held");
        marks.insert(Self::mark(manifest));
    }

    fn has(&self, manifest: &Manifest) -> bool {
        let marks = self.0.lock().expect("no panic while held");
        marks.contains(&Self::mark(manifest))
    }
}

/// A checkpoint being written.
pub(crate) struct WrittenRows {
    whole: bool,
    writer: RowsWriter,
    path: PathBuf,
}

impl WrittenRows {
    /// Adds rows. `memo` is that of all checkpoints that are written side by side.
    pub(crate) fn write(&mut self, batch: &Batch, memo: &mut Memo) -> Result<()> {
        self.writer
            .write(&Stored::new(batch, self.whole, memo)?)
            .context("cannot store the rows")
    }
}

impl Store {
    /// A store that writes by `settings` and reads batches of about `batch_bytes`.
    pub(crate) fn new(
        paths: RunPaths,
        storage: Storage,
        settings: &IntermediateStorage,
        batch_bytes: usize,
    ) -> Self {
        // JSON lines are for reading, so they must be complete.
        let whole = settings.whole_rows || settings.format == StorageFormat::Jsonl;
        Self {
            paths,
            storage,
            format: settings.format,
            compression: settings.compression(),
            whole,
            batch_bytes,
            writer: None,
            sound: Arc::default(),
        }
    }

    /// The same store for a worker of a cluster. Another one may be at work on the same task: what
    /// one writes is never in place of what a manifest of the other names.
    #[must_use]
    pub(crate) fn of_writer(self, attempt: u32, worker: usize) -> Self {
        Self {
            writer: Some((attempt, worker)),
            ..self
        }
    }

    /// Where a data file goes that is usually at `path`.
    pub(crate) fn place(&self, path: PathBuf) -> PathBuf {
        match self.writer {
            Some(writer) => RunPaths::of_writer(&path, writer),
            None => path,
        }
    }

    /// Starts the checkpoint of `partition` after `op`.
    pub(crate) fn rows(&self, op: usize, partition: usize) -> Result<WrittenRows> {
        let extension = extension(self.format, self.compression);
        let path = self.place(self.paths.checkpoint(op, partition, extension));
        let file = self.storage.create(&path)?;
        Ok(WrittenRows {
            whole: self.whole,
            writer: RowsWriter::new(file, self.format, self.compression),
            path,
        })
    }

    /// Makes the rows durable, then commits their manifest.
    pub(crate) fn commit_rows(
        &self,
        rows: WrittenRows,
        key: &Key,
        (op, partition): (usize, usize),
        account: &Account,
        write_seconds: f64,
    ) -> Result<Manifest> {
        let WrittenRows { writer, path, .. } = rows;
        let (file, rows, bytes, checksum) = writer.finish().context("cannot store the rows")?;
        file.commit()?;
        let manifest = Manifest {
            format_version: FORMAT_VERSION,
            artifact: Artifact::Rows,
            key: key.clone(),
            op: Some(op),
            partition,
            data: file_name(&path),
            rows,
            bytes,
            checksum,
            account: account.clone(),
            storage: Some(storage_name(self.format, self.compression)),
            write_seconds,
            part: None,
        };
        self.commit(&self.paths.checkpoint_manifest(op, partition), &manifest)?;
        Ok(manifest)
    }

    /// Writes a small file (keys, masks), which is usually at `data`, and commits it with its manifest.
    pub(crate) fn commit_bytes(
        &self,
        bytes: &[u8],
        data: PathBuf,
        manifest_path: &Path,
        mut manifest: Manifest,
    ) -> Result<Manifest> {
        let data = self.place(data);
        self.storage.write_atomic(&data, bytes)?;
        manifest.data = file_name(&data);
        manifest.bytes = bytes.len() as u64;
        manifest.checksum = checksum(bytes)?.0;
        self.commit(manifest_path, &manifest)?;
        Ok(manifest)
    }

    /// Starts the file of the keys of `partition` for grouper `op`, with their rows.
    pub(crate) fn keys_with_rows(
        &self,
        op: usize,
        partition: usize,
        export: &ExportOptions,
    ) -> Result<RowFileWriter> {
        let path = self.place(self.paths.keys_with_rows(op, partition));
        Ok(RowFileWriter::new(self.storage.create(&path)?, export))
    }

    /// Commits a file of [`keys_with_rows`](Self::keys_with_rows) with its manifest.
    pub(crate) fn commit_keys_with_rows(
        &self,
        rows: RowFileWriter,
        keys: &[u8],
        mut manifest: Manifest,
    ) -> Result<Manifest> {
        let (op, partition) = (
            manifest.op.context("keys are of an op")?,
            manifest.partition,
        );
        let (file, bytes, checksum) = rows.finish(keys)?;
        file.commit()?;
        manifest.data = file_name(&self.place(self.paths.keys_with_rows(op, partition)));
        (manifest.bytes, manifest.checksum) = (bytes, checksum);
        self.commit(&self.paths.keys_manifest(op, partition), &manifest)?;
        Ok(manifest)
    }

    /// A manifest for [`commit_bytes`](Self::commit_bytes) to complete, or for a part.
    pub(crate) fn manifest(
        artifact: Artifact,
        key: Key,
        op: Option<usize>,
        partition: usize,
        rows: u64,
        account: Account,
    ) -> Manifest {
        Manifest {
            format_version: FORMAT_VERSION,
            artifact,
            key,
            op,
            partition,
            data: String::new(),
            rows,
            bytes: 0,
            checksum: String::new(),
            account,
            storage: None,
            write_seconds: 0.0,
            part: None,
        }
    }

    /// Opens the rows of a checkpoint that [`check`](Self::check) found good.
    pub(crate) fn open_rows(&self, manifest: &Manifest) -> Result<RowsReader> {
        let (format, compression) = parse_storage(manifest.storage.as_deref().unwrap_or_default())?;
        RowsReader::open(
            &self.paths.checkpoints().join(&manifest.data),
            format,
            compression,
            manifest.rows,
            self.batch_bytes,
        )
    }

    /// Commits the manifest of a file that this process has made: from now on the file exists.
    pub(crate) fn commit(&self, path: &Path, manifest: &Manifest) -> Result<()> {
        self.write_manifest(path, manifest)?;
        self.sound.add(manifest);
        Ok(())
    }

    /// Writes the manifest of a file that there was before.
    pub(crate) fn write_manifest(&self, path: &Path, manifest: &Manifest) -> Result<()> {
        self.storage.write_atomic(path, &seal(manifest)?)
    }

    /// Reads a manifest. Returns None if there is none, and fails if its version is another.
    pub(crate) fn read_manifest(path: &Path) -> Result<Option<Manifest>> {
        let bytes = match read_document(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e).with_context(|| format!("cannot read `{}`", path.display())),
        };
        let manifest: Manifest =
            unseal(&bytes).with_context(|| format!("`{}` is not a manifest", path.display()))?;
        if manifest.format_version != FORMAT_VERSION {
            bail!(
                "`{}` has format version {}, this program writes {FORMAT_VERSION}",
                path.display(),
                manifest.format_version
            );
        }
        Ok(Some(manifest))
    }

    /// Whether [`check`](Self::check) would find the file good without reading it.
    pub(crate) fn is_sound(&self, manifest: &Manifest) -> bool {
        self.sound.has(manifest)
    }

    /// Checks the data file in `dir` against the manifest, byte for byte, unless this process has
    /// done so or made it. The error says how they differ.
    pub(crate) fn check(&self, dir: &Path, manifest: &Manifest) -> Result<()> {
        if !self.is_sound(manifest) {
            Self::compare(dir, manifest)?;
            self.sound.add(manifest);
        }
        Ok(())
    }

    /// Checks the data file in `dir` against the manifest, byte for byte.
    pub(crate) fn compare(dir: &Path, manifest: &Manifest) -> Result<()> {
        let path = manifest.data_in(dir)?;
        let file =
            File::open(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let (sum, bytes) =
            checksum(file).with_context(|| format!("cannot read `{}`", path.display()))?;
        manifest.check_bytes(dir, bytes)?;
        if sum != manifest.checksum {
            bail!("`{}` is damaged: its checksum differs", path.display());
        }
        Ok(())
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn storage_name(format: StorageFormat, compression: Compression) -> String {
    format!("{}/{}", format.word(), compression.word())
}

fn parse_storage(name: &str) -> Result<(StorageFormat, Compression)> {
    let (format, compression) = name
        .split_once('/')
        .context("the manifest does not say how its rows are stored")?;
    let unknown = || anyhow::anyhow!("rows stored as `{name}` cannot be read");
    Ok((
        StorageFormat::read_text(format, ANY).map_err(|_| unknown())?,
        Compression::read_text(compression, ANY).map_err(|_| unknown())?,
    ))
}
