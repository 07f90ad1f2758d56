//! Credentials of S3 that a recipe has, as Data-Juicer's may. They are taken out of the configuration
//! when it is resolved: nothing that is shown, or stays with the run, has them.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::invalid_value::InvalidValue;
use super::options::Config;
use super::recipe::user_error;
use super::value::{ANY, OptionType};
use crate::error::UserError;

/// What stores of S3 are opened with where the environment says nothing, by variable
/// (`AWS_ACCESS_KEY_ID`).
#[derive(Clone, Default, PartialEq)]
pub struct S3Settings(pub(crate) BTreeMap<&'static str, String>);

impl fmt::Debug for S3Settings {
    /// Names only: values are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The variable that says what a key of Data-Juicer's says.
pub(super) fn variable(key: &str) -> Option<&'static str> {
    Some(match key {
        "aws_access_key_id" => "AWS_ACCESS_KEY_ID",
        "aws_secret_access_key" => "AWS_SECRET_ACCESS_KEY",
        "aws_session_token" => "AWS_SESSION_TOKEN",
        "aws_region" => "AWS_REGION",
        "endpoint_url" => "AWS_ENDPOINT_URL",
        _ => return None,
    })
}

const KEYS: [&str; 5] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_region",
    "endpoint_url",
];

/// Takes the settings out of `config`. `is_kept` says of an option whether the run records what gave
/// it, as it does with the command line: settings there are mistakes.
pub(super) fn take(
    config: &mut Config,
    is_kept: &dyn Fn(&str) -> bool,
    place: &dyn Fn(&str) -> String,
    errors: &mut Vec<UserError>,
    notes: &mut Vec<String>,
) -> S3Settings {
    let mut taken = Taken::default();
    let mut groups = take_from(&mut config.dataset.0, "dataset");
    let export = std::mem::take(&mut config.export_aws_credentials.0);
    match export {
        Value::Null => {}
        Value::Object(settings) => groups.push(("export_aws_credentials".to_owned(), settings)),
        _ => errors.push(UserError::new(
            place("export_aws_credentials"),
            "expected a mapping, for instance of `aws_access_key_id` and `aws_secret_access_key`",
        )),
    }
    for (path, settings) in groups {
        let option = path.split(['.', '[']).next().unwrap_or(&path);
        if is_kept(option) && settings.values().any(|value| !value.is_null()) {
            errors.push(
                UserError::new(
                    place(&path),
                    "credentials do not belong on a command line, which is recorded",
                )
                .hint("set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or name a profile with `AWS_PROFILE`"),
            );
            continue;
        }
        if taken.add(&path, &settings, place, errors) {
            notes.push(format!(
                "{}: credentials are safer in the environment, which takes precedence (`AWS_ACCESS_KEY_ID`); the copy of the recipe that stays with the run has none",
                place(&path)
            ));
        }
    }
    S3Settings(
        taken
            .0
            .into_iter()
            .map(|(name, (value, _))| (name, value))
            .collect(),
    )
}

/// Takes the settings out of a recipe that a program gave as data.
pub(super) fn forget(recipe: &mut Map<String, Value>) {
    recipe.remove("export_aws_credentials");
    if let Some(dataset) = recipe.get_mut("dataset") {
        take_from(dataset, "dataset");
    }
}

/// The settings of each source in S3, with the path of the source.
fn take_from(dataset: &mut Value, base: &str) -> Vec<(String, Map<String, Value>)> {
    let (sources, base) = match dataset {
        Value::Object(map) => (map.get_mut("configs"), format!("{base}.configs")),
        list => (Some(list), base.to_owned()),
    };
    let Some(Value::Array(sources)) = sources else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (number, source) in sources.iter_mut().enumerate() {
        let Value::Object(source) = source else {
            continue;
        };
        if source.get("source").is_none_or(|kind| kind != "s3") {
            continue;
        }
        let keys = KEYS.iter().filter_map(|key| source.remove_entry(*key));
        let settings: Map<String, Value> = keys.collect();
        if !settings.is_empty() {
            found.push((format!("{base}[{number}]"), settings));
        }
    }
    found
}

/// Values by variable, each with the place that gave it.
#[derive(Default)]
struct Taken(BTreeMap<&'static str, (String, String)>);

impl Taken {
    /// Adds settings; returns whether there are credentials among them.
    fn add(
        &mut self,
        path: &str,
        settings: &Map<String, Value>,
        place: &dyn Fn(&str) -> String,
        errors: &mut Vec<UserError>,
    ) -> bool {
        let mut has_secrets = false;
        for (key, value) in settings {
            let at = place(&format!("{path}.{key}"));
            let Some(variable) = variable(key) else {
                errors.push(user_error(at, InvalidValue::key(key, KEYS)));
                continue;
            };
            let value = match value {
                Value::Null => continue,
                // The message must not have the value.
                value => match String::read(value, ANY) {
                    Ok(value) => value,
                    Err(_) => {
                        errors.push(UserError::new(at, "expected a text"));
                        continue;
                    }
                },
            };
            has_secrets |= !matches!(variable, "AWS_REGION" | "AWS_ENDPOINT_URL");
            match self.0.get(variable) {
                Some((other, first)) if *other != value => errors.push(
                    UserError::new(at, format!("differs from that of {first}")).hint(
                        "all buckets of a job are opened with the same: leave one out, or run two jobs",
                    ),
                ),
                Some(_) => {}
                None => drop(self.0.insert(variable, (value, at))),
            }
        }
        has_secrets
    }
}
