//! What `save_to_disk` of `datasets` has written, below an address. (`layouts.rs` knows it in
//! directories.)

use super::tree::Tree;
use crate::error::UserError;
use serde_json::Value;
use std::io;

/// Whether a file beside a dataset's own is a result that `datasets` keeps for itself.
pub(in crate::data::input) fn is_cache(name: &str) -> bool {
    name.strip_prefix("cache-").is_some_and(|rest| {
        let stem = rest.strip_suffix(".arrow");
        // `cache-0123456789abcdef_00001_of_00004.arrow`
        stem.is_some_and(|stem| {
            !stem.is_empty()
                && stem
                    .chars()
                    .all(|c| c.is_ascii_hexdigit() || "_of".contains(c))
        })
    })
}

/// Splits with their files.
type Splits = Vec<(String, Vec<String>)>;

/// A saved dataset, or the splits of several: names and files, in their order. None: it is no such
/// dataset.
pub(in crate::data::input) fn saved(
    tree: &Tree<'_>,
) -> io::Result<Result<Option<Splits>, UserError>> {
    let state = |dir: &str| -> io::Result<Option<Value>> {
        let state = tree.json(&format!("{dir}state.json"))?;
        Ok(state.filter(|state| state.get("_data_files").is_some()))
    };
    if let Some(state) = state("")? {
        let files = files_of(tree, "", &state);
        return Ok(files.map(|files| Some(vec![("train".to_owned(), files)])));
    }
    let dict = tree.json("dataset_dict.json")?;
    let Some(names) = dict
        .as_ref()
        .and_then(|dict| dict.get("splits")?.as_array())
    else {
        return Ok(Ok(None));
    };
    let mut splits = Vec::new();
    for name in names.iter().filter_map(Value::as_str) {
        let dir = format!("{name}/");
        let Some(state) = state(&dir)? else {
            let missing = format!("{}/{name}/state.json", tree.place);
            return Ok(Err(incomplete(missing, "dataset_dict.json")));
        };
        match files_of(tree, &dir, &state) {
            Ok(files) => splits.push((name.to_owned(), files)),
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(Some(splits)))
}

fn files_of(tree: &Tree<'_>, dir: &str, state: &Value) -> Result<Vec<String>, UserError> {
    let list = |key: &str| {
        let files = state
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let names = files.filter_map(|file| file.get("filename")?.as_str());
        names.map(|name| format!("{dir}{name}")).collect::<Vec<_>>()
    };
    if !list("_indices_data_files").is_empty() {
        return Err(UserError::new(format!("{}/{dir}", tree.place), "this dataset was saved with a selection of its rows, which is not applied")
            .hint("load it with `datasets.load_from_disk` and save it again: then the rows are what was selected"));
    }
    let files = list("_data_files");
    match files.iter().find(|file| !tree.files.contains(file)) {
        Some(missing) => Err(incomplete(
            format!("{}/{missing}", tree.place),
            "state.json",
        )),
        None => Ok(files),
    }
}

fn incomplete(missing: String, by: &str) -> UserError {
    UserError::new(missing, format!("is named by `{by}`, and is not there"))
        .hint("the copy of the dataset is not complete: copy it again")
}
