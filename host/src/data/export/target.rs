//! Where the export goes, and in which format.

use crate::data::input::Compression;
use crate::error::{UserError, did_you_mean};
use crate::rundir::shard_name::{is_shard_name, shard_name};
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// How the export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// One JSON object per line.
    Jsonl,
    /// One JSON array.
    Json,
    /// Apache Parquet.
    Parquet,
    /// An Arrow IPC stream, the format of Hugging Face's `.arrow` files.
    Arrow,
}

impl ExportFormat {
    const NAMES: [(&'static str, Self); 4] = [
        ("jsonl", Self::Jsonl),
        ("json", Self::Json),
        ("parquet", Self::Parquet),
        ("arrow", Self::Arrow),
    ];

    /// Whether it is written from columns.
    pub fn is_columnar(self) -> bool {
        matches!(self, Self::Parquet | Self::Arrow)
    }
}

/// Where the export goes, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportTarget {
    /// The file; with shards, the pattern of their names.
    pub path: PathBuf,
    /// The address where the result goes from `path`, which is in the run directory then.
    pub remote: Option<PathBuf>,
    /// How rows are written.
    pub format: ExportFormat,
    /// Gzip or zstd around JSON.
    pub compression: Compression,
    /// Largest size of a shard in bytes, before compression; None: one file. A longer row gets its
    /// own shard.
    pub shard_size: Option<u64>,
    /// The split that is written, if the result is a dataset as the Hugging Face hub has them:
    /// `path` is a directory then, with a card and shards in `data/`.
    pub split: Option<String>,
}

/// The word for such a dataset among the formats.
const DATASET: &str = "hf";

/// Size of a shard of such a dataset, as `datasets` has it.
const SHARD: u64 = 500 << 20;

impl ExportTarget {
    /// Chooses the format by `export_type` if given, else by the suffix of `path` (`.jsonl`,
    /// `.json`, `.parquet`, `.arrow`; the first two also with `.gz` or `.zst`). `shard_size` 0
    /// means one file. With `hf`, `path` is the directory of a dataset as the Hugging Face hub has them.
    pub fn new(path: &Path, export_type: Option<&str>, shard_size: u64) -> Result<Self, UserError> {
        if export_type == Some(DATASET) {
            return Ok(Self {
                path: match path.is_symlink() {
                    true => std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()),
                    // Without a slash at its end.
                    false => path.components().collect(),
                },
                remote: None,
                format: ExportFormat::Parquet,
                compression: Compression::None,
                shard_size: Some(if shard_size > 0 { shard_size } else { SHARD }),
                split: Some("train".to_owned()),
            });
        }
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        let (inner, compression) = match name.rsplit_once('.') {
            Some((inner, "gz")) => (inner, Compression::Gzip),
            Some((inner, "zst" | "zstd")) => (inner, Compression::Zstd),
            _ => (&name[..], Compression::None),
        };
        let suffix = export_type.or(inner.rsplit_once('.').map(|(_, s)| s));
        let valid = "valid are `jsonl`, `json`, `parquet` and `arrow`, the first two also packed as `.gz` or `.zst`";
        let place = path.display().to_string();
        let Some(suffix) = suffix else {
            return Err(
                UserError::new(place, "the export path has no suffix that names a format")
                    .hint(valid),
            );
        };
        let Some(&(_, format)) = ExportFormat::NAMES
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(suffix))
        else {
            let near = did_you_mean(suffix, ExportFormat::NAMES.iter().map(|(n, _)| *n));
            let hint = near.map_or_else(
                || valid.to_owned(),
                |n| format!("did you mean `{n}`? {valid}"),
            );
            return Err(
                UserError::new(place, format!("`{suffix}` is not an export format")).hint(hint),
            );
        };
        if format.is_columnar() && compression != Compression::None {
            return Err(
                UserError::new(place, "Parquet and Arrow files compress by themselves")
                    .hint("leave out `.gz` or `.zst`"),
            );
        }
        // The final rename must replace the file, not a link to it.
        let path = if path.is_symlink() {
            std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
        } else {
            path.to_owned()
        };
        Ok(Self {
            path,
            remote: None,
            format,
            compression,
            shard_size: (shard_size > 0).then_some(shard_size),
            split: None,
        })
    }

    /// The name of a shard, as Data-Juicer has it: `name-00-of-03.jsonl`, counted from 0, with one
    /// digit more than the count has. Of a dataset as the hub has it: `data/train-00000-of-00003.parquet`.
    pub fn shard(&self, index: usize, count: usize) -> String {
        if let Some(split) = &self.split {
            return format!("data/{split}-{index:05}-of-{count:05}.parquet");
        }
        shard_name(&self.file_name(), index, count)
    }

    /// Whether an export with shards may write `file`, or an earlier one may have written it.
    pub fn is_shard(&self, file: &Path) -> bool {
        if self.split.is_some() {
            let real = |path: &Path| std::fs::canonicalize(path).ok();
            return match (real(file), real(&self.path)) {
                (Some(file), Some(directory)) => file.starts_with(directory),
                _ => false,
            };
        }
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let beside = |path: &Path| {
            std::fs::canonicalize(
                path.parent()
                    .filter(|p| *p != Path::new(""))
                    .unwrap_or(Path::new(".")),
            )
            .ok()
        };
        self.is_shard_name(&name)
            && beside(file).is_some_and(|directory| Some(directory) == beside(&self.path))
    }

    /// Whether a shard can be called `name`: of a dataset as the hub has it, a path in it.
    pub(crate) fn is_shard_name(&self, name: &str) -> bool {
        if let Some(split) = &self.split {
            return is_hub_shard(name, Some(split));
        }
        is_shard_name(name, &self.file_name())
    }

    /// Whether several files can have names made of `path`.
    pub(crate) fn has_shards(&self) -> bool {
        self.shard_size.is_some() && self.split.is_none()
    }

    /// Where the user finds the result: an address, or the path.
    pub(crate) fn shown(&self) -> std::path::Display<'_> {
        self.remote.as_deref().unwrap_or(&self.path).display()
    }

    /// The directory of the target, and of its shards.
    pub(crate) fn directory(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        }
    }

    /// A hidden file next to the target that exists only while a job runs:
    /// `.result.jsonl.0123456789abcdef.{end}`. Its name fits wherever the target's name does,
    /// however long that is.
    pub fn beside(&self, end: &str) -> PathBuf {
        self.path
            .with_file_name(format!("{}{end}", self.hidden_start()))
    }

    /// The common prefix of these names.
    pub(crate) fn hidden_start(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        let hash = xxhash_rust::xxh3::xxh3_64(name.as_encoded_bytes());
        let text = name.to_string_lossy();
        format!(".{}.{hash:016x}.", &text[..text.floor_char_boundary(64)])
    }

    fn file_name(&self) -> std::borrow::Cow<'_, str> {
        self.path.file_name().unwrap_or_default().to_string_lossy()
    }
}

/// Whether `name` is that of a shard of a dataset as the hub has it, of any split if none is given.
pub(crate) fn is_hub_shard(name: &str, split: Option<&str>) -> bool {
    let digits = |text: &str| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
    let numbers = || {
        let stem = name.strip_prefix("data/")?.strip_suffix(".parquet")?;
        let (before, count) = stem.split_once("-of-")?;
        let (of, index) = before.rsplit_once('-')?;
        Some(digits(count) && digits(index) && split.is_none_or(|split| split == of))
    };
    numbers().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_of_datasets_are_named_as_the_hub_does() {
        let target = ExportTarget::new(Path::new("out/mine/"), Some("hf"), 0).unwrap();
        assert_eq!(target.path, Path::new("out/mine"));
        let shard = target.shard(0, 12);
        assert_eq!(shard, "data/train-00000-of-00012.parquet");
        assert!(target.is_shard_name(&shard) && is_hub_shard(&shard, None));
        for other in [
            "data/test-00000-of-00012.parquet",
            "train-00000-of-00012.parquet",
            "data/train-0-of-12.parquet",
            "data/train.parquet",
        ] {
            assert!(!target.is_shard_name(other), "{other}");
        }
    }
}
