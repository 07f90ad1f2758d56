//! Looks at the first rows of the dataset before any work: are they what the recipe's `validators`
//! demand?

use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value};

use super::explain::row_text;
use crate::config::{RequiredField, Resolved, RowCheck, Turns, Validator, got_text};
use crate::data::{Dataset, Partition, ReadOptions, read, standard};
use crate::error::{UserError, UserErrors, did_you_mean};
use crate::exec::lines::places;
use crate::partition::{SplitBy, split};
use crate::remote::address::is_address;
use crate::sanitize::printable;
use crate::term::{count, counted};

/// So many mistakes are shown.
const SHOWN: usize = 20;

/// Fails with all mistakes, up to [`SHOWN`], if the first rows of a source (a path that the recipe
/// names) are not as demanded. Rows that cannot be read are left to quarantine. The dataset must be
/// splittable.
pub(super) fn validate(resolved: &Resolved, dataset: &Dataset) -> Result<()> {
    let validators = &resolved.validators;
    let Some(rows) = validators.iter().map(|v| v.sample_size).max() else {
        return Ok(());
    };
    let mut errors = Vec::new();
    for source in sources(&resolved.sources, dataset) {
        let sample = Sample::read(dataset, &source, rows, resolved.config.max_row_mb)?;
        for validator in validators {
            sample.check(validator, &mut errors);
        }
    }
    match errors.is_empty() {
        true => Ok(()),
        false => {
            if errors.len() > SHOWN {
                let more = errors.split_off(SHOWN).len();
                errors.push(UserError::new("", format!("and {more} more mistakes")));
            }
            Err(UserErrors(errors).into())
        }
    }
}

/// The numbers of the files of each source. Files are in the order of the sources.
fn sources(given: &[String], dataset: &Dataset) -> Vec<Vec<usize>> {
    let given: Vec<String> = given.iter().map(|source| whole(source)).collect();
    let is_of = |source: &str, file: &str| match source.find(['*', '?', '[']) {
        Some(end) => file.starts_with(&source[..end]),
        None => Path::new(file).starts_with(source),
    };
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut current = None;
    for (number, file) in dataset.files.iter().enumerate() {
        let name = whole(&file.shown().to_string());
        let from = current.unwrap_or(0);
        // One that is under none, as a link's target, belongs to the source of the file before it.
        let of = (from..given.len()).find(|at| is_of(&given[*at], &name));
        let of = of.unwrap_or(from);
        match groups.last_mut().filter(|_| current == Some(of)) {
            Some(group) => group.push(number),
            None => groups.push(vec![number]),
        }
        current = Some(of);
    }
    groups
}

/// An address, or an absolute path.
fn whole(source: &str) -> String {
    if is_address(source) {
        return source.to_owned();
    }
    let path = std::path::absolute(source);
    path.map_or_else(|_| source.to_owned(), |path| path.display().to_string())
}

/// The first rows of a source.
struct Sample {
    /// `data.jsonl:7`, with the row.
    rows: Vec<(String, Map<String, Value>)>,
    /// The name of the first file.
    name: String,
}

impl Sample {
    fn read(dataset: &Dataset, files: &[usize], rows: usize, max_row_mb: u64) -> Result<Self> {
        let mut options = ReadOptions::new(Vec::new());
        options.batch_bytes = 64 << 10;
        options.max_row_bytes = (max_row_mb as usize) << 20;
        let all = split(dataset, SplitBy::Count(1))?;
        let slices = all.into_iter().flat_map(|part| part.slices);
        let part = Partition {
            id: 0,
            slices: slices.filter(|slice| files.contains(&slice.file)).collect(),
        };
        let (mut ids, mut found) = (Vec::new(), Vec::new());
        'blocks: for block in read(dataset, &part, &options)? {
            let batch = block?.batch;
            for row in 0..batch.rows() {
                if ids.len() == rows {
                    break 'blocks;
                }
                let text = row_text(&batch, row)?;
                if let Ok(row_value) = serde_json::from_slice(&standard(text.as_bytes())) {
                    ids.push(batch.ids.value(row));
                    found.push(row_value);
                }
            }
        }
        let places = places(dataset, &ids).into_iter();
        let places = places.map(|(file, line)| format!("{file}:{line}"));
        Ok(Self {
            rows: places.zip(found).collect(),
            name: files
                .first()
                .map_or_else(String::new, |file| dataset.files[*file].shown().to_string()),
        })
    }

    /// Adds what is not as `validator` demands.
    fn check(&self, validator: &Validator, errors: &mut Vec<UserError>) {
        let rows = &self.rows[..self.rows.len().min(validator.sample_size)];
        let mut say = |place: String, (message, valid): (String, String)| {
            let end = if valid.ends_with('?') { "" } else { ";" };
            let hint = format!("{valid}{end} `{}` demands it", validator.place);
            errors.push(UserError::new(place, message).hint(hint));
        };
        match &validator.check {
            RowCheck::Messages(turns) => {
                for (at, row) in rows {
                    if let Err((path, wrong)) = messages(row, *turns) {
                        say(format!("{at}: {path}"), wrong);
                    }
                }
            }
            RowCheck::Conversation(turns) => {
                for (at, row) in rows {
                    if let Err((path, wrong)) = conversation(row, *turns) {
                        say(format!("{at}: {path}"), wrong);
                    }
                }
            }
            RowCheck::Fields {
                fields,
                allow_missing,
            } => {
                for field in fields {
                    self.field(rows, field, *allow_missing, &mut say);
                }
            }
        }
    }

    /// Checks that the rows have a field.
    fn field(
        &self,
        rows: &[(String, Map<String, Value>)],
        field: &RequiredField,
        allow_missing: f64,
        say: &mut dyn FnMut(String, (String, String)),
    ) {
        let path = &field.path;
        if !rows.is_empty() && rows.iter().all(|(_, row)| member(row, path).is_none()) {
            let names = rows.iter().flat_map(|(_, row)| row.keys());
            let mut names: Vec<&str> = names.map(String::as_str).collect();
            names.sort_unstable();
            names.dedup();
            let near = did_you_mean(path, names.iter().copied());
            let valid = near.map_or_else(
                || "name a field that rows have, or write it to them".to_owned(),
                |near| format!("did you mean `{}`?", printable(near)),
            );
            let message = format!(
                "none of the {} looked at has the field",
                counted(rows.len() as u64, "row")
            );
            return say(format!("{}: {path}", self.name), (message, valid));
        }
        let is_missing = |row: &Map<String, Value>| member(row, path).is_none_or(Value::is_null);
        let missing: Vec<&String> = rows
            .iter()
            .filter(|(_, row)| is_missing(row))
            .map(|(at, _)| at)
            .collect();
        let share = missing.len() as f64 / rows.len().max(1) as f64;
        if share > allow_missing {
            let message = format!(
                "is absent or null in {} of {} looked at, the first of them",
                count(missing.len() as u64),
                counted(rows.len() as u64, "row")
            );
            let valid = format!(
                "write it to the rows, or allow a larger share than {allow_missing} with `allow_missing`"
            );
            say(format!("{}: {path}", missing[0]), (message, valid));
        }
        let Some(ty) = field.ty else { return };
        for (at, row) in rows {
            let value = member(row, path).filter(|value| !value.is_null());
            if let Some(value) = value.filter(|value| !ty.has(value)) {
                let message = format!("expected `{}`, got {}", ty.word(), got(value));
                let valid = "write a value of this type, or change `field_types`".to_owned();
                say(format!("{at}: {path}"), (message, valid));
            }
        }
    }
}

/// A value for a message: what it is, and its beginning.
fn got(value: &Value) -> String {
    printable(&got_text(value))
}

/// The member at a path; a key that has the dots in its name takes precedence.
fn member<'r>(row: &'r Map<String, Value>, path: &str) -> Option<&'r Value> {
    if let Some(value) = row.get(path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    rest.split('.')
        .try_fold(row.get(first)?, |value, name| value.get(name))
}

/// A path in a row, what is wrong there, and what is valid.
type Wrong = (String, (String, String));

fn wrong(path: impl Into<String>, message: impl Into<String>, valid: &str) -> Wrong {
    (path.into(), (message.into(), valid.to_owned()))
}

const ROLES: [&str; 3] = ["system", "user", "assistant"];

/// `{"messages": [{"role": "user", "content": "…"}, …]}`
fn messages(row: &Map<String, Value>, turns: Turns) -> Result<(), Wrong> {
    const VALID: &str = "`messages` is a list of `{\"role\": \"user\", \"content\": \"…\"}`";
    let messages = match row.get("messages") {
        Some(Value::Array(messages)) => messages,
        None => return Err(wrong("messages", "is absent", VALID)),
        Some(other) => {
            let message = format!("expected a list, got {}", got(other));
            return Err(wrong("messages", message, VALID));
        }
    };
    in_range(messages.len() as u64, turns, "messages", "message")?;
    for (number, message) in messages.iter().enumerate() {
        let at = format!("messages[{number}]");
        let Value::Object(message) = message else {
            let message = format!("expected an object, got {}", got(message));
            return Err(wrong(at, message, VALID));
        };
        const VALID_ROLES: &str = "roles are `system`, `user` and `assistant`";
        match message.get("role") {
            None | Some(Value::Null) => {
                return Err(wrong(
                    format!("{at}.role"),
                    "is absent or null",
                    VALID_ROLES,
                ));
            }
            Some(Value::String(role)) if ROLES.contains(&role.as_str()) => {}
            Some(other) => {
                let message = format!("{} is no role", got(other));
                return Err(wrong(format!("{at}.role"), message, VALID_ROLES));
            }
        }
        if message.get("content").is_none_or(Value::is_null) {
            return Err(wrong(format!("{at}.content"), "is absent or null", VALID));
        }
    }
    Ok(())
}

fn in_range(found: u64, turns: Turns, path: &str, what: &str) -> Result<(), Wrong> {
    if (turns.min..=turns.max).contains(&found) {
        return Ok(());
    }
    let message = format!("has {}", counted(found, what));
    let valid = format!(
        "from `min_turns`, {}, to `max_turns`, {}, are valid",
        count(turns.min),
        count(turns.max)
    );
    Err(wrong(path, message, &valid))
}

/// `{"system": "…", "instruction": "…", "query": "…", "response": "…", "history": [["…", "…"]]}`
fn conversation(row: &Map<String, Value>, turns: Turns) -> Result<(), Wrong> {
    let is_given = |name: &str| row.get(name).is_some_and(|value| !value.is_null());
    let optional = ["system"].into_iter().filter(|name| is_given(name));
    for name in optional.chain(["instruction", "query", "response"]) {
        match row.get(name) {
            Some(Value::String(_)) => {}
            None => return Err(wrong(name, "is absent", "it is a text")),
            Some(other) => {
                let message = format!("expected a text, got {}", got(other));
                return Err(wrong(name, message, "it is a text"));
            }
        }
    }
    const PAIRS: &str = "`history` is a list of pairs `[query, response]`";
    if !is_given("history") {
        return Ok(());
    }
    let Some(history) = row["history"].as_array() else {
        let message = format!("expected a list, got {}", got(&row["history"]));
        return Err(wrong("history", message, PAIRS));
    };
    in_range(history.len() as u64 + 1, turns, "history", "turn")?;
    for (number, turn) in history.iter().enumerate() {
        let is_pair = turn
            .as_array()
            .is_some_and(|pair| pair.len() == 2 && pair.iter().all(Value::is_string));
        if !is_pair {
            let message = format!("expected a pair of texts, got {}", got(turn));
            return Err(wrong(format!("history[{number}]"), message, PAIRS));
        }
    }
    Ok(())
}
