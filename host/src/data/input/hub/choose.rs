//! Chooses the configuration and the splits of a dataset that are read.

use super::card::{Card, Config};
use super::patterns::{Split, is_wild, matching, of_names};
use super::tree::Tree;
use crate::config::Wanted;
use crate::data::input::layouts::is_documentation;
use crate::data::input::sniff::by_name;
use crate::error::{UserError, did_you_mean};
use crate::term::counted;
use anyhow::Result;
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::path::Path;

/// Configurations and splits that an error names.
const NAMED: usize = 20;

/// What is read of a dataset.
#[derive(Default)]
pub(in crate::data::input) struct Choice {
    /// The files, in their order, and whether the card names each of them itself.
    pub(in crate::data::input) files: Vec<(String, bool)>,
    /// The features of their rows, as `datasets` writes them into files.
    pub(in crate::data::input) features: Option<Map<String, Value>>,
    /// Sentences about the choice.
    pub(in crate::data::input) notes: Vec<String>,
}

/// Chooses what `wanted` says of the dataset in `tree`. None: neither a card nor the user says
/// anything, and all files are read. `is_dataset` is whether it certainly is a dataset of the hub.
/// Fails with a [`UserError`] that has the choices if more than one is left.
pub(in crate::data::input) fn choose(
    tree: &Tree<'_>,
    wanted: &Wanted,
    is_dataset: bool,
) -> Result<Option<Choice>> {
    let place = &tree.place;
    let card = Card::read(tree).map_err(|e| {
        UserError::new(format!("{place}/README.md"), format!("cannot be read: {e}"))
    })?;
    let mut choice = Choice::default();
    if let Some(problem) = card.problem.as_ref() {
        if is_dataset || wanted.is_some() || !card.configs.is_empty() {
            return Err(problem.clone().into());
        }
        // A text that only begins like a card.
        return Ok(None);
    }
    let config = config(tree, &card.configs, wanted)?;
    let (name, base) = config.map_or(("default", ""), |config| (&*config.name, &*config.base));
    let splits = match config.and_then(|config| config.splits.clone()) {
        Some(splits) => splits,
        None => of_names(tree, base),
    };
    let is_open = wanted.split.is_none() && splits.len() > 1;
    let is_said = config.is_some() || wanted.is_some() || is_dataset;
    if !is_said || (config.is_none() && !wanted.is_some() && !is_open) {
        return Ok(None);
    }
    let of_config = match card.configs.len() {
        0 | 1 => String::new(),
        _ => format!(" in the configuration `{name}`"),
    };
    if is_open {
        let message = format!(
            "has {}{of_config}, and none is chosen",
            named_splits(&splits)
        );
        let first = &splits[0].0;
        return Err(UserError::new(place, message)
            .hint(format!(
                "`split: {first}` (`--split {first}`) reads one of them, `split: all` all, one after another"
            ))
            .into());
    }
    let chosen = chosen_splits(place, &of_config, &splits, wanted.split.as_deref())?;
    let mut seen = HashSet::new();
    for (split, patterns) in &chosen {
        let before = choice.files.len();
        for pattern in patterns {
            let files = matching(tree, base, pattern).map_err(|e| {
                UserError::new(
                    place,
                    format!("`{pattern}` in its card is not a valid pattern: {e}"),
                )
            })?;
            if files.is_empty() && !is_wild(pattern) {
                return Err(UserError::new(
                    format!("{place}/{base}{pattern}"),
                    format!(
                        "the card names this file for the split `{split}`, and it is not there"
                    ),
                )
                .hint("the copy of the dataset is not complete, or its card is wrong")
                .into());
            }
            for file in files {
                if seen.insert(file) {
                    choice.files.push((file.to_owned(), !is_wild(pattern)));
                }
            }
        }
        if choice.files.len() == before {
            let message = format!(
                "the split `{split}`{of_config} has no files: `{}` names none",
                patterns.join("`, `")
            );
            return Err(UserError::new(place, message).into());
        }
    }
    choice.features = card.features(name).cloned();
    if card.configs.len() > 1 && wanted.config_name.is_none() {
        choice.notes.push(format!(
            "`{place}` has {}: `{name}`, the default, is read",
            counted(card.configs.len() as u64, "configuration")
        ));
    }
    if let Some(config) = config.filter(|config| !config.others.is_empty()) {
        choice.notes.push(format!(
            "the card of `{place}` sets `{}`, which has no effect: formats are recognised by the content of a file",
            config.others.join("`, `")
        ));
    }
    Ok(Some(choice))
}

/// Fails if something else is wanted of a file or a pattern than all of its rows: such have a single
/// split, `train`, as in `datasets`.
pub(in crate::data::input) fn check_single(given: &str, wanted: &Wanted) -> Result<(), UserError> {
    let config = wanted.config_name.as_deref().unwrap_or("default");
    let split = wanted.split.as_deref().unwrap_or("all");
    if config != "default" {
        let message =
            format!("this is no dataset with configurations, so it has none called `{config}`");
        return Err(UserError::new(given, message)
            .hint("name the directory of the dataset, or leave out `config_name`"));
    }
    match split {
        "train" | "all" => Ok(()),
        _ => Err(UserError::new(
            given,
            format!("this is no dataset with splits, so it has none called `{split}`"),
        )
        .hint("name the directory of the dataset, or leave out `split`")),
    }
}

/// Whether a file that a wide pattern names may have rows: no text that accompanies them.
pub(in crate::data::input) fn could_be_rows(path: &Path) -> bool {
    let is_markdown = path
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("md"));
    by_name(path).is_some() && !is_markdown && !is_documentation(path)
}

/// The configuration that is read; None where the card has none.
fn config<'c>(
    tree: &Tree<'_>,
    configs: &'c [Config],
    wanted: &Wanted,
) -> Result<Option<&'c Config>, UserError> {
    let place = &tree.place;
    let names = || configs.iter().map(|config| &*config.name);
    if let Some(name) = &wanted.config_name {
        if let Some(config) = configs.iter().find(|config| config.name == *name) {
            return Ok(Some(config));
        }
        if configs.is_empty() {
            // Without a card there is one, of this name.
            return match &**name {
                "default" => Ok(None),
                _ => Err(UserError::new(
                    place,
                    format!("has no configuration `{name}`: its card declares none"),
                )
                .hint("leave out `config_name`, or name a directory of the dataset")),
            };
        }
        let error = UserError::new(place, format!("has no configuration `{name}`"));
        let valid = format!("valid are {}", named(names()));
        return Err(error.hint(match did_you_mean(name, names()) {
            Some(near) => format!("did you mean `{near}`? {valid}"),
            None => valid,
        }));
    }
    match configs {
        [] => Ok(None),
        [only] => Ok(Some(only)),
        _ => {
            let mut defaults = configs
                .iter()
                .filter(|config| config.is_default || config.name == "default");
            match (defaults.next(), defaults.next()) {
                (Some(default), None) => Ok(Some(default)),
                _ => {
                    let each = configs.iter().take(NAMED).map(|config| {
                        let splits = match &config.splits {
                            Some(splits) => splits.clone(),
                            None => of_names(tree, &config.base),
                        };
                        let splits = named(splits.iter().map(|(split, _)| &**split));
                        format!("`{}` ({splits})", config.name)
                    });
                    let mut all = each.collect::<Vec<_>>().join(", ");
                    if configs.len() > NAMED {
                        all += &format!(" and {} more", configs.len() - NAMED);
                    }
                    let first = &configs[0].name;
                    let message = format!(
                        "has {}, and none is chosen; with their splits they are {all}",
                        counted(configs.len() as u64, "configuration")
                    );
                    Err(UserError::new(place, message).hint(format!(
                        "choose one: `config_name: {first}` (`--config_name {first}`)"
                    )))
                }
            }
        }
    }
}

/// The splits that `wanted` names: one, several joined by `+`, `all`, or, if it names none, those
/// that there are.
pub(in crate::data::input) fn chosen_splits<T: Clone>(
    place: &str,
    of_config: &str,
    splits: &[(String, T)],
    wanted: Option<&str>,
) -> Result<Vec<(String, T)>, UserError> {
    let Some(wanted) = wanted.filter(|wanted| *wanted != "all") else {
        return Ok(splits.to_vec());
    };
    let names = || splits.iter().map(|(split, _)| &**split);
    let mut chosen: Vec<(String, T)> = Vec::new();
    for name in wanted.split('+').map(str::trim) {
        if let Some(found) = splits.iter().find(|(split, _)| split == name) {
            if !chosen.iter().any(|(split, _)| split == name) {
                chosen.push(found.clone());
            }
            continue;
        }
        if name.contains('[') {
            return Err(UserError::new(place, format!("`split: {wanted}`: a part of a split cannot be read"))
                .hint("name the whole split, and put `random_selector` with `select_num` or `select_ratio` first in `process`"));
        }
        let error = UserError::new(place, format!("has no split `{name}`{of_config}"));
        let valid = format!("valid are {}, joined by `+`, or `all`", named(names()));
        return Err(error.hint(match did_you_mean(name, names()) {
            Some(near) => format!("did you mean `{near}`? {valid}"),
            None => valid,
        }));
    }
    Ok(chosen)
}

fn named_splits(splits: &[Split]) -> String {
    format!(
        "the splits {}",
        named(splits.iter().map(|(split, _)| &**split))
    )
}

/// The first of `names`, and how many there are beside.
fn named<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.len() {
        0..=NAMED => names.join(", "),
        all => format!("{} and {} more", names[..NAMED].join(", "), all - NAMED),
    }
}
