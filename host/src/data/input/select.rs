//! Tells the files with the rows of a dataset from what lies beside them.

use super::file::{Dataset, Format, InputFile, Version};
use super::found_notes::Notes;
use super::handle::FileAt;
use super::layouts::is_documentation;
use super::look_ahead::look_ahead;
use super::metadata::{Json, fields_of, json_of};
use super::pages::PageSettings;
use super::sniff::{KNOWN, sniff, unpacked_name};
use crate::data::losses::Losses;
use crate::error::UserError;
use anyhow::Result;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

/// Why a file named like a tool's metadata does not count.
const METADATA: &str = "is metadata, not rows,";

/// A file that may hold rows.
pub(super) struct Found {
    /// Or the address of a remote file.
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) modified_ns: i128,
    /// Of a remote file.
    pub(super) version: Option<Version>,
    /// Device and inode of a local one.
    pub(super) key: Option<(u64, u64)>,
    /// The user named it directly.
    pub(super) named: bool,
    /// Its name is that of a tool's metadata.
    pub(super) looks_like_notes: bool,
}

/// Keeps those of the files `found` that hold rows of the dataset. Reads the beginning of each, and
/// notes what it leaves out.
pub(super) fn select(found: Vec<Found>, mut notes: Notes, zstd_window: u64) -> Result<Dataset> {
    let (mut files, mut asked_for) = (Vec::new(), HashSet::new());
    let mut unreadable = HashMap::new();
    let mut looks = look_ahead(&found, zstd_window)?;
    for Found {
        path,
        bytes,
        modified_ns,
        version,
        named,
        looks_like_notes,
        ..
    } in found
    {
        let looked = match looks.remove(&path) {
            Some(looked) => looked,
            None => sniff(FileAt::new(&path, bytes, version.as_ref()), zstd_window),
        };
        let sniffed = match looked {
            // Whatever it is, it is not a row.
            Err(_) if looks_like_notes => {
                notes.left_out(path, METADATA);
                continue;
            }
            sniffed => sniffed?,
        };
        let path = match version {
            None => std::path::absolute(&path)?,
            Some(_) => path,
        };
        let (format, compression) = (sniffed.format, sniffed.compression);
        let file = InputFile {
            path,
            format,
            compression,
            bytes,
            modified_ns,
            by_record: sniffed.by_record,
            version,
            origin: None,
        };
        if file.format.is_columnar() && file.version.as_ref().is_some_and(|v| !v.ranges) {
            let what =
                "is columns, which are read in parts, and its server gives no parts of files";
            return Err(UserError::new(file.path.display().to_string(), what)
                .hint("download it first, and name the copy; JSONL, CSV and text can be read from there")
                .into());
        }
        if looks_like_notes && matches!(json_of(&file, zstd_window), Some(Json::One(_))) {
            notes.left_out(file.path, METADATA);
            continue;
        }
        if let Some(note) = sniffed.note {
            notes.of_file(&file.path, &note);
        }
        if let Some(what) = sniffed.unreadable {
            unreadable.insert(file.path.clone(), what);
        }
        if file.bytes == 0 {
            notes.empty(&file.path);
        }
        if named {
            asked_for.insert(file.path.clone());
        }
        files.push(file);
    }
    if files.is_empty() {
        return Err(UserError::new(
            "dataset_path",
            "no data files found, only what tools note of a dataset",
        )
        .hint(format!(
            "valid are {KNOWN}; a file that is named itself is read whatever it is called"
        ))
        .into());
    }
    let is_asked_for = |file: &InputFile| asked_for.contains(&file.path);
    // An empty file does not settle the format.
    if files.iter().any(|f| f.format.is_columnar()) {
        files.retain(|f| f.bytes > 0);
    }
    leave_out_pages(&mut files, &mut notes, is_asked_for)?;
    // A README next to the data is not data, unless the user names it.
    if files
        .iter()
        .any(|f| f.format != Format::Text && f.bytes > 0)
    {
        let is_text = |f: &InputFile| f.format == Format::Text && !is_asked_for(f);
        leave_out(
            &mut files,
            &mut notes,
            is_text,
            "is plain text among other formats",
        );
    }
    let is_documented =
        |f: &InputFile| f.format == Format::Text && is_documentation(&f.path) && !is_asked_for(f);
    let kinds: HashSet<_> = files
        .iter()
        .filter(|f| !is_documented(f))
        .map(|f| f.path.extension().map(std::ffi::OsStr::to_owned))
        .collect();
    if !kinds.is_empty() {
        // Among other texts a README is a row like them.
        let is_beside = |f: &InputFile| {
            let is_license = f
                .path
                .extension()
                .is_some_and(|e| e.eq_ignore_ascii_case("txt"));
            is_documented(f)
                && (is_license
                    || !kinds.contains(&f.path.extension().map(std::ffi::OsStr::to_owned)))
        };
        leave_out(
            &mut files,
            &mut notes,
            is_beside,
            "is the text of a repository beside its data",
        );
    }
    leave_out_metadata(&mut files, &mut notes, is_asked_for, zstd_window);
    if let (Some(columns), Some(rows)) = (
        files.iter().find(|f| f.format.is_columnar()),
        files.iter().find(|f| !f.format.is_columnar()),
    ) {
        return Err(UserError::new(rows.path.display().to_string(), format!("holds JSON rows, but `{}` holds columns", columns.path.display()))
            .hint("one dataset is either JSON, CSV and text or Parquet and Arrow: name them in two jobs, or convert one")
            .into());
    }
    // Of many texts one is no reason to stop; here there is no row.
    let is_unreadable = |file: &InputFile| unreadable.contains_key(&file.path);
    if let Some(first) = files.first()
        && files.iter().all(is_unreadable)
    {
        let is = &unreadable[&first.path];
        return Err(UserError::new(
            first.path.display().to_string(),
            format!("this is {}", is.what),
        )
        .hint(is.hint.clone())
        .into());
    }
    Ok(Dataset {
        files,
        notes: notes.sentences(),
        zstd_window,
        pages: PageSettings::default(),
        features: None,
        losses: Losses::default(),
    })
}

/// Leaves out HTML files that lie beside rows, or what lies beside pages: notes, scripts' JSON. Fails
/// where both were asked for. A few HTML files document a dataset; where they are most of the files,
/// they are the dataset.
fn leave_out_pages(
    files: &mut Vec<InputFile>,
    notes: &mut Notes,
    is_asked_for: impl Fn(&InputFile) -> bool,
) -> Result<()> {
    let count = |pages| {
        let of_kind = files
            .iter()
            .filter(|f| f.format.is_pages() == pages && f.bytes > 0);
        of_kind.count()
    };
    let (pages, others) = (count(true), count(false));
    let has_records = files.iter().any(|f| f.format == Format::Warc);
    if !has_records && pages <= 4 * others {
        let is_page = |f: &InputFile| f.format == Format::Html && !is_asked_for(f);
        leave_out(files, notes, is_page, "is a web page among other formats");
    } else if pages > 0 {
        let is_other = |f: &InputFile| !f.format.is_pages() && !is_asked_for(f);
        leave_out(files, notes, is_other, "is no web page");
    }
    if let (Some(page), Some(other)) = (
        files.iter().find(|f| f.format.is_pages()),
        files.iter().find(|f| !f.format.is_pages()),
    ) {
        let (page, place) = (page.path.display(), other.path.display().to_string());
        return Err(UserError::new(place, format!("holds no web pages, but `{page}` does"))
            .hint("one dataset is either WARC and HTML files or other formats: name them in two jobs")
            .into());
    }
    Ok(())
}

/// Leaves out a JSON file that is one object sharing no field with the rows next to it, or a list
/// of words: it is metadata about the dataset.
fn leave_out_metadata(
    files: &mut Vec<InputFile>,
    notes: &mut Notes,
    is_asked_for: impl Fn(&InputFile) -> bool,
    zstd_window: u64,
) {
    let is_json = |f: &InputFile| {
        let name = f
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_ascii_lowercase();
        matches!(f.format, Format::Jsonl | Format::JsonArray)
            && f.bytes > 0
            && f.version.is_none()
            && unpacked_name(&name).ends_with(".json")
            && !is_asked_for(f)
    };
    if files.iter().all(is_json) && files.len() < 2 {
        return;
    }
    let mut candidates = HashMap::new();
    for file in files.iter().filter(|f| is_json(f)) {
        match json_of(file, zstd_window) {
            Some(Json::One(names)) => drop(candidates.insert(file.path.clone(), names)),
            Some(Json::Other) => drop(candidates.insert(file.path.clone(), Vec::new())),
            Some(Json::Rows(_)) | None => {}
        }
    }
    if candidates.is_empty() {
        return;
    }
    // A few files show what rows look like.
    let rows = files
        .iter()
        .filter(|f| !candidates.contains_key(&f.path) && f.bytes > 0);
    let known: HashSet<String> = rows
        .take(8)
        .filter_map(|file| fields_of(file, zstd_window))
        .flatten()
        .collect();
    if !known.is_empty() {
        let is_metadata = |f: &InputFile| {
            candidates
                .get(&f.path)
                .is_some_and(|names| !names.iter().any(|name| known.contains(name)))
        };
        leave_out(
            files,
            notes,
            is_metadata,
            "has none of the fields of the rows beside it",
        );
    }
}

fn leave_out(
    files: &mut Vec<InputFile>,
    notes: &mut Notes,
    which: impl Fn(&InputFile) -> bool,
    why: &'static str,
) {
    files.retain(|file| {
        let out = which(file);
        if out {
            notes.left_out(file.path.clone(), why);
        }
        !out
    });
}
