//! Finds the files at an address: one, those below a prefix, or those that a pattern names. As in
//! directories, what no rows are in is passed over.

use super::file::Version;
use super::found_notes::Notes;
use super::layouts::{Role, could_be_data, role};
use super::select::Found;
use super::sniff::by_name;
use crate::error::UserError;
use crate::remote::address::{Address, Scheme};
use crate::remote::{Object, hub, list};
use crate::rundir::RunPaths;
use anyhow::Result;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// What marks a pattern.
const WILD: [char; 3] = ['*', '?', '['];

/// The files at `given`. Of a prefix or a pattern one listing is requested.
pub(super) fn search_remote(given: &str, notes: &mut Notes) -> Result<Vec<Found>> {
    let mut address = Address::parse(given)?;
    if address.scheme == Scheme::Hub {
        address = hub::pin(&address).map_err(|e| e.at(given))?;
    }
    if address.scheme == Scheme::Http {
        let object = Object::find(address).map_err(|e| e.at(given))?;
        return Ok(vec![named(given, &object)]);
    }
    if address.key.contains(WILD) {
        return pattern(&address, notes);
    }
    let prefix = address.key.trim_end_matches('/');
    if prefix == address.key && !prefix.is_empty() {
        match Object::find(address.clone()) {
            Ok(object) => return Ok(vec![named(&address.text, &object)]),
            Err(failure) if failure.is_absence() => {}
            Err(failure) => return Err(failure.at(given).into()),
        }
    }
    let found = below(&address, prefix, notes, None)?;
    if found.is_none() {
        return Err(UserError::new(given, "there is no such object, and none below it")
            .hint("check the spelling; `s3://BUCKET/PREFIX/` stands for all objects below a prefix")
            .into());
    }
    Ok(found.unwrap_or_default())
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
    Ok(below(address, prefix, notes, Some(&pattern))?.unwrap_or_default())
}

/// The files below `prefix`, of those that match `pattern` if there is one; None if there is no
/// object at all.
fn below(
    address: &Address,
    prefix: &str,
    notes: &mut Notes,
    pattern: Option<&glob::Pattern>,
) -> Result<Option<Vec<Found>>> {
    // As in Python, `*` enters no hidden directory.
    let options = glob::MatchOptions {
        require_literal_separator: true,
        require_literal_leading_dot: true,
        ..glob::MatchOptions::default()
    };
    let listed = list(address, prefix).map_err(|e| e.at(&address.text))?;
    if listed.is_empty() {
        return Ok(None);
    }
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
            path,
            bytes: listed.bytes,
            modified_ns: 0,
            version: Some(Version {
                tag: listed.tag,
                ranges: true,
            }),
            key: None,
            named: false,
            looks_like_notes: kind == Role::Metadata,
        });
    }
    Ok(Some(found))
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
