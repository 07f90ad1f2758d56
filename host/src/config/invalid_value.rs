//! An error in a value, without the place of the value.

use std::fmt::Display;

use serde_json::Value;

use crate::error::did_you_mean;

/// What is wrong with a value. The caller adds the place.
#[derive(Debug, Clone, PartialEq)]
pub struct InvalidValue {
    /// What is wrong, with the offending value.
    pub message: String,
    /// What is valid.
    pub hint: Option<String>,
}

impl InvalidValue {
    /// Creates an error that needs no hint.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }

    /// Creates the error for a wrong type or a value out of bounds.
    pub fn expected(expected: impl Display, got: &Value) -> Self {
        Self::new(format!("expected {expected}, got {}", got_text(got)))
    }

    /// Adds advice to the error.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Creates the error for a word that is not one of `valid`.
    pub fn choice<'a>(got: &str, valid: impl IntoIterator<Item = &'a str> + Clone) -> Self {
        Self::none_of("value", got, valid)
    }

    /// Creates the error for a key that is not one of `valid`.
    pub fn key<'a>(got: &str, valid: impl IntoIterator<Item = &'a str> + Clone) -> Self {
        Self::none_of("key", got, valid)
    }

    fn none_of<'a>(
        what: &str,
        got: &str,
        valid: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Self {
        let list = valid
            .clone()
            .into_iter()
            .map(|v| format!("`{v}`"))
            .collect::<Vec<_>>()
            .join(", ");
        let hint = match did_you_mean(&got.to_lowercase(), valid) {
            Some(near) => format!("did you mean `{near}`? valid {what}s: {list}"),
            None => format!("valid {what}s: {list}"),
        };
        Self::new(format!("unknown {what} `{got}`")).hint(hint)
    }
}

/// Returns a value for a message: shortened, and with its type if the type is the mistake.
pub(crate) fn got_text(value: &Value) -> String {
    match value {
        Value::Null => "nothing (null)".into(),
        Value::String(s) => format!("the text `{}`", cut(s)),
        Value::Array(list) if list.is_empty() => "an empty list".into(),
        Value::Array(_) => format!("the list `{}`", cut(&value.to_string())),
        Value::Object(_) => format!("the mapping `{}`", cut(&value.to_string())),
        other => format!("`{other}`"),
    }
}

fn cut(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
