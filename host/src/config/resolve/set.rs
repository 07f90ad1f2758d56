//! Sets options from the recipe, the environment and the command line.

use serde_json::Value;

use super::{Builder, Origin};
use crate::config::data_juicer_options::{FOREIGN, RENAMED, foreign};
use crate::config::declare::{Given, SetError};
use crate::config::invalid_value::InvalidValue;
use crate::config::overrides::Override;
use crate::config::recipe::{ParamOverride, looks_like_op, user_error};
use crate::config::yaml::{self, join};
use crate::error::{UserError, did_you_mean};

impl Builder {
    /// Sets the options of the recipe.
    pub(super) fn read_file(&mut self) {
        let root = std::mem::take(&mut self.document.root);
        for (key, value) in &root {
            let is_section = self.entries.iter().any(|e| e.is_section && e.key == *key);
            match value {
                // A section is empty if all its lines are comments.
                Value::Null if is_section => {}
                Value::Object(fields) if is_section => {
                    for (field, value) in fields {
                        self.set_from_file(&join(key, field), value);
                    }
                }
                _ if is_section => {
                    let wrong = InvalidValue::expected("a mapping of options", value);
                    let names = self.fields(key);
                    self.errors.push(user_error(
                        self.document.place(key),
                        wrong.hint(format!("its options: {names}")),
                    ));
                }
                _ => self.set_from_file(key, value),
            }
        }
        self.document.root = root;
    }

    /// Returns the names of the options in a section, for messages.
    fn fields(&self, section: &str) -> String {
        let prefix = format!("{section}.");
        self.entries
            .iter()
            .filter_map(|e| e.key.strip_prefix(&prefix))
            .map(|k| format!("`{k}`"))
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn set_from_file(&mut self, key: &str, value: &Value) {
        let place = self.document.place(key);
        let origin = match self.document.name.is_empty() {
            true => Origin::Data,
            false => Origin::File {
                name: self.document.name.clone(),
                line: self.document.line(key),
            },
        };
        self.set(key, &Given::Value(value.clone()), false, &place, origin);
    }

    /// Sets the options of the environment, then those of the command line.
    pub(super) fn read_overrides(&mut self, env: &[Override], command_line: &[Override]) {
        // Operators named on the command line may be those of the recipe or of a `--process`
        // option.
        for (given, is_env) in env
            .iter()
            .map(|o| (o, true))
            .chain(command_line.iter().map(|o| (o, false)))
        {
            let source = given.source.clone();
            let origin = if is_env {
                Origin::Env(source.clone())
            } else {
                Origin::CommandLine(source.clone())
            };
            let head = given.key.split('.').next().unwrap_or(&given.key);
            let is_section = self.entries.iter().any(|e| e.is_section && e.key == head);
            let op = !is_section
                && given.key.contains('.')
                && (self.in_process(head) || looks_like_op(head));
            if op {
                let (op, param) = given.key.split_once('.').expect("has a dot");
                let value = match &given.value {
                    Given::Text(text) => yaml::value_of_text(text),
                    Given::Value(value) => Ok(value.clone()),
                };
                match value {
                    Ok(value) => self.params.push(ParamOverride {
                        op: op.to_owned(),
                        param: param.to_owned(),
                        value,
                        source,
                    }),
                    Err(wrong) => self.errors.push(user_error(source, wrong)),
                }
            } else if is_env && self.is_unknown(&given.key) {
                // Not an error: other programs may use the same prefix.
                self.notes.push(format!(
                    "{source}: no option of this name, the variable is ignored{}",
                    self.near(&given.key)
                ));
            } else {
                self.set(&given.key, &given.value, given.append, &source, origin);
            }
        }
    }

    /// Returns whether `process` has an operator of this name.
    fn in_process(&self, name: &str) -> bool {
        self.config.process.0.as_array().is_some_and(|ops| {
            ops.iter().any(|op| match op {
                Value::String(s) => s == name,
                Value::Object(map) => map.contains_key(name),
                _ => false,
            })
        })
    }

    fn is_unknown(&self, key: &str) -> bool {
        !self.entries.iter().any(|e| e.key == key)
            && foreign(key).is_none()
            && !RENAMED.iter().any(|(old, _)| *old == key)
    }

    fn set(&mut self, key: &str, given: &Given, append: bool, place: &str, origin: Origin) {
        if let Some((_, new)) = RENAMED.iter().find(|(old, _)| *old == key) {
            if self.origins.contains_key(*new) {
                self.notes.push(format!(
                    "{place}: is an old name of `{new}`, which is given as well: ignored"
                ));
                return;
            }
            self.notes
                .push(format!("{place}: is an old name of `{new}`"));
            return self.set(new, given, append, place, origin);
        }
        match self.config.set(key, given, append) {
            Ok(()) => drop(self.origins.insert(key.to_owned(), origin)),
            Err(SetError::InvalidValue(wrong)) => self.errors.push(user_error(place, wrong)),
            Err(SetError::UnknownKey) => self.set_foreign(key, given, place),
        }
    }

    /// Notes or refuses a key that djhost does not have.
    fn set_foreign(&mut self, key: &str, given: &Given, place: &str) {
        let value = match given {
            Given::Value(value) => value.clone(),
            Given::Text(text) => yaml::value_of_text(text).unwrap_or(Value::String(text.clone())),
        };
        match foreign(key).map(|foreign| foreign.given(&value)) {
            Some(None) => {}
            Some(Some(Ok(note))) => self.notes.push(format!("{place}: {note}")),
            Some(Some(Err(instead))) => self
                .errors
                .push(UserError::new(place, "is not supported").hint(instead)),
            None => {
                let error = UserError::new(place, "no option of this name");
                self.errors.push(error.hint(self.hint_for_unknown(key)));
            }
        }
    }

    fn hint_for_unknown(&self, key: &str) -> String {
        if looks_like_op(key) {
            return "operators are listed below `process:`, each with `- ` before its name"
                .to_owned();
        }
        let near = self.near(key);
        if !near.is_empty() {
            return near.trim_start_matches(", ").to_owned();
        }
        match key.split_once('.') {
            Some((section, _))
                if self
                    .entries
                    .iter()
                    .any(|e| e.is_section && e.key == section) =>
            {
                format!("options of `{section}`: {}", self.fields(section))
            }
            _ => "`djhost config` lists all options".to_owned(),
        }
    }

    /// Returns `, did you mean …?` or nothing. The key may be misspelt, in the wrong section, or
    /// without its section.
    fn near(&self, key: &str) -> String {
        let known = || self.entries.iter().map(|e| e.key.as_str());
        let last = key.rsplit('.').next().unwrap_or(key);
        let moved = known().find(|k| k.rsplit('.').next() == Some(last));
        let foreign = FOREIGN.iter().map(|(k, _)| *k);
        match moved.or_else(|| did_you_mean(key, known().chain(foreign))) {
            Some(near) => format!(", did you mean `{near}`?"),
            None => String::new(),
        }
    }
}
