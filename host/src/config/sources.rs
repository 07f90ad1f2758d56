//! Reads `dataset_path` and `dataset`, which name the files of the dataset, and what is read of them.

use serde_json::{Map, Value};

use super::invalid_value::InvalidValue;
use super::options::Config;
use super::recipe::user_error;
use super::value::{ANY, OptionType, Texts, at_least};
use crate::error::UserError;
use crate::remote::address::{Address, is_address};

/// What is read of a dataset that has several configurations and splits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The configuration.
    pub config_name: Option<String>,
    /// The split, several joined by `+`, or `all`.
    pub split: Option<String>,
}

impl Wanted {
    /// Returns whether anything is chosen.
    pub fn is_some(&self) -> bool {
        self.config_name.is_some() || self.split.is_some()
    }
}

/// Returns the paths (files, directories, globs) that `dataset_path` or `dataset` name, in order, and
/// what is read of each. Addresses that cannot be read, and sampling, are refused.
pub(crate) fn read_sources(
    config: &Config,
    place: &dyn Fn(&str) -> String,
    errors: &mut Vec<UserError>,
    notes: &mut Vec<String>,
) -> (Vec<String>, Vec<Wanted>) {
    let of_all = Wanted {
        config_name: config.config_name.clone(),
        split: config.split.clone(),
    };
    for (key, chosen) in [
        ("config_name", &of_all.config_name),
        ("split", &of_all.split),
    ] {
        if chosen
            .as_ref()
            .is_some_and(|chosen| chosen.trim().is_empty())
        {
            errors.push(UserError::new(place(key), "is empty").hint("name one, or leave it out"));
        }
    }
    let mut paths: Vec<String> = config
        .dataset_path
        .0
        .iter()
        .filter(|p| !p.trim().is_empty())
        .cloned()
        .collect();
    if let [one] = &paths[..]
        && let Some(parts) = weighted(one)
    {
        notes.push(format!(
            "{}: the weights have no effect: every row is read once",
            place("dataset_path")
        ));
        paths = parts;
    }
    let mut at: Vec<String> = (0..paths.len())
        .map(|i| {
            if config.dataset_path.0.len() == 1 {
                "dataset_path".into()
            } else {
                format!("dataset_path[{i}]")
            }
        })
        .collect();
    let mut wanted = vec![of_all.clone(); paths.len()];
    if paths.is_empty() {
        let sources = read_dataset(&config.dataset.0, place, errors, notes);
        for source in sources {
            paths.push(source.path);
            at.push(source.at);
            wanted.push(Wanted {
                config_name: of_all.config_name.clone().or(source.wanted.config_name),
                split: of_all.split.clone().or(source.wanted.split),
            });
        }
    } else if !super::data_juicer_options::is_off(&config.dataset.0) {
        notes.push(format!(
            "{}: is not used, as `dataset_path` is given",
            place("dataset")
        ));
    }
    for (path, at) in paths.iter().zip(&at) {
        if is_address(path)
            && let Err(wrong) = Address::parse(path)
        {
            errors.push(wrong.in_place(place(at)));
        }
    }
    (paths, wanted)
}

/// A source that `dataset` names.
struct Source {
    path: String,
    /// Its place in the recipe.
    at: String,
    wanted: Wanted,
}

/// Splits Data-Juicer's `0.5 a.jsonl 0.5 b.jsonl`, in which weights and paths alternate.
fn weighted(text: &str) -> Option<Vec<String>> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let pairs = words.len() >= 2
        && words.len().is_multiple_of(2)
        && words.iter().step_by(2).all(|w| w.parse::<f64>().is_ok());
    pairs.then(|| {
        words
            .iter()
            .skip(1)
            .step_by(2)
            .map(|w| (*w).to_owned())
            .collect()
    })
}

/// Returns the sources that `dataset` names.
fn read_dataset(
    dataset: &Value,
    place: &dyn Fn(&str) -> String,
    errors: &mut Vec<UserError>,
    notes: &mut Vec<String>,
) -> Vec<Source> {
    let (configs, base) = match dataset {
        Value::Object(map) if !map.is_empty() => {
            check_dataset_keys(map, place, errors, notes);
            match map.get("configs") {
                Some(configs) => (configs, "dataset.configs"),
                None => {
                    errors.push(
                        UserError::new(place("dataset"), "has no `configs`")
                            .hint("`dataset: {configs: [{type: local, path: data.jsonl}]}`"),
                    );
                    return Vec::new();
                }
            }
        }
        Value::Null | Value::Object(_) => return Vec::new(),
        Value::Array(list) if list.is_empty() => return Vec::new(),
        list => (list, "dataset"),
    };
    let Value::Array(configs) = configs else {
        errors.push(user_error(
            place(base),
            InvalidValue::expected("a list of sources", configs),
        ));
        return Vec::new();
    };
    let mut paths = Vec::new();
    for (i, source) in configs.iter().enumerate() {
        paths.extend(read_source(
            source,
            &format!("{base}[{i}]"),
            place,
            errors,
            notes,
        ));
    }
    paths
}

fn check_dataset_keys(
    map: &Map<String, Value>,
    place: &dyn Fn(&str) -> String,
    errors: &mut Vec<UserError>,
    notes: &mut Vec<String>,
) {
    for (key, value) in map {
        let at = place(&format!("dataset.{key}"));
        match key.as_str() {
            "configs" => {}
            "max_sample_num" if value.is_null() => {}
            "max_sample_num" => errors.push(match u64::read(value, at_least(1.0)) {
                Ok(_) => UserError::new(at, "drawing a sample while loading is not supported")
                    .hint("put `random_selector` with `select_num` first in `process`"),
                Err(wrong) => user_error(at, wrong),
            }),
            "weight" | "weights" => {
                notes.push(format!("{at}: has no effect: every row is read once"))
            }
            other => errors.push(user_error(
                at,
                InvalidValue::key(other, ["configs", "max_sample_num"]),
            )),
        }
    }
}

/// Returns the paths of the source at `base`: a local one, a dataset of the hub, or one in S3.
fn read_source(
    source: &Value,
    base: &str,
    place: &dyn Fn(&str) -> String,
    errors: &mut Vec<UserError>,
    notes: &mut Vec<String>,
) -> Vec<Source> {
    let mut paths: Vec<Source> = Vec::new();
    let Value::Object(source) = source else {
        errors.push(user_error(
            place(base),
            InvalidValue::expected("a mapping with `type` and `path`", source),
        ));
        return paths;
    };
    let is_of_hub = source.get("type").is_some_and(|kind| kind == "remote")
        && source
            .get("source")
            .is_none_or(|kind| kind == "huggingface");
    let is_of_store = source.get("type").is_some_and(|kind| kind == "remote")
        && source.get("source").is_some_and(|kind| kind == "s3");
    let kind = source.get("type").filter(|kind| *kind != "local");
    if let Some(kind) = kind.filter(|_| !is_of_hub && !is_of_store) {
        // The other keys belong to that kind of source.
        let got = super::invalid_value::got_text(kind);
        errors.push(
            UserError::new(
                place(&format!("{base}.type")),
                format!("expected `local`, got {got}"),
            )
            .hint("files elsewhere are named by `dataset_path`, datasets of the hub also by `{type: remote, source: huggingface, path: OWNER/NAME}`, and those in S3 by `{type: remote, source: s3, path: s3://BUCKET/PATH}`"),
        );
        return paths;
    }
    let mut wanted = Wanted::default();
    for (key, value) in source {
        let path = format!("{base}.{key}");
        let at = place(&path);
        match key.as_str() {
            "type" => {}
            "path" => match Texts::read(value, ANY) {
                Ok(texts) if is_of_store && !texts.0.iter().all(|t| t.starts_with("s3://")) => {
                    errors.push(user_error(
                        at,
                        InvalidValue::expected("an address like `s3://BUCKET/PATH`", value),
                    ));
                }
                Ok(texts) => paths.extend(texts.0.into_iter().map(|text| Source {
                    path: match is_of_hub && !is_address(&text) {
                        true => format!("hf://datasets/{text}"),
                        false => text,
                    },
                    at: path.clone(),
                    wanted: Wanted::default(),
                })),
                Err(wrong) => errors.push(user_error(at, wrong)),
            },
            "split" | "name" if value.is_null() => {}
            "split" | "name" if is_of_hub => match String::read(value, ANY) {
                Ok(text) if key == "split" => wanted.split = Some(text),
                Ok(text) => wanted.config_name = Some(text),
                Err(wrong) => errors.push(user_error(at, wrong)),
            },
            "source" if is_of_hub || is_of_store => {}
            "weight" | "weights" => {
                notes.push(format!("{at}: has no effect: every row is read once"))
            }
            "source" => notes.push(format!(
                "{at}: has no effect: formats are recognised by the content of a file"
            )),
            "limit" | "data_files" | "data_dir" if is_of_hub && !value.is_null() => {
                let hint = match key.as_str() {
                    "limit" => "put `random_selector` with `select_num` first in `process`",
                    _ => "name directory, file or pattern in `path`: `OWNER/NAME/data/*.parquet`",
                };
                errors.push(UserError::new(at, "is not supported").hint(hint));
            }
            "split" | "name" => notes.push(format!(
                "{at}: has no effect on local files here; `{}` beside `dataset_path` has",
                if key == "name" {
                    "config_name"
                } else {
                    "split"
                }
            )),
            "limit" | "data_files" | "data_dir" | "load_kwargs" | "load_dataset_kwargs" => {
                notes.push(format!("{at}: has no effect on local files"));
            }
            other => errors.push(user_error(
                at,
                InvalidValue::key(other, ["type", "path", "weight"]),
            )),
        }
    }
    if !source.contains_key("path") {
        errors.push(UserError::new(place(base), "has no `path`"));
    }
    for source in &mut paths {
        source.wanted = wanted.clone();
    }
    paths
}
