//! What a columnar file's metadata says.

use super::file::{Format, InputFile};
use super::several::of_each;
use super::{arrow_file, parquet_file};
use crate::data::columns::unique::check_names;
use crate::error::UserError;
use anyhow::{Result, bail};
use arrow::datatypes::SchemaRef;
use std::cell::Cell;
use std::collections::HashMap;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, MutexGuard, Once};

/// Schema and number of rows of a columnar file. Fails if two columns have the same name.
pub(crate) fn describe(file: &InputFile) -> Result<(SchemaRef, u64)> {
    let name = name_of(file);
    if let Some(known) = name.as_ref().and_then(|name| known().get(name).cloned()) {
        return Ok(known);
    }
    let described = describe_anew(file)?;
    if let Some(name) = name {
        let mut known = known();
        if known.len() == MOST_KNOWN {
            known.clear();
        }
        known.insert(name, described.clone());
    }
    Ok(described)
}

/// Schemas and numbers of rows of columnar files, in their order: of remote ones several are asked
/// for at a time.
pub(crate) fn describe_all(files: &[&InputFile]) -> Result<Vec<(SchemaRef, u64)>> {
    let mut described = of_each(files, describe)?;
    // Very many files mostly have one schema, which is kept once.
    for at in 1..described.len() {
        if described[at].0 == described[at - 1].0 {
            described[at].0 = described[at - 1].0.clone();
        }
    }
    Ok(described)
}

/// Address, size and version of a remote file.
type Name = (PathBuf, u64, String);

/// Remote files of which the description is kept: a job asks several times, each time by a request.
const MOST_KNOWN: usize = 1 << 16;

type Known = HashMap<Name, (SchemaRef, u64)>;

fn known() -> MutexGuard<'static, Known> {
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    KNOWN.lock().expect("nothing panics while it is held")
}

/// None for a file that may be another one the next time.
fn name_of(file: &InputFile) -> Option<Name> {
    let tag = file.version.as_ref()?.tag.clone();
    // The hub's addresses name a commit.
    let is_pinned = file.path.starts_with("hf:");
    let tag = tag.or(is_pinned.then(String::new))?;
    Some((file.path.clone(), file.bytes, tag))
}

fn describe_anew(file: &InputFile) -> Result<(SchemaRef, u64)> {
    let name = file.path.display().to_string();
    let (schema, rows) = guarded(&name, || match file.format {
        Format::Parquet => parquet_file::describe(file),
        Format::Arrow => arrow_file::describe(file),
        _ => bail!("`{}` has no columns", file.path.display()),
    })
    // A file without readable metadata is unusable.
    .map_err(|e| UserError::new("", format!("{e:#}")))?;
    check_names(schema.fields()).map_err(|e| {
        UserError::new(name, format!("{e:#}")).hint("give each column a name of its own")
    })?;
    Ok((schema, rows))
}

/// Numbers of rows of columnar files, from their metadata, in their order.
pub(crate) fn row_counts(files: &[&InputFile]) -> Result<Vec<u64>> {
    of_each(files, |file| Ok(describe(file)?.1))
}

/// Turns a panic in `f` into an error about the file called `name`: the decoders check what they
/// read, but a hostile file can still trip an assertion in them.
pub(crate) fn guarded<T>(name: &str, f: impl FnOnce() -> Result<T>) -> Result<T> {
    caught(f).unwrap_or_else(|| bail!("`{name}` is damaged: its decoder gave up"))
}

thread_local! {
    /// Whether a panic of this thread is an answer, and nobody wants to read of it.
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// What `f` gives; None, and not a word on standard error, if it panics.
pub(crate) fn caught<T>(f: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if IS_QUIET.get() {
                tracing::debug!("{panic}");
            } else {
                before(panic);
            }
        }));
    });
    let was = IS_QUIET.replace(true);
    let result = catch_unwind(AssertUnwindSafe(f)).ok();
    IS_QUIET.set(was);
    result
}
