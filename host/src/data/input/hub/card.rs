//! The card of a dataset, `README.md`: what its front matter, a piece of YAML, says of configurations,
//! splits and features. Older datasets have `dataset_infos.json` beside it.

use super::patterns::Split;
use super::tree::Tree;
use crate::data::columns::features_yaml::features_of_yaml;
use crate::error::UserError;
use serde_json::{Map, Value};
use std::io;

/// A configuration: a part of a dataset that can be loaded by itself.
pub(super) struct Config {
    pub(super) name: String,
    pub(super) is_default: bool,
    /// The directory that patterns start at, with a slash at its end, or empty.
    pub(super) base: String,
    /// None: names tell the splits.
    pub(super) splits: Option<Vec<Split>>,
    /// What else it says of how files are read, which djhost does not do.
    pub(super) others: Vec<String>,
}

/// What is known of a dataset beside its files.
#[derive(Default)]
pub(super) struct Card {
    pub(super) configs: Vec<Config>,
    /// By configuration: the features, as `datasets` writes them into files.
    features: Vec<(String, Map<String, Value>)>,
    /// Why the front matter was not understood.
    pub(super) problem: Option<UserError>,
}

impl Card {
    pub(super) fn read(tree: &Tree<'_>) -> io::Result<Self> {
        let mut card = Self::default();
        let place = format!("{}/README.md", tree.place.trim_end_matches('/'));
        if let Some(text) = tree.text("README.md")?
            && let Some(front) = front_matter(&text)
        {
            match serde_yaml::from_str::<Value>(front) {
                Ok(front) => card.take(&front, &place),
                Err(e) => {
                    let message = format!("its front matter is no YAML: {e}");
                    card.problem = Some(UserError::new(place, message));
                }
            }
        }
        if card.features.is_empty()
            && let Some(Value::Object(infos)) = tree.json("dataset_infos.json")?
        {
            for (name, info) in infos {
                if let Some(features) = info.get("features").and_then(Value::as_object) {
                    card.features.push((name, features.clone()));
                }
            }
        }
        Ok(card)
    }

    fn take(&mut self, front: &Value, place: &str) {
        let infos = match front.get("dataset_info") {
            Some(Value::Array(infos)) => infos.iter().collect(),
            Some(info) => vec![info],
            None => Vec::new(),
        };
        for info in infos {
            let name = info.get("config_name").map_or("default".to_owned(), text);
            if let Some(features) = info.get("features").and_then(features_of_yaml) {
                self.features.push((name, features));
            }
        }
        let configs = match front.get("configs") {
            None | Some(Value::Null) => return,
            Some(Value::Array(configs)) => configs,
            Some(_) => {
                let error = UserError::new(place, "`configs` is no list");
                self.problem = Some(error.hint(SHAPE));
                return;
            }
        };
        for (number, config) in configs.iter().enumerate() {
            match config_of(config) {
                Ok(config) => self.configs.push(config),
                Err(why) => {
                    let message = format!("`configs[{number}]` {why}");
                    self.problem = Some(UserError::new(place, message).hint(SHAPE));
                }
            }
        }
    }

    /// The features of a configuration. (Of an older dataset with a single one whatever its name is.)
    pub(super) fn features(&self, config: &str) -> Option<&Map<String, Value>> {
        let named = self.features.iter().find(|(name, _)| name == config);
        let only = match &self.features[..] {
            [only] if config == "default" => Some(only),
            _ => None,
        };
        named.or(only).map(|(_, features)| features)
    }
}

const SHAPE: &str =
    "an entry is like `{config_name: en, data_files: [{split: train, path: en/*.parquet}]}`";

/// The YAML at the beginning of a card.
pub(crate) fn front_matter(text: &str) -> Option<&str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_start();
    let rest = text.strip_prefix("---")?;
    let rest = rest
        .strip_prefix("\r\n")
        .or_else(|| rest.strip_prefix('\n'))?;
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Some(&rest[..at]);
        }
        at += line.len();
    }
    None
}

/// A scalar as it is written.
fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn config_of(config: &Value) -> Result<Config, String> {
    const KNOWN: [&str; 7] = [
        "config_name",
        "data_files",
        "data_dir",
        "default",
        "description",
        "version",
        "features",
    ];
    let fields = config.as_object().ok_or("is no mapping")?;
    let name = fields.get("config_name").ok_or("has no `config_name`")?;
    let base = match fields.get("data_dir").and_then(Value::as_str) {
        Some(dir) => match dir.trim_start_matches("./").trim_matches('/') {
            "" | "." => String::new(),
            dir => format!("{dir}/"),
        },
        None => String::new(),
    };
    let splits = match fields.get("data_files") {
        None | Some(Value::Null) => None,
        Some(files) => Some(splits_of(files)?),
    };
    let others = fields.keys().filter(|key| !KNOWN.contains(&key.as_str()));
    Ok(Config {
        name: text(name),
        is_default: fields
            .get("default")
            .is_some_and(|v| v == &Value::Bool(true)),
        base,
        splits,
        others: others.cloned().collect(),
    })
}

fn splits_of(files: &Value) -> Result<Vec<Split>, String> {
    let patterns = |value: &Value| -> Result<Vec<String>, String> {
        let each: Vec<&Value> = match value {
            Value::Array(values) => values.iter().collect(),
            one => vec![one],
        };
        let each = each.into_iter().map(|value| match value {
            Value::String(pattern) => plain(pattern),
            other => Err(format!(
                "has `{other}` in `data_files`, where a path is expected"
            )),
        });
        each.collect()
    };
    let is_split = |value: &Value| value.is_object();
    match files {
        Value::Array(list) if list.iter().any(is_split) => {
            let mut splits: Vec<Split> = Vec::new();
            for entry in list {
                let (split, path) = (entry.get("split"), entry.get("path"));
                let (Some(split), Some(path)) = (split, path) else {
                    return Err("has an entry of `data_files` without `split` or `path`".to_owned());
                };
                let split = text(split);
                if splits.iter().any(|(known, _)| *known == split) {
                    return Err(format!("has the split `{split}` twice"));
                }
                splits.push((split, patterns(path)?));
            }
            Ok(splits)
        }
        Value::Object(by_split) => by_split
            .iter()
            .map(|(split, path)| Ok((split.clone(), patterns(path)?)))
            .collect(),
        all => Ok(vec![("train".to_owned(), patterns(all)?)]),
    }
}

/// A pattern without what changes nothing.
fn plain(pattern: &str) -> Result<String, String> {
    let pattern = pattern.trim_start_matches("./");
    if pattern.contains("://") || pattern.starts_with('/') || pattern.split('/').any(|p| p == "..")
    {
        return Err(format!(
            "names `{pattern}`, which is not in the dataset; name that with `dataset_path`"
        ));
    }
    Ok(pattern.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(front: &str) -> Card {
        let text = format!("---\n{front}---\n# A card\n");
        let files = vec!["README.md".to_owned()];
        let tree = Tree::new("here".to_owned(), files, move |_| Ok(text.clone().into()));
        Card::read(&tree).unwrap()
    }

    #[test]
    fn all_ways_to_write_data_files_are_read() {
        let card = card(
            "configs:\n- config_name: a\n  data_files: x.jsonl\n- config_name: b\n  data_dir: ./sub/\n  default: true\n  sep: ';'\n\
             - config_name: 3\n  data_files:\n  - split: train\n    path: [a/*.csv, ./b.csv]\n  - split: test\n    path: c.csv\n",
        );
        assert!(card.problem.is_none());
        let [a, b, c] = &card.configs[..] else {
            panic!("{} configurations", card.configs.len());
        };
        assert_eq!(a.splits.as_ref().unwrap()[0].1, ["x.jsonl"]);
        assert!(b.is_default && b.splits.is_none() && b.base == "sub/" && b.others == ["sep"]);
        let splits = c.splits.as_ref().unwrap();
        assert_eq!((&*c.name, &*splits[1].0), ("3", "test"));
        assert_eq!(splits[0].1, ["a/*.csv", "b.csv"]);
    }

    #[test]
    fn mistakes_are_said() {
        for (front, says) in [
            ("configs: [\n", "no YAML"),
            ("configs: x\n", "`configs` is no list"),
            ("configs: [{data_files: x}]\n", "has no `config_name`"),
            (
                "configs: [{config_name: a, data_files: ../x}]\n",
                "not in the dataset",
            ),
            (
                "configs: [{config_name: a, data_files: [{split: x}]}]\n",
                "without `split` or `path`",
            ),
        ] {
            let problem = card(front).problem.unwrap().to_string();
            assert!(problem.contains(says), "{problem}");
        }
        assert!(card("license: mit\n").problem.is_none());
        assert!(front_matter("# no card\n---\nx\n---\n").is_none());
    }
}
