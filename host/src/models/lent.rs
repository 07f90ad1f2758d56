//! A model of this process, opened once.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use djhost_inference::onnx::Runtime;
use djhost_inference::{Info, Kind, Model};
use sha2::{Digest, Sha256};

/// A model that is open, shared by all ops and threads that use it. It is closed when the last of
/// them ends.
pub struct Lent {
    /// The model itself.
    pub model: Model,
    /// What it is, and the memory that it takes.
    pub info: Info,
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of the file, in hex.
    pub digest: String,
}

/// The files that a directory with a model of a kind may have it in; the first that is there counts.
pub(crate) fn files_inside(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Tokenizer => &["tokenizer.json"],
        Kind::Onnx => &["model.onnx", "onnx/model.onnx"],
        _ => &[],
    }
}

/// What tells one state of a file from another: device, inode, size, modification time.
type State = (u64, u64, u64, i64, i64);

/// The models that are open, and what their files were like then.
static OPEN: Mutex<Vec<(State, Kind, Weak<Lent>)>> = Mutex::new(Vec::new());

impl Lent {
    /// Opens the model of `kind` in `path`, or returns the one that is open already, as long as the
    /// file is the same. Reads the whole file once, for its digest. A network is computed by `runtime`, if
    /// there is one.
    ///
    /// # Errors
    /// The file cannot be read, or is not a sound model of this kind; the message names it.
    pub fn open(
        path: &Path,
        kind: Kind,
        runtime: Option<&'static Runtime>,
    ) -> Result<Arc<Self>, String> {
        let inside = inside(path, kind)?;
        let path = inside.as_deref().unwrap_or(path);
        let unreadable = |error| format!("`{}`: it cannot be read: {error}", path.display());
        let state = state(path).map_err(unreadable)?;
        // Held while a model is opened: others that want the same one wait, and get it.
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(.., lent)| lent.strong_count() > 0);
        let same = open
            .iter()
            .find(|(other, of, _)| *other == state && *of == kind);
        if let Some(lent) = same.and_then(|(.., lent)| lent.upgrade()) {
            return Ok(lent);
        }
        let model =
            Model::open_with(path, Some(kind), runtime).map_err(|error| error.to_string())?;
        let lent = Arc::new(Self {
            info: model.info(),
            model,
            path: path.to_owned(),
            digest: digest(path).map_err(unreadable)?,
        });
        open.push((state, kind, Arc::downgrade(&lent)));
        Ok(lent)
    }
}

/// The file in a directory, which is as good as the file itself; None if `path` is no directory, or
/// models of this kind are in none.
fn inside(path: &Path, kind: Kind) -> Result<Option<PathBuf>, String> {
    let names = files_inside(kind);
    if names.is_empty() || !path.is_dir() {
        return Ok(None);
    }
    let found = names
        .iter()
        .map(|name| path.join(name))
        .find(|file| file.exists());
    found.map(Some).ok_or_else(|| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        format!("`{}`: it has no {}", path.display(), names.join(" or "))
    })
}

fn state(path: &Path) -> std::io::Result<State> {
    let meta = std::fs::metadata(path)?;
    if !meta.is_file() {
        return Err(std::io::Error::other("it is not a file"));
    }
    Ok((
        meta.dev(),
        meta.ino(),
        meta.len(),
        meta.mtime(),
        meta.mtime_nsec(),
    ))
}

/// SHA-256 of a file: some seconds for one of several gigabytes, which the first use reads anyway.
fn digest(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut sha = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex::encode(sha.finalize())),
            read => sha.update(&buffer[..read]),
        }
    }
}
