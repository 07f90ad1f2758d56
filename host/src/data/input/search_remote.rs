//! Finds the files at an address: one, those below a prefix, or those that a pattern names. As in
//! directories, what no rows are in is passed over.

use super::file::Version;
use super::found_notes::Notes;
use super::hub::{self as hub_layout, Tree, check_single};
use super::layouts::{Role, could_be_data, role};
use super::select::Found;
use super::sniff::by_name;
use crate::config::Wanted;
use crate::error::UserError;
use crate::remote::address::{Address, Scheme};
use crate::remote::{Listed, Object, hub, list};
use crate::rundir::RunPaths;
use anyhow::Result;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A card or another document about a dataset is not larger.
const MOST_BYTES: u64 = 4 << 20;

/// What marks a pattern.
const WILD: [char; 3] = ['*', '?', '['];

/// Files, and the features of their rows that the card of a dataset declares.
type Files = (Vec<Found>, Option<Map<String, Value>>);

/// The files at `given`, of a dataset with several configurations and splits those that are
/// `wanted`. Of a prefix or a pattern one listing is requested.
pub(super) fn search_remote(given: &str, wanted: &Wanted, notes: &mut Notes) -> Result<Files> {
    let mut address = Address::parse(given)?;
    if address.scheme == Scheme::Hub {
        address = hub::pin(&address).map_err(|e| e.at(given))?;
    }
    if address.scheme == Scheme::Http {
        check_single(given, wanted)?;
        let object = Object::find(address).map_err(|e| e.at(given))?;
        return Ok((vec![named(&object.address().text, &object)], None));
    }
    if address.key.contains(WILD) {
        check_single(given, wanted)?;
        return Ok((pattern(&address, notes)?, None));
    }
    let prefix = address.key.trim_end_matches('/');
    if prefix == address.key && !prefix.is_empty() {
        match Object::find(address.clone()) {
            Ok(object) => {
                check_single(given, wanted)?;
                return Ok((vec![named(&address.text, &object)], None));
            }
            Err(failure) if failure.is_absence() => {}
            Err(failure) => return Err(failure.at(given).into()),
        }
    }
    let listed = list(&address, prefix).map_err(|e| e.at(given))?;
    if listed.is_empty() {
        return Err(UserError::new(given, "there is no such object, and none below it")
            .hint("check the spelling; `s3://BUCKET/PREFIX/` stands for all objects below a prefix")
            .into());
    }
    match dataset(given, &address, prefix, &listed, wanted, notes)? {
        Some(found) => Ok(found),
        None => Ok((below(&address, prefix, listed, notes, None), None)),
    }
}

/// The files of a dataset in the layout of the hub, or as `save_to_disk` writes it. None: it is
/// neither, and all files count.
fn dataset(
    given: &str,
    address: &Address,
    prefix: &str,
    listed: &[Listed],
    wanted: &Wanted,
    notes: &mut Notes,
) -> Result<Option<Files>> {
    let is_dataset = address.scheme == Scheme::Hub && prefix.is_empty();
    let inner = |listed: &Listed| {
        listed.key[prefix.len()..]
            .trim_start_matches('/')
            .to_owned()
    };
    let by_name: HashMap<String, &Listed> = listed
        .iter()
        .map(|listed| (inner(listed), listed))
        .collect();
    let marks = ["README.md", "state.json", "dataset_dict.json"];
    if !is_dataset && !wanted.is_some() && !marks.iter().any(|mark| by_name.contains_key(*mark)) {
        return Ok(None);
    }
    let read = |name: &str| {
        let listed = by_name.get(name).ok_or(ErrorKind::NotFound)?;
        if listed.bytes > MOST_BYTES {
            return Err(ErrorKind::FileTooLarge.into());
        }
        let at = address.beside(&listed.key);
        let object = Object::known(at, listed.bytes, listed.tag.clone(), true)?;
        Ok(object.fetch(0..listed.bytes)?.to_vec())
    };
    let tree = Tree::new(given.to_owned(), by_name.keys().cloned().collect(), read);
    let cannot = |e: std::io::Error| UserError::new(given, format!("cannot be read: {e}"));
    let found = |name: &str, named: bool| {
        let listed = by_name.get(name);
        listed.map(|listed| found_of(address, listed, named))
    };
    if let Some(splits) = hub_layout::saved(&tree).map_err(cannot)?? {
        let paths: Vec<PathBuf> = splits.iter().map(|(name, _)| name.into()).collect();
        if wanted.split.is_none() && splits.len() > 1 {
            notes.splits(Path::new(given), &paths);
        }
        let chosen = hub_layout::chosen_splits(given, "", &splits, wanted.split.as_deref())?;
        let names = chosen.iter().flat_map(|(_, names)| names);
        return Ok(Some((
            names.filter_map(|name| found(name, false)).collect(),
            None,
        )));
    }
    let Some(choice) = hub_layout::choose(&tree, wanted, is_dataset)? else {
        return Ok(None);
    };
    choice
        .notes
        .into_iter()
        .for_each(|note| notes.sentence(note));
    let mut files = Vec::new();
    for (name, named) in choice.files {
        match found(&name, named) {
            Some(file) if named || hub_layout::could_be_rows(&file.path) => files.push(file),
            Some(file) => notes.passed_over(file.path),
            None => {}
        }
    }
    Ok(Some((files, choice.features)))
}

fn found_of(address: &Address, listed: &Listed, named: bool) -> Found {
    Found {
        path: PathBuf::from(address.beside(&listed.key).text),
        bytes: listed.bytes,
        modified_ns: 0,
        version: Some(Version {
            tag: listed.tag.clone(),
            ranges: true,
        }),
        key: None,
        named,
        looks_like_notes: false,
    }
}

fn named(given: &str, object: &Object) -> Found {
    Found {
        path: PathBuf::from(given),
        bytes: object.bytes(),
        modified_ns: 0,
        version: Some(Version {
            tag: object.tag().map(str::to_owned),
            ranges: object.ranges(),
        }),
        key: None,
        named: true,
        looks_like_notes: false,
    }
}

fn pattern(address: &Address, notes: &mut Notes) -> Result<Vec<Found>> {
    let pattern = glob::Pattern::new(&address.key)
        .map_err(|e| UserError::new(&address.text, format!("is not a valid pattern: {e}")))?;
    let wild = address.key.find(WILD).unwrap_or(address.key.len());
    let prefix = address.key[..wild]
        .rfind('/')
        .map_or("", |slash| &address.key[..slash]);
    let mut listed = list(address, prefix).map_err(|e| e.at(&address.text))?;
    // As on a disk, what has just this name comes before what the pattern matches.
    let literal = address.key.trim_end_matches('/');
    let is_literal = |listed: &Listed| {
        let rest = listed.key.strip_prefix(literal);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if listed.iter().any(is_literal) {
        listed.retain(is_literal);
        if let [only] = &listed[..]
            && only.key == literal
        {
            return Ok(vec![found_of(address, only, true)]);
        }
        return Ok(below(address, literal, listed, notes, None));
    }
    Ok(below(address, prefix, listed, notes, Some(&pattern)))
}

/// The files of a list of what is below `prefix`, of those that match `pattern` if there is one.
fn below(
    address: &Address,
    prefix: &str,
    listed: Vec<Listed>,
    notes: &mut Notes,
    pattern: Option<&glob::Pattern>,
) -> Vec<Found> {
    // As in Python, `*` enters no hidden directory.
    let options = glob::MatchOptions {
        require_literal_separator: true,
        require_literal_leading_dot: true,
        ..glob::MatchOptions::default()
    };
    let run_dirs = run_directories(listed.iter().map(|listed| &*listed.key));
    let asks_for_them = pattern.is_some_and(|pattern| pattern.as_str().contains("/_"));
    let mut found = Vec::new();
    for listed in listed {
        let key = &*listed.key;
        // A pattern may name a directory: then what is below it counts.
        let matches = |pattern: &glob::Pattern| {
            let ends = key.match_indices('/').map(|(at, _)| at).chain([key.len()]);
            let mut ends = ends.filter(|end| *end > prefix.len());
            ends.any(|end| pattern.matches_with(&key[..end], options))
        };
        if !pattern.is_none_or(matches) {
            continue;
        }
        let path = PathBuf::from(address.beside(key).text);
        let inner = key[prefix.len()..].trim_start_matches('/');
        let (dirs, name) = inner.rsplit_once('/').unwrap_or(("", inner));
        let is_temporary = |part: &str| !part.is_empty() && role(part) == Role::Temporary;
        let of_job = run_dirs.iter().find(|dir| Path::new(key).starts_with(dir));
        if let Some(dir) = of_job {
            notes.passed_over(PathBuf::from(address.beside(dir).text));
            continue;
        }
        if !asks_for_them && dirs.split('/').any(is_temporary) {
            continue;
        }
        let kind = role(name);
        if kind == Role::Temporary && !(asks_for_them && name.starts_with('_')) {
            let could_be =
                could_be_data(name).is_some_and(|name| by_name(Path::new(name)).is_some());
            if could_be {
                notes.left_out(path, "has the name of a hidden or temporary file");
            }
            continue;
        }
        if by_name(&path).is_none() {
            notes.passed_over(path);
            continue;
        }
        found.push(Found {
            looks_like_notes: kind == Role::Metadata,
            ..found_of(address, &listed, false)
        });
    }
    found
}

/// Prefixes at which there is what marks a run directory: perhaps this job's, though it holds rows.
fn run_directories<'a>(keys: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    // In a bucket there are no empty directories, and so perhaps no checkpoints.
    let [mark, others @ ..] = &RunPaths::MARKS[..2] else {
        return Vec::new();
    };
    let marked: HashSet<&str> = keys
        .clone()
        .filter_map(|key| key.strip_suffix(mark)?.strip_suffix('/'))
        .collect();
    let has = |dir: &str, mark: &str| {
        let wanted = format!("{dir}/{mark}");
        keys.clone().any(|key| Path::new(key).starts_with(&wanted))
    };
    marked
        .into_iter()
        .filter(|dir| others.iter().all(|mark| has(dir, mark)))
        .map(str::to_owned)
        .collect()
}
