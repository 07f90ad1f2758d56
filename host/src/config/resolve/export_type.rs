//! The format of the result.

use std::path::Path;

use crate::config::choices::ExportType;
use crate::config::invalid_value::InvalidValue;
use crate::config::options::Config;
use crate::remote::address::{Address, Scheme, is_address};

/// Returns the format of the result, from `export_type` or the suffix of the path.
pub(super) fn export_type(
    config: &Config,
    place: &str,
    notes: &mut Vec<String>,
) -> Result<ExportType, InvalidValue> {
    let path = &config.export_path;
    if is_address(path)
        && let Err(wrong) = Address::parse_target(path)
    {
        let value = InvalidValue::new(wrong.message);
        return Err(match wrong.hint {
            Some(hint) => value.hint(hint),
            None => value,
        });
    }
    if let Some(ty) = dataset(config, path)? {
        return Ok(ty);
    }
    if path.ends_with('/') || path.ends_with("/.") {
        return Err(InvalidValue::new(format!(
            "`{path}` names a directory, and the result is a file"
        ))
        .hint(format!(
            "write `{}/result.jsonl`, or another name that ends in the format",
            path.trim_end_matches("/.").trim_end_matches('/')
        )));
    }
    if Path::new(path).file_name().is_none() {
        return Err(InvalidValue::new(format!("`{path}` does not name a file"))
            .hint("write a path like `outputs/result.jsonl`"));
    }
    if let Some(chosen) = config.export_type {
        return Ok(chosen);
    }
    // Only JSON may be packed; other packed results are refused together with the path.
    let name = path.to_ascii_lowercase();
    let unpacked = [".gz", ".zst", ".zstd"]
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(&name);
    match Path::new(unpacked).extension().and_then(|e| e.to_str()) {
        // Data-Juicer's Ray executors expect a directory here and write JSONL.
        None => {
            notes.push(format!("{place}: the end of `{path}` does not say a format: JSONL is written"));
            Ok(ExportType::Jsonl)
        }
        Some("jsonl") => Ok(ExportType::Jsonl),
        Some("json") => Ok(ExportType::Json),
        Some("parquet") => Ok(ExportType::Parquet),
        Some("arrow") => Ok(ExportType::Arrow),
        Some(other) => Err(InvalidValue::new(format!("the end of `{path}` says no known format: `{other}`")).hint(
            "end it in `.jsonl`, `.json`, `.parquet` or `.arrow`, the first two also in `.jsonl.gz` or `.json.zst`, or set `export_type`",
        )),
    }
}

/// Whether the result is a dataset in the layout of the Hugging Face hub: it is asked for, or all of
/// a dataset on the hub is written.
fn dataset(config: &Config, path: &str) -> Result<Option<ExportType>, InvalidValue> {
    let on_hub = Address::parse_target(path)
        .ok()
        .filter(|address| address.scheme == Scheme::Hub);
    let is_whole = on_hub
        .as_ref()
        .is_some_and(|address| address.key.trim_matches('/').is_empty());
    let chosen = config.export_type;
    match (chosen, &on_hub) {
        (Some(ExportType::Hf), Some(_)) | (None, Some(_)) if is_whole => Ok(Some(ExportType::Hf)),
        (Some(ExportType::Hf), Some(_)) => Err(InvalidValue::new(format!(
            "`{path}` names a file or directory of a dataset, and `export_type: hf` writes all of one"
        ))
        .hint("write `hf://datasets/OWNER/NAME`, with a branch `hf://datasets/OWNER/NAME@BRANCH`")),
        (Some(_), Some(_)) if is_whole => Err(InvalidValue::new(format!(
            "`{path}` names all of a dataset on the hub, and no file in it"
        ))
        .hint("leave out `export_type`, or name a file: `hf://datasets/OWNER/NAME/data/rows.jsonl`")),
        (Some(ExportType::Hf), None) if is_address(path) => Err(InvalidValue::new(format!(
            "`{path}`: a dataset with its card is written to a directory or to the hub"
        ))
        .hint("write a local path, or `hf://datasets/OWNER/NAME`")),
        (Some(ExportType::Hf), None) => {
            let name = Path::new(path).file_name();
            let is_file = ["jsonl", "json", "parquet", "arrow"]
                .iter()
                .any(|end| Path::new(path).extension().is_some_and(|e| e.eq_ignore_ascii_case(end)));
            if name.is_none() || is_file {
                return Err(InvalidValue::new(format!(
                    "`{path}`: `export_type: hf` writes a directory, and this is no name for one"
                ))
                .hint("write a path like `outputs/my_dataset`"));
            }
            Ok(Some(ExportType::Hf))
        }
        _ => Ok(None),
    }
}
