//! Recognises directories and files in the layouts of particular tools.

use crate::error::UserError;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// The layout of a directory.
pub(crate) enum Layout {
    /// None in particular: each entry counts by its name.
    Plain,
    /// A dataset written by Hugging Face's `save_to_disk`: exactly these files, in this order.
    Saved(Vec<PathBuf>),
    /// Several such datasets, one per split.
    Splits(Vec<PathBuf>),
    /// A repository in the hub's cache: the current snapshot, out of `of`.
    HubCache { snapshot: PathBuf, of: usize },
}

/// Detects the layout of `dir`. Fails with a [`UserError`] if a part of it is missing.
pub(crate) fn layout(dir: &Path) -> Result<Layout, UserError> {
    if let Some(saved) = saved(dir)? {
        return Ok(Layout::Saved(saved));
    }
    if let Some(splits) = read_json(&dir.join("dataset_dict.json"))
        .as_ref()
        .and_then(|dict| names(dict.get("splits")?))
    {
        let splits: Vec<PathBuf> = splits.into_iter().map(|name| dir.join(name)).collect();
        return match splits.iter().find(|split| !split.is_dir()) {
            Some(missing) => Err(incomplete(missing, "dataset_dict.json")),
            None => Ok(Layout::Splits(splits)),
        };
    }
    hub_cache(dir)
}

fn read_json(path: &Path) -> Option<Value> {
    // Each of these files has a few kilobytes.
    if fs::metadata(path).ok()?.len() > 16 << 20 {
        return None;
    }
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// File or directory names; None if an entry is anything else, for instance a path that leads
/// elsewhere.
fn names(list: &Value) -> Option<Vec<String>> {
    let is_plain =
        |name: &str| !name.is_empty() && !matches!(name, "." | "..") && !name.contains(['/', '\0']);
    list.as_array()?
        .iter()
        .map(|name| {
            name.as_str()
                .filter(|name| is_plain(name))
                .map(str::to_owned)
        })
        .collect()
}

fn saved(dir: &Path) -> Result<Option<Vec<PathBuf>>, UserError> {
    let Some(state) = read_json(&dir.join("state.json")) else {
        return Ok(None);
    };
    let list = |key: &str| -> Option<Vec<String>> {
        let names_only: Option<Vec<Value>> = state
            .get(key)?
            .as_array()?
            .iter()
            .map(|file| file.get("filename").cloned())
            .collect();
        names(&Value::Array(names_only?))
    };
    let Some(files) = list("_data_files") else {
        return Ok(None);
    };
    if list("_indices_data_files").is_some_and(|indices| !indices.is_empty()) {
        return Err(UserError::new(dir.display().to_string(), "this dataset was saved with a selection of its rows, which is not applied")
            .hint("load it with `datasets.load_from_disk` and save it again: then the rows are what was selected"));
    }
    let files: Vec<PathBuf> = files.into_iter().map(|name| dir.join(name)).collect();
    match files.iter().find(|file| !file.is_file()) {
        Some(missing) => Err(incomplete(missing, "state.json")),
        None => Ok(Some(files)),
    }
}

fn incomplete(missing: &Path, by: &str) -> UserError {
    UserError::new(
        missing.display().to_string(),
        format!("is named by `{by}` beside it, and is not there"),
    )
    .hint("the copy of the dataset is not complete: copy or download it again")
}

fn hub_cache(dir: &Path) -> Result<Layout, UserError> {
    let snapshots = dir.join("snapshots");
    if !snapshots.is_dir() || !dir.join("refs").is_dir() {
        return Ok(Layout::Plain);
    }
    let mut all: Vec<PathBuf> = fs::read_dir(&snapshots)
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.is_dir())
        .collect();
    all.sort();
    let main = fs::read_to_string(dir.join("refs/main")).unwrap_or_default();
    let of = all.len();
    match (
        all.iter()
            .find(|path| path.file_name().is_some_and(|name| name == main.trim())),
        &all[..],
    ) {
        (Some(snapshot), _) | (None, [snapshot]) => Ok(Layout::HubCache {
            snapshot: snapshot.clone(),
            of,
        }),
        (None, []) => Ok(Layout::Plain),
        (None, _) => Err(UserError::new(
            dir.display().to_string(),
            format!("holds {of} snapshots of a dataset, and none is the current one"),
        )
        .hint(format!("name one, for instance `{}`", all[0].display()))),
    }
}

/// What a file's or directory's name says, ignoring case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It may hold rows.
    Open,
    /// Hidden, or half written.
    Temporary,
    /// Metadata of a dataset, if it is one JSON object.
    Metadata,
}

/// The role of an entry called `name`.
pub(crate) fn role(name: &str) -> Role {
    let name = name.to_ascii_lowercase();
    const ENDS: [&str; 10] = [
        ".tmp",
        ".temp",
        ".swp",
        ".part",
        ".partial",
        ".crdownload",
        ".download",
        ".incomplete",
        ".lock",
        "~",
    ];
    let named = [
        "dataset_infos.json",
        "dataset_info.json",
        "dataset_dict.json",
        "state.json",
        "croissant.json",
        "datapackage.json",
    ];
    if name.starts_with(['.', '_'])
        || name.starts_with("~$")
        || ENDS.iter().any(|end| name.ends_with(end))
    {
        Role::Temporary
    } else if named.contains(&&*name) || name.ends_with(".metadata.json") {
        Role::Metadata
    } else {
        Role::Open
    }
}

/// The name without temporary marks, if a file of that name would count as data.
pub(crate) fn could_be_data(name: &str) -> Option<&str> {
    // Tool files such as `_SUCCESS` and `.gitattributes` are not data under any name.
    let name = name.trim_start_matches(['.', '_', '~', '$']);
    let stem = name.trim_end_matches(['~', '#']);
    let stem = match stem.rsplit_once('.') {
        Some((stem, end)) if matches!(role(&format!("x.{end}")), Role::Temporary) => stem,
        _ => stem,
    };
    Some(stem).filter(|stem| !stem.is_empty())
}

/// Whether it is text that accompanies the data in a repository.
pub(crate) fn is_documentation(path: &Path) -> bool {
    let stem = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    let words = [
        "readme",
        "license",
        "licence",
        "copying",
        "notice",
        "changelog",
        "contributing",
        "code_of_conduct",
        "citation",
        "authors",
    ];
    words.iter().any(|word| stem == *word)
        || path
            .file_name()
            .is_some_and(|name| name == "requirements.txt")
}

/// Whether a directory's name has a value that its rows lack: a Hive partition (`lang=en`).
pub(crate) fn is_hive_partition(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split_once('=').is_some_and(|(key, value)| {
        !value.is_empty() && !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_')
    })
}
