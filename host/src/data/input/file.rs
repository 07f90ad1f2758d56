//! The files of a dataset, in a fixed order.

use super::pages::PageSettings;
use super::path_text;
use crate::data::losses::Losses;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::PathBuf;

/// How rows are written in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One JSON object per line.
    Jsonl,
    /// An array of JSON objects, or JSON objects one after another that span lines.
    JsonArray,
    /// Apache Parquet.
    Parquet,
    /// Arrow IPC, file or stream.
    Arrow,
    /// Values separated by commas, names in the first line.
    Csv,
    /// The same with tabs.
    Tsv,
    /// Plain text: the file is one row with its text under `text`, as Data-Juicer loads it.
    Text,
    /// Records of web pages (ISO 28500).
    Warc,
    /// A web page: the file is one row.
    Html,
}

impl Format {
    /// Whether rows come as native columns.
    pub fn is_columnar(self) -> bool {
        matches!(self, Self::Parquet | Self::Arrow)
    }

    /// Whether rows are made of web pages.
    pub fn is_pages(self) -> bool {
        matches!(self, Self::Warc | Self::Html)
    }
}

/// How a whole file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952, any number of members.
    Gzip,
    /// Zstandard, any number of frames.
    Zstd,
    /// The xz container.
    Bzip2,
    /// The xz container.
    Xz,
}

/// One file of a dataset. Path, size and time (of a remote file its version) together are its
/// identity: if one of them differs, the input has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFile {
    /// Where the rows are read from.
    #[serde(with = "path_text")]
    pub path: PathBuf,
    /// The format of its content.
    pub format: Format,
    /// How it is compressed.
    pub compression: Compression,
    /// Size of the file.
    pub bytes: u64,
    /// Time of the last change, in nanoseconds since 1970; 0 for a remote file.
    pub modified_ns: i128,
    /// A packed file whose rows are members (gzip) or frames (zstd) of their own, at which it can be
    /// cut.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_record: bool,
    /// Of a remote file its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The file that the user named, where `path` is a copy of it, unpacked into the run
    /// directory.
    #[serde(default)]
    pub origin: Option<Origin>,
}

/// The original of a materialised file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Its path.
    #[serde(with = "path_text")]
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// Its packing.
    pub compression: Compression,
    /// Its size.
    pub bytes: u64,
    /// Time of its last change, in nanoseconds since 1970.
    pub modified_ns: i128,
    /// Of a remote file its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

/// What tells the versions of a remote file apart, in place of a time. Its path is its address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// What the server calls the version (`ETag`); None if it says nothing: then only the size tells.
    pub tag: Option<String>,
    /// Whether the server answers requests for parts of the file.
    pub ranges: bool,
}

impl InputFile {
    /// Whether rows can be read from the middle of it. Other files must be materialised first.
    pub fn is_splittable(&self) -> bool {
        if self.version.as_ref().is_some_and(|version| !version.ranges) {
            return false;
        }
        match self.format {
            Format::Jsonl | Format::Parquet | Format::Arrow => {
                self.compression == Compression::None
            }
            Format::Warc => self.compression == Compression::None || self.by_record,
            // Always read as a whole.
            Format::Html => true,
            Format::JsonArray | Format::Csv | Format::Tsv | Format::Text => false,
        }
    }

    /// The origin that an unpacked copy of this file records.
    pub fn as_origin(&self) -> Origin {
        Origin {
            path: self.path.clone(),
            format: self.format,
            compression: self.compression,
            bytes: self.bytes,
            modified_ns: self.modified_ns,
            version: self.version.clone(),
        }
    }

    /// The path that the user knows, for messages.
    pub fn shown(&self) -> std::path::Display<'_> {
        self.origin
            .as_ref()
            .map_or(&self.path, |o| &o.path)
            .display()
    }
}

/// The input: files in a fixed order. Either all of them hold JSON rows (or what becomes JSON
/// rows), or all of them hold columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    /// The files; their position is their number in row ids and slices.
    pub files: Vec<InputFile>,
    /// Notes for the user, one sentence each: what was left out or appears twice, and why.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The largest accepted window of a zstd file, in bytes.
    #[serde(default = "default_zstd_window")]
    pub zstd_window: u64,
    /// Which records of WARC files become rows. Not stored with the dataset: the recipe has it.
    #[serde(skip)]
    pub(crate) pages: PageSettings,
    /// The features that the card of a dataset declares, as `datasets` writes them into files. Not
    /// stored with the dataset: its files have them.
    #[serde(skip)]
    pub(crate) features: Option<Map<String, Value>>,
    /// What the rows do not keep of the files that were unpacked.
    #[serde(default)]
    pub(crate) losses: Losses,
}

/// 128 MiB, the default of the `zstd` program: bounds the memory that a file can claim.
pub(crate) fn default_zstd_window() -> u64 {
    128 << 20
}

impl Dataset {
    /// Whether rows come as native columns (Parquet, Arrow) and not as JSON.
    pub fn is_columnar(&self) -> bool {
        self.files.iter().any(|f| f.format.is_columnar())
    }

    /// Whether rows are made of web pages.
    pub fn is_pages(&self) -> bool {
        self.files.iter().any(|f| f.format.is_pages())
    }

    /// What counts places in a file for users: `file:7` is the 7th line, the 7th row of columns, or
    /// the record at byte 7, as in CDX indexes.
    pub(crate) fn unit(&self) -> &'static str {
        match () {
            () if self.is_columnar() => "row",
            () if self.is_pages() => "byte",
            () => "line",
        }
    }

    /// Whether every file can be read from the middle.
    pub fn is_splittable(&self) -> bool {
        self.files.iter().all(InputFile::is_splittable)
    }

    /// Size of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|f| f.bytes).sum()
    }
}
