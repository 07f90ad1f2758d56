//! What a columnar file's metadata says.

use super::file::{Format, InputFile};
use super::{arrow_file, parquet_file};
use crate::data::columns::unique::check_names;
use crate::error::UserError;
use anyhow::{Result, bail};
use arrow::datatypes::SchemaRef;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Schema and number of rows of a columnar file. Fails if two columns have the same name.
pub(crate) fn describe(file: &InputFile) -> Result<(SchemaRef, u64)> {
    let name = file.path.display().to_string();
    let (schema, rows) = guarded(&name, || match file.format {
        Format::Parquet => parquet_file::describe(&file.path),
        Format::Arrow => arrow_file::describe(&file.path),
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
    catch_unwind(AssertUnwindSafe(f))
        .unwrap_or_else(|_| bail!("`{name}` is damaged: its decoder gave up"))
}
