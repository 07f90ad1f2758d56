//! Reads `validators`, Data-Juicer's option: what the first rows of the dataset must be like.

use serde_json::{Map, Value};

use super::invalid_value::InvalidValue;
use super::recipe::user_error;
use super::value::{ANY, OptionType, Texts, at_least, between};
use crate::error::UserError;

/// What the first rows must be like.
#[derive(Debug, Clone, PartialEq)]
pub struct Validator {
    /// Its place in the recipe: `recipe.yaml:12: validators[0]`.
    pub place: String,
    /// How many rows are looked at.
    pub sample_size: usize,
    /// What is looked for.
    pub check: RowCheck,
}

/// What a row must have.
#[derive(Debug, Clone, PartialEq)]
pub enum RowCheck {
    /// `swift_messages`: `messages` is a list of so many messages, each with a role and a content.
    Messages(Turns),
    /// `dj_conversation`: `instruction`, `query` and `response` are texts, `history` pairs of texts.
    Conversation(Turns),
    /// `required_fields`.
    Fields {
        /// The fields that must be there.
        fields: Vec<RequiredField>,
        /// The share of the rows in which each may be absent or null.
        allow_missing: f64,
    },
}

/// How many turns a conversation may have, both ends included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turns {
    /// The least number.
    pub min: u64,
    /// The greatest number.
    pub max: u64,
}

/// A field that rows must have.
#[derive(Debug, Clone, PartialEq)]
pub struct RequiredField {
    /// Its name, or names joined by dots.
    pub path: String,
    /// The type of its values; None: any.
    pub ty: Option<ValueType>,
}

/// The type of a value, in Python's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// A text.
    Str,
    /// A number without a fraction.
    Int,
    /// Any number.
    Float,
    /// `true` or `false`.
    Bool,
    /// A list.
    List,
    /// An object.
    Dict,
}

impl ValueType {
    const WORDS: [(&str, Self); 6] = [
        ("str", Self::Str),
        ("int", Self::Int),
        ("float", Self::Float),
        ("bool", Self::Bool),
        ("list", Self::List),
        ("dict", Self::Dict),
    ];

    /// The word in recipes.
    pub(crate) fn word(self) -> &'static str {
        let named = Self::WORDS.iter().find(|(_, ty)| *ty == self);
        named.expect("every type has a word").0
    }

    /// Whether a value is of this type.
    pub(crate) fn has(self, value: &Value) -> bool {
        match self {
            Self::Str => value.is_string(),
            Self::Int => value.is_i64() || value.is_u64(),
            Self::Float => value.is_number(),
            Self::Bool => value.is_boolean(),
            Self::List => value.is_array(),
            Self::Dict => value.is_object(),
        }
    }

    fn read(value: &Value) -> Result<Self, InvalidValue> {
        let words = Self::WORDS.iter().map(|(word, _)| *word);
        let Value::String(text) = value else {
            return Err(InvalidValue::expected("the name of a type", value));
        };
        let named = Self::WORDS.iter().find(|(word, _)| *word == text.as_str());
        named
            .map(|(_, ty)| *ty)
            .ok_or_else(|| InvalidValue::choice(text, words))
    }
}

/// The rows that are looked at unless `sample_size` says otherwise, as in Data-Juicer.
const SAMPLE: u64 = 100;

/// The most rows that can be looked at: before any work there is no time for more.
const MOST: f64 = 100_000.0;

const TYPES: [&str; 4] = [
    "required_fields",
    "swift_messages",
    "dj_conversation",
    "code",
];

/// Reads `validators`. `place` returns the place of a path that begins with it. Adds mistakes and
/// notes to the lists.
pub(crate) fn read_validators(
    given: &Value,
    place: &dyn Fn(&str) -> String,
    errors: &mut Vec<UserError>,
    notes: &mut Vec<String>,
) -> Vec<Validator> {
    let list = match given {
        Value::Null => return Vec::new(),
        Value::Array(list) => list,
        other => {
            errors.push(user_error(
                place("validators"),
                InvalidValue::expected("a list of validators", other)
                    .hint("for instance `[{type: required_fields, required_fields: [text]}]`"),
            ));
            return Vec::new();
        }
    };
    let mut validators = Vec::new();
    for (number, one) in list.iter().enumerate() {
        let path = format!("validators[{number}]");
        let Value::Object(keys) = one else {
            errors.push(user_error(
                place(&path),
                InvalidValue::expected("a mapping with `type`", one),
            ));
            continue;
        };
        let mut reader = Reader {
            keys,
            path,
            place,
            errors,
        };
        match reader.validator() {
            Some(Kind::Checks(validator)) => validators.push(validator),
            Some(Kind::Nothing) => notes.push(format!(
                "{}: has no effect: Data-Juicer's `code` checks nothing",
                reader.at("")
            )),
            None => {}
        }
    }
    validators
}

enum Kind {
    Checks(Validator),
    Nothing,
}

/// Reads one validator.
struct Reader<'a> {
    keys: &'a Map<String, Value>,
    /// Its path in the recipe.
    path: String,
    place: &'a dyn Fn(&str) -> String,
    errors: &'a mut Vec<UserError>,
}

impl Reader<'_> {
    fn at(&self, key: &str) -> String {
        match key {
            "" => (self.place)(&self.path),
            key => (self.place)(&format!("{}.{key}", self.path)),
        }
    }

    fn wrong(&mut self, key: &str, wrong: InvalidValue) {
        let at = self.at(key);
        self.errors.push(user_error(at, wrong));
    }

    /// The value of a key, or its default.
    fn read<T: OptionType>(&mut self, key: &str, bounds: super::value::Bounds, default: T) -> T {
        match self.keys.get(key).filter(|value| !value.is_null()) {
            None => default,
            Some(value) => match T::read(value, bounds) {
                Ok(value) => value,
                Err(wrong) => {
                    self.wrong(key, wrong);
                    default
                }
            },
        }
    }

    /// The validator; None if it has a mistake.
    fn validator(&mut self) -> Option<Kind> {
        let before = self.errors.len();
        let Some(ty) = self.keys.get("type") else {
            self.wrong("", InvalidValue::new("has no `type`").hint(valid_types()));
            return None;
        };
        let (check, known): (_, &[&str]) = match ty.as_str() {
            Some("swift_messages") => (
                RowCheck::Messages(self.turns()),
                &["type", "min_turns", "max_turns", "sample_size"],
            ),
            Some("dj_conversation") => (
                RowCheck::Conversation(self.turns()),
                &["type", "min_turns", "max_turns", "sample_size"],
            ),
            Some("required_fields") => (
                self.fields(),
                &[
                    "type",
                    "required_fields",
                    "field_types",
                    "allow_missing",
                    "sample_size",
                ],
            ),
            Some("code") => return Some(Kind::Nothing),
            Some(other) => {
                self.wrong("type", InvalidValue::choice(other, TYPES));
                return None;
            }
            None => {
                let wrong = InvalidValue::expected("the name of a validator", ty);
                self.wrong("type", wrong.hint(valid_types()));
                return None;
            }
        };
        let sample_size = self.read("sample_size", between(1.0, MOST), SAMPLE);
        let unknown = self
            .keys
            .keys()
            .filter(|key| !known.contains(&key.as_str()));
        for key in unknown.cloned().collect::<Vec<_>>() {
            self.wrong(&key, InvalidValue::key(&key, known.iter().copied()));
        }
        (self.errors.len() == before).then(|| {
            Kind::Checks(Validator {
                place: self.at(""),
                sample_size: sample_size as usize,
                check,
            })
        })
    }

    fn turns(&mut self) -> Turns {
        let min = self.read("min_turns", at_least(0.0), 1);
        let max = self.read("max_turns", at_least(0.0), 100);
        if min > max {
            let message = format!("is {min}, more than `max_turns`, which is {max}");
            self.wrong(
                "min_turns",
                InvalidValue::new(message).hint("no conversation has so many turns: swap them"),
            );
        }
        Turns { min, max }
    }

    fn fields(&mut self) -> RowCheck {
        let names = match self
            .keys
            .get("required_fields")
            .map(|v| Texts::read(v, ANY))
        {
            Some(Ok(names)) => names.0,
            Some(Err(wrong)) => {
                self.wrong("required_fields", wrong);
                Vec::new()
            }
            None => {
                let wrong = InvalidValue::new("has no `required_fields`");
                self.wrong("", wrong.hint("list the fields: `required_fields: [text]`"));
                Vec::new()
            }
        };
        let mut fields: Vec<RequiredField> = names
            .into_iter()
            .map(|path| RequiredField { path, ty: None })
            .collect();
        match self.keys.get("field_types") {
            None | Some(Value::Null) => {}
            Some(Value::Object(types)) => {
                for (name, ty) in types {
                    let key = format!("field_types.{name}");
                    match ValueType::read(ty) {
                        Err(wrong) => self.wrong(&key, wrong),
                        Ok(ty) => match fields.iter_mut().find(|field| field.path == *name) {
                            Some(field) => field.ty = Some(ty),
                            None => self.wrong(
                                &key,
                                InvalidValue::new("is not one of `required_fields`")
                                    .hint("add it there: only required fields are looked at"),
                            ),
                        },
                    }
                }
            }
            Some(other) => self.wrong(
                "field_types",
                InvalidValue::expected("a mapping of fields to types", other),
            ),
        }
        RowCheck::Fields {
            fields,
            allow_missing: self.read("allow_missing", between(0.0, 1.0), 0.0),
        }
    }
}

fn valid_types() -> String {
    format!("valid types: `{}`", TYPES.join("`, `"))
}
