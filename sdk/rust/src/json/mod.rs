//! JSON values as they stand in rows, with nothing rounded and nothing dropped: for operators that
//! compare values of any field, or change a part of one.
//!
//! A row may hold what Python's `json` writes and reads: `NaN`, `Infinity` and `-Infinity`, numbers
//! of any size and lone surrogates. An operator is given the constants as they are if it has the
//! trait [`json_constants`](crate::Traits::json_constants), and as `null` otherwise.

mod number;
mod parse;

pub use number::Number;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

/// A JSON value.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number<'a>),
    /// A string.
    String(Text<'a>),
    /// The elements of an array.
    List(Vec<Value<'a>>),
    /// The members of an object, in their order; equal keys come more than once.
    Object(Vec<(Text<'a>, Value<'a>)>),
}

/// A string, and where it stands.
#[derive(Debug, Clone)]
pub struct Text<'a> {
    value: Cow<'a, str>,
    is_unicode: bool,
    place: Range<usize>,
}

impl<'a> Value<'a> {
    /// The value that `json` stands for. Of all strings, also of keys, it must be Unicode.
    ///
    /// # Errors
    /// What is wrong with it, to stand behind its name: `holds a lone surrogate`.
    pub fn read(json: &'a str) -> Result<Self, String> {
        let (value, is_unicode) = parse::parse(json)?;
        if is_unicode {
            Ok(value)
        } else {
            Err("holds a lone surrogate".into())
        }
    }

    /// As [`Value::read`], also with lone surrogates.
    ///
    /// # Errors
    /// What is wrong with it, to stand behind its name.
    pub fn parse(json: &'a str) -> Result<Self, String> {
        parse::parse(json).map(|(value, _)| value)
    }

    /// A number, or a flag as 0 or 1, as Python has it.
    pub fn number(&self) -> Option<Number<'_>> {
        match self {
            Self::Bool(flag) => Number::parse(if *flag { "1" } else { "0" }),
            Self::Number(number) => Some(number.borrowed()),
            _ => None,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// The members of an object by their keys; of equal keys the last one counts.
pub fn members<'v, 'a>(object: &'v [(Text<'a>, Value<'a>)]) -> BTreeMap<&'v str, &'v Value<'a>> {
    object
        .iter()
        .map(|(key, value)| (key.as_str(), value))
        .collect()
}

impl From<&serde_json::Value> for Value<'static> {
    fn from(value: &serde_json::Value) -> Self {
        let text = |text: &String| Text {
            value: Cow::Owned(text.clone()),
            is_unicode: true,
            place: 0..0,
        };
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(flag) => Self::Bool(*flag),
            serde_json::Value::Number(number) => {
                Number::parse(number.to_string()).map_or(Self::Null, Self::Number)
            }
            serde_json::Value::String(string) => Self::String(text(string)),
            serde_json::Value::Array(list) => Self::List(list.iter().map(Self::from).collect()),
            serde_json::Value::Object(object) => Self::Object(
                object
                    .iter()
                    .map(|(key, value)| (text(key), Self::from(value)))
                    .collect(),
            ),
        }
    }
}

impl Text<'_> {
    /// What it says; U+FFFD stands for a lone surrogate.
    pub fn as_str(&self) -> &str {
        &self.value
    }

    /// Whether it has no lone surrogate.
    pub fn is_unicode(&self) -> bool {
        self.is_unicode
    }

    /// Where it stands in the JSON text, with its quotes.
    pub fn place(&self) -> Range<usize> {
        self.place.clone()
    }
}
