//! What a columnar file's metadata says.

use super::file::{Format, InputFile};
use super::{arrow_file, parquet_file};
use crate::data::columns::unique::check_names;
use crate::error::UserError;
use anyhow::{Result, bail};
use arrow::datatypes::SchemaRef;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// Schema and number of rows of a columnar file. Fails if two columns have the same name.
pub(crate) fn describe(file: &InputFile) -> Result<(SchemaRef, u64)> {
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

/// Number of rows of a columnar file, from its metadata.
pub(crate) fn row_count(file: &InputFile) -> Result<u64> {
    Ok(describe(file)?.1)
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
