//! Reads `process`, the operators of a recipe, and separates parameters for the operator from
//! settings for the host.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::choices::OnError;
use super::data_juicer_options::of_every_op;
use super::invalid_value::InvalidValue;
use super::options::Config;
use super::value::{ANY, OptionType, Texts, at_least, between};
use crate::error::{UserError, did_you_mean};

/// One entry of `process`.
#[derive(Debug, Clone, PartialEq)]
pub struct OpSpec {
    /// Its place in `process`, from 0; in a plan, in the order in which ops run. Checkpoints and
    /// events use the same number.
    pub index: usize,
    /// Name of the operator as in the recipe.
    pub name: String,
    /// Parameters for the operator, not yet checked against its schema.
    pub params: Map<String, Value>,
    /// Settings for the host.
    pub host: OpHost,
    /// Its place in the recipe: `recipe.yaml:12: process[3].text_length_filter`.
    pub place: String,
    /// The place of each parameter in the recipe.
    pub param_places: BTreeMap<String, String>,
}

/// Settings of one entry of `process` for the host. None means the setting for all operators
/// applies.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OpHost {
    /// The field with the text.
    pub text_key: Option<String>,
    /// The field with image paths.
    pub image_key: Option<String>,
    /// The field with the bytes of images.
    pub image_bytes_key: Option<String>,
    /// The field with audio paths.
    pub audio_key: Option<String>,
    /// The field with video paths.
    pub video_key: Option<String>,
    /// What happens to rows that it cannot process.
    pub on_error: Option<OnError>,
    /// Memory of one instance, in MB.
    pub memory_mb: Option<u64>,
    /// CPU time for one batch, in seconds.
    pub timeout_s: Option<f64>,
    /// CPU time for one row, in seconds (`limits.row_timeout_s`).
    pub row_timeout_s: Option<f64>,
    /// Largest answer for a row, as a multiple of the row.
    pub output_ratio: Option<f64>,
    /// What an answer for one row may have beyond that, in KB.
    pub row_output_kb: Option<u64>,
    /// What it may make of rows beyond `output_ratio` in the whole job, in MB.
    pub job_output_mb: Option<u64>,
    /// Directories that it may read; it sees them under the same path.
    pub read_dirs: Vec<String>,
    /// Environment variables that it sees.
    pub env: BTreeMap<String, String>,
    /// Whether it may read the directories of the dataset.
    pub media: Option<bool>,
    /// Whether it may run with the host's service for models though it is lent none.
    pub models: Option<bool>,
    /// Seed of its random numbers, instead of the job's.
    pub seed: Option<u64>,
}

/// The parameters that every operator gets in addition to its own (see `create` in the WIT).
/// Recipes may give them for any filter.
pub const COMMON_FLAGS: [(&str, bool); 3] = [
    ("min_closed_interval", true),
    ("max_closed_interval", true),
    ("reversed_range", false),
];

impl OpSpec {
    /// Returns the place of a parameter (`min_len`, `polygon[2]`) for errors.
    pub fn place_of(&self, param: &str) -> String {
        let top = param.split(['.', '[']).next().unwrap_or(param);
        match self.param_places.get(top) {
            Some(place) => format!("{place}{}", &param[top.len()..]),
            None => format!("{}.{param}", self.place),
        }
    }

    /// Returns the `params` that the operator gets: `checked`, which are its own with defaults from
    /// [`check_params`](super::params::check_params), and the common ones of the WIT's `create`. If
    /// an operator declares a common name itself, its own value is used. The special tokens of texts are
    /// those of the options, where its parameters of these names are not given.
    pub fn guest_params(&self, config: &Config, checked: Map<String, Value>) -> Map<String, Value> {
        let mut params = checked;
        let keys = [
            ("text_key", &self.host.text_key, config.text_key()),
            ("image_key", &self.host.image_key, &config.image_key),
            (
                "image_bytes_key",
                &self.host.image_bytes_key,
                &config.image_bytes_key,
            ),
            ("audio_key", &self.host.audio_key, &config.audio_key),
            ("video_key", &self.host.video_key, &config.video_key),
        ];
        for (name, own, general) in keys {
            params
                .entry(name)
                .or_insert_with(|| own.as_deref().unwrap_or(general).into());
        }
        let tokens = [
            ("image_special_token", &config.image_special_token),
            ("audio_special_token", &config.audio_special_token),
            ("video_special_token", &config.video_special_token),
            ("eoc_special_token", &config.eoc_special_token),
        ];
        for (name, token) in tokens {
            // Only operators that have such a parameter get it.
            if !self.params.contains_key(name)
                && let Some(param) = params.get_mut(name)
            {
                *param = token.as_str().into();
            }
        }
        for (name, default) in COMMON_FLAGS {
            params.entry(name).or_insert(default.into());
        }
        params.entry("seed").or_insert(config.seed.into());
        params
    }
}

/// Adds the common parameters with their defaults to an operator's own. This is what the operator
/// gets if the recipe gives no parameters.
pub fn common_params(checked: Map<String, Value>) -> Map<String, Value> {
    let spec = OpSpec {
        index: 0,
        name: String::new(),
        params: Map::new(),
        host: OpHost::default(),
        place: String::new(),
        param_places: BTreeMap::new(),
    };
    spec.guest_params(&Config::default(), checked)
}

/// A parameter given outside the recipe: `--text_length_filter.min_len 5`.
#[derive(Debug, Clone)]
pub(crate) struct ParamOverride {
    /// Name of the operator.
    pub op: String,
    /// Name of the parameter; dots lead into mappings.
    pub param: String,
    /// The value.
    pub value: Value,
    /// The option or variable that gave it.
    pub source: String,
}

impl ParamOverride {
    /// Key, value and place.
    pub(crate) fn parts(self) -> (String, Value, String) {
        (
            format!("{}.{}", self.op, self.param),
            self.value,
            self.source,
        )
    }
}

/// Returns whether a key looks like the name of an operator.
pub(crate) fn looks_like_op(key: &str) -> bool {
    [
        "_filter",
        "_mapper",
        "_deduplicator",
        "_selector",
        "_grouper",
        "_aggregator",
    ]
    .iter()
    .any(|end| key.ends_with(end))
}

/// Reads `process`. `place` returns the place of a path below it, such as `[3].text_length_filter`.
/// Adds mistakes and notes to the lists.
pub(crate) fn read_process(
    process: &Value,
    overrides: &[ParamOverride],
    place: &dyn Fn(&str) -> String,
    errors: &mut Vec<UserError>,
    notes: &mut Vec<String>,
) -> Vec<OpSpec> {
    let entries = match process {
        Value::Null => return Vec::new(),
        Value::Array(entries) => entries,
        other => {
            errors.push(shape(
                place(""),
                InvalidValue::expected("a list of operators", other),
            ));
            return Vec::new();
        }
    };
    let mut ops: Vec<OpSpec> = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        match read_entry(index, entry, place) {
            Ok(op) => ops.push(op),
            Err(error) => errors.push(error),
        }
    }
    for item in overrides {
        let mut found = false;
        for op in ops.iter_mut().filter(|op| op.name == item.op) {
            found = true;
            let top = item
                .param
                .split('.')
                .next()
                .unwrap_or(&item.param)
                .to_owned();
            if insert(&mut op.params, &item.param, item.value.clone()) {
                op.param_places.insert(top, item.source.clone());
            } else {
                errors.push(UserError::new(
                    &item.source,
                    format!("`{top}` of `{}` is not a mapping", op.name),
                ));
            }
        }
        if !found && entries.len() == ops.len() {
            let error = UserError::new(&item.source, format!("`{}` is not in `process`", item.op));
            errors.push(
                match did_you_mean(&item.op, ops.iter().map(|op| op.name.as_str())) {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None => error.hint(format!("it has {}", names(&ops))),
                },
            );
        }
    }
    for op in &mut ops {
        split_host(op, errors, notes);
    }
    ops
}

fn names(ops: &[OpSpec]) -> String {
    if ops.is_empty() {
        "no operators".into()
    } else {
        ops.iter()
            .map(|op| format!("`{}`", op.name))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

fn shape(place: String, wrong: InvalidValue) -> UserError {
    UserError::new(place, wrong.message).hint(
        wrong.hint.unwrap_or_else(|| {
            "write `- operator_name:` with its parameters indented below".into()
        }),
    )
}

fn read_entry(
    index: usize,
    entry: &Value,
    place: &dyn Fn(&str) -> String,
) -> Result<OpSpec, UserError> {
    let at = place(&format!("[{index}]"));
    let (name, params) = match entry {
        Value::String(name) => (name, &Value::Null),
        Value::Object(map) if map.len() == 1 => map.iter().next().expect("one entry"),
        Value::Object(map) if map.is_empty() => {
            return Err(shape(at, InvalidValue::new("an empty entry")));
        }
        Value::Object(map) => {
            let keys = map
                .keys()
                .map(|k| format!("`{k}`"))
                .collect::<Vec<_>>()
                .join(", ");
            // A common slip: the parameters have the same indentation as the operator.
            let hint = match map.iter().next() {
                Some((first, Value::Null)) => {
                    format!("indent the parameters further than `{first}`")
                }
                _ => "start each operator with its own `-`".to_owned(),
            };
            return Err(UserError::new(
                at,
                format!("an entry has one operator, this one has the keys {keys}"),
            )
            .hint(hint));
        }
        other => return Err(shape(at, InvalidValue::expected("an operator", other))),
    };
    let name = name.trim();
    let path = format!("[{index}].{name}");
    let at = place(&path);
    if name.is_empty() {
        return Err(shape(at, InvalidValue::new("the operator has no name")));
    }
    let params = match params {
        Value::Null => Map::new(),
        Value::Object(map) => map.clone(),
        other => {
            return Err(UserError::new(
                at,
                InvalidValue::expected("parameters (`name: value`)", other).message,
            ));
        }
    };
    let param_places = params
        .keys()
        .map(|key| (key.clone(), place(&format!("{path}.{key}"))))
        .collect();
    Ok(OpSpec {
        index,
        name: name.to_owned(),
        params,
        host: OpHost::default(),
        place: at,
        param_places,
    })
}

/// Sets the value at a dotted path. Returns false if the path leads through something that is not a
/// mapping.
fn insert(params: &mut Map<String, Value>, path: &str, value: Value) -> bool {
    match path.split_once('.') {
        None => {
            params.insert(path.to_owned(), value);
            true
        }
        Some((head, rest)) => match params
            .entry(head)
            .or_insert_with(|| Value::Object(Map::new()))
        {
            Value::Object(inner) => insert(inner, rest, value),
            _ => false,
        },
    }
}

/// Moves the settings for the host out of the parameters.
fn split_host(op: &mut OpSpec, errors: &mut Vec<UserError>, notes: &mut Vec<String>) {
    let params = std::mem::take(&mut op.params);
    for (key, value) in params {
        let place = op.place_of(&key);
        let host = &mut op.host;
        let done = match key.as_str() {
            "text_key" => Option::read(&value, ANY).map(|v| host.text_key = v),
            "image_key" => Option::read(&value, ANY).map(|v| host.image_key = v),
            "image_bytes_key" => Option::read(&value, ANY).map(|v| host.image_bytes_key = v),
            "audio_key" => Option::read(&value, ANY).map(|v| host.audio_key = v),
            "video_key" => Option::read(&value, ANY).map(|v| host.video_key = v),
            "on_error" => Option::read(&value, ANY).map(|v| host.on_error = v.or(host.on_error)),
            // Data-Juicer's spelling; if both are given, `on_error` takes precedence.
            "skip_op_error" => Option::<bool>::read(&value, ANY).map(|skip| {
                let means = skip.map(|skip| {
                    if skip {
                        OnError::Quarantine
                    } else {
                        OnError::Fail
                    }
                });
                host.on_error = host.on_error.or(means);
            }),
            "limits" => each(&value, &place, errors, |key, value| {
                set_limit(host, key, value)
            }),
            "grants" => each(&value, &place, errors, |key, value| {
                set_grant(host, key, value)
            }),
            name => match of_every_op(name).map(|foreign| foreign.given(&value)) {
                Some(None) => Ok(()),
                Some(Some(Ok(note))) => {
                    notes.push(format!("{place}: {note}"));
                    Ok(())
                }
                Some(Some(Err(instead))) => {
                    Err(InvalidValue::new("is not supported").hint(instead))
                }
                None => {
                    op.params.insert(key, value);
                    continue;
                }
            },
        };
        if let Err(wrong) = done {
            errors.push(user_error(place, wrong));
        }
    }
}

fn set_limit(host: &mut OpHost, key: &str, value: &Value) -> Result<(), InvalidValue> {
    const LIMITS: [&str; 6] = [
        "memory_mb",
        "timeout_s",
        "row_timeout_s",
        "output_ratio",
        "row_output_kb",
        "job_output_mb",
    ];
    match key {
        "memory_mb" => host.memory_mb = Option::read(value, between(1.0, 4096.0))?,
        "timeout_s" => host.timeout_s = Option::read(value, between(0.001, 86_400.0))?,
        "row_timeout_s" => host.row_timeout_s = Option::read(value, between(0.001, 86_400.0))?,
        "output_ratio" => host.output_ratio = Option::read(value, between(1.0, 1024.0))?,
        "row_output_kb" => host.row_output_kb = Option::read(value, between(1.0, 1_048_576.0))?,
        "job_output_mb" => {
            host.job_output_mb = Option::read(value, between(1.0, 1_073_741_824.0))?;
        }
        other => return Err(InvalidValue::key(other, LIMITS)),
    }
    Ok(())
}

fn set_grant(host: &mut OpHost, key: &str, value: &Value) -> Result<(), InvalidValue> {
    const GRANTS: [&str; 5] = ["read_dirs", "env", "media", "models", "seed"];
    match key {
        "read_dirs" => host.read_dirs = Texts::read(value, ANY)?.0,
        "env" => host.env = variables(value)?,
        "media" => host.media = Option::read(value, ANY)?,
        "models" => host.models = Option::read(value, ANY)?,
        "seed" => host.seed = Option::read(value, ANY)?,
        "network" => return Err(InvalidValue::new("no operator can have the network")),
        other => return Err(InvalidValue::key(other, GRANTS)),
    }
    Ok(())
}

pub(crate) fn user_error(place: impl Into<String>, wrong: InvalidValue) -> UserError {
    let error = UserError::new(place, wrong.message);
    match wrong.hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

fn each(
    value: &Value,
    place: &str,
    errors: &mut Vec<UserError>,
    mut set: impl FnMut(&str, &Value) -> Result<(), InvalidValue>,
) -> Result<(), InvalidValue> {
    match value {
        Value::Null => {}
        Value::Object(map) => {
            for (key, value) in map {
                if let Err(wrong) = set(key, value) {
                    errors.push(user_error(format!("{place}.{key}"), wrong));
                }
            }
        }
        other => return Err(InvalidValue::expected("a mapping", other)),
    }
    Ok(())
}

/// Reads `env`: either a mapping of names to values, or a list of names whose present values are
/// passed on.
fn variables(value: &Value) -> Result<BTreeMap<String, String>, InvalidValue> {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| Ok((name.clone(), String::read(value, at_least(0.0))?)))
            .collect(),
        _ => {
            let names = Texts::read(value, ANY)?.0;
            names
                .into_iter()
                .map(|name| match std::env::var(&name) {
                    Ok(value) => Ok((name, value)),
                    Err(_) => Err(InvalidValue::new(format!(
                        "the environment has no variable `{name}`"
                    ))
                    .hint("set it, or write `NAME: value`")),
                })
                .collect()
        }
    }
}
