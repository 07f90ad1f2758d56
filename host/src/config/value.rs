//! Converts the text of a command line or a value of the recipe to the type of an option.

use serde_json::Value;

use super::invalid_value::InvalidValue;
use super::yaml;

/// The range of a number, both ends included. Options that are not numbers have none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The smallest valid value.
    pub min: f64,
    /// The largest valid value.
    pub max: f64,
}

/// No bounds.
pub const ANY: Bounds = Bounds {
    min: f64::NEG_INFINITY,
    max: f64::INFINITY,
};

/// Returns the bounds of numbers from `min` on.
pub const fn at_least(min: f64) -> Bounds {
    Bounds {
        min,
        max: f64::INFINITY,
    }
}

/// Returns the bounds of numbers from `min` to `max`.
pub const fn between(min: f64, max: f64) -> Bounds {
    Bounds { min, max }
}

impl Bounds {
    fn allow(&self, value: f64) -> bool {
        (self.min..=self.max).contains(&value)
    }

    /// Returns ` of at least 1`, ` between 0 and 1`, or nothing.
    pub fn text(&self) -> String {
        match (self.min.is_finite(), self.max.is_finite()) {
            (true, true) => format!(" between {} and {}", self.min, self.max),
            (true, false) => format!(" of at least {}", self.min),
            (false, true) => format!(" of at most {}", self.max),
            (false, false) => String::new(),
        }
    }
}

/// A type that options can have.
pub trait OptionType: Sized {
    /// Reads a value of the recipe.
    fn read(value: &Value, bounds: Bounds) -> Result<Self, InvalidValue>;

    /// Reads the text of a command line or an environment variable. The text is YAML unless the
    /// type says otherwise.
    fn read_text(text: &str, bounds: Bounds) -> Result<Self, InvalidValue> {
        Self::read(&yaml::value_of_text(text)?, bounds)
    }

    /// Adds to a list, for `--key+=value` and list options that are given twice.
    fn append(&mut self, _more: Self) -> Result<(), InvalidValue> {
        Err(InvalidValue::new(
            "is not a list, so nothing can be added to it",
        ))
    }

    /// Converts the option back to a value, for printing and lineage keys. Reading that value gives
    /// an equal option.
    fn show(&self) -> Value;

    /// Describes valid values for messages and the reference: `a whole number of at least 1`.
    fn expected(bounds: Bounds) -> String;

    /// Whether `--key` alone means true.
    const IS_FLAG: bool = false;
}

impl OptionType for bool {
    /// `yes`, `no`, `on` and `off` are texts in YAML 1.2 but booleans in YAML 1.1, which PyYAML and
    /// so Data-Juicer read. Both spellings work.
    fn read(value: &Value, _: Bounds) -> Result<Self, InvalidValue> {
        let word = match value {
            Value::Bool(b) => return Ok(*b),
            Value::String(s) => s.to_ascii_lowercase(),
            _ => return Err(InvalidValue::expected("true or false", value)),
        };
        match word.as_str() {
            "true" | "yes" | "on" => Ok(true),
            "false" | "no" | "off" => Ok(false),
            _ => Err(InvalidValue::expected("true or false", value)),
        }
    }

    fn show(&self) -> Value {
        (*self).into()
    }

    fn expected(_: Bounds) -> String {
        "true or false".into()
    }

    const IS_FLAG: bool = true;
}

impl OptionType for u64 {
    /// Accepts floats without fraction: recipes write `1e9`.
    fn read(value: &Value, bounds: Bounds) -> Result<Self, InvalidValue> {
        whole(value)
            .and_then(|n| u64::try_from(n).ok())
            .filter(|n| bounds.allow(*n as f64))
            .ok_or_else(|| InvalidValue::expected(Self::expected(bounds), value))
    }

    fn show(&self) -> Value {
        (*self).into()
    }

    fn expected(bounds: Bounds) -> String {
        let bounds = if bounds == ANY { at_least(0.0) } else { bounds };
        format!("a whole number{}", bounds.text())
    }
}

/// Returns the whole number that a value stands for. Floats must have no fraction.
pub(crate) fn whole(value: &Value) -> Option<i128> {
    let number = value.as_number()?;
    if let Some(n) = number.as_i128() {
        return Some(n);
    }
    number
        .as_f64()
        .filter(|f| f.fract() == 0.0 && f.abs() < u64::MAX as f64)
        .map(|f| f as i128)
}

impl OptionType for f64 {
    fn read(value: &Value, bounds: Bounds) -> Result<Self, InvalidValue> {
        value
            .as_f64()
            .filter(|n| bounds.allow(*n))
            .ok_or_else(|| InvalidValue::expected(Self::expected(bounds), value))
    }

    fn show(&self) -> Value {
        (*self).into()
    }

    fn expected(bounds: Bounds) -> String {
        format!("a number{}", bounds.text())
    }
}

impl OptionType for String {
    /// Accepts whole numbers as their digits (`job_id: 20260801`). Refuses other types: YAML has
    /// already changed their spelling.
    fn read(value: &Value, _: Bounds) -> Result<Self, InvalidValue> {
        match value {
            Value::String(s) => Ok(s.clone()),
            Value::Number(n) if n.is_i64() || n.is_u64() => Ok(n.to_string()),
            Value::Number(_) | Value::Bool(_) => {
                Err(InvalidValue::expected("a text", value).hint("put the value in quotes"))
            }
            _ => Err(InvalidValue::expected("a text", value)),
        }
    }

    fn read_text(text: &str, _: Bounds) -> Result<Self, InvalidValue> {
        Ok(text.to_owned())
    }

    fn show(&self) -> Value {
        self.as_str().into()
    }

    fn expected(_: Bounds) -> String {
        "a text".into()
    }
}

/// `null` is None.
impl<T: OptionType> OptionType for Option<T> {
    fn read(value: &Value, bounds: Bounds) -> Result<Self, InvalidValue> {
        if value.is_null() {
            Ok(None)
        } else {
            T::read(value, bounds).map(Some)
        }
    }

    fn read_text(text: &str, bounds: Bounds) -> Result<Self, InvalidValue> {
        if matches!(text, "null" | "~" | "") {
            Ok(None)
        } else {
            T::read_text(text, bounds).map(Some)
        }
    }

    fn show(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::show)
    }

    fn expected(bounds: Bounds) -> String {
        format!("{}, or null", T::expected(bounds))
    }

    const IS_FLAG: bool = T::IS_FLAG;
}

/// Texts: a YAML list, or one text. Unlike [`Names`], one text is not split at commas.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Texts(pub Vec<String>);

/// Operator names: a YAML list, or a text separated by commas (`op1,op2`).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Names(pub Vec<String>);

/// Some of a type's choices: a YAML list, or a text separated by commas.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Several<T>(pub Vec<T>);

fn list(value: &Value, of: &str) -> Result<Vec<String>, InvalidValue> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => items.iter().map(|item| String::read(item, ANY)).collect(),
        Value::Object(_) => Err(InvalidValue::expected(of, value)),
        one => Ok(vec![String::read(one, ANY)?]),
    }
}

impl OptionType for Texts {
    fn read(value: &Value, bounds: Bounds) -> Result<Self, InvalidValue> {
        list(value, &Self::expected(bounds)).map(Self)
    }

    fn read_text(text: &str, bounds: Bounds) -> Result<Self, InvalidValue> {
        if text.starts_with('[') {
            Self::read(&yaml::value_of_text(text)?, bounds)
        } else {
            Ok(Self(vec![text.to_owned()]))
        }
    }

    fn append(&mut self, more: Self) -> Result<(), InvalidValue> {
        self.0.extend(more.0);
        Ok(())
    }

    fn show(&self) -> Value {
        self.0.clone().into()
    }

    fn expected(_: Bounds) -> String {
        "a text or a list of texts".into()
    }
}

impl<T: OptionType> OptionType for Several<T> {
    fn read(value: &Value, bounds: Bounds) -> Result<Self, InvalidValue> {
        let names = Names::read(value, bounds)?;
        let choices = names
            .0
            .into_iter()
            .map(|name| T::read(&name.into(), bounds));
        choices.collect::<Result<_, _>>().map(Self)
    }

    fn read_text(text: &str, bounds: Bounds) -> Result<Self, InvalidValue> {
        let names = Names::read_text(text, bounds)?;
        Self::read(&names.show(), bounds)
    }

    fn append(&mut self, more: Self) -> Result<(), InvalidValue> {
        self.0.extend(more.0);
        Ok(())
    }

    fn show(&self) -> Value {
        self.0.iter().map(T::show).collect::<Vec<_>>().into()
    }

    fn expected(bounds: Bounds) -> String {
        format!("a list of {}", T::expected(bounds))
    }
}

impl OptionType for Names {
    fn read(value: &Value, bounds: Bounds) -> Result<Self, InvalidValue> {
        let names = list(value, &Self::expected(bounds))?;
        Ok(Self(
            names
                .iter()
                .flat_map(|n| n.split(','))
                .map(|n| n.trim().to_owned())
                .filter(|n| !n.is_empty())
                .collect(),
        ))
    }

    fn read_text(text: &str, bounds: Bounds) -> Result<Self, InvalidValue> {
        if text.starts_with('[') {
            Self::read(&yaml::value_of_text(text)?, bounds)
        } else {
            Self::read(&text.into(), bounds)
        }
    }

    fn append(&mut self, more: Self) -> Result<(), InvalidValue> {
        self.0.extend(more.0);
        Ok(())
    }

    fn show(&self) -> Value {
        self.0.clone().into()
    }

    fn expected(_: Bounds) -> String {
        "a list of names, or names separated by commas".into()
    }
}

/// Paths by name: a mapping.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Paths(pub std::collections::BTreeMap<String, String>);

impl OptionType for Paths {
    fn read(value: &Value, bounds: Bounds) -> Result<Self, InvalidValue> {
        let wrong = || InvalidValue::expected(Self::expected(bounds), value);
        match value {
            Value::Null => Ok(Self::default()),
            Value::Object(map) => map
                .iter()
                .map(|(name, path)| match path {
                    Value::String(path) if !path.is_empty() => Ok((name.clone(), path.clone())),
                    _ => Err(wrong()),
                })
                .collect::<Result<_, _>>()
                .map(Self),
            _ => Err(wrong()),
        }
    }

    fn append(&mut self, more: Self) -> Result<(), InvalidValue> {
        self.0.extend(more.0);
        Ok(())
    }

    fn show(&self) -> Value {
        let pairs = self.0.iter();
        Value::Object(pairs.map(|(n, p)| (n.clone(), p.as_str().into())).collect())
    }

    fn expected(_: Bounds) -> String {
        "a mapping of names to paths".into()
    }
}

/// A part of the recipe with its own structure that is read elsewhere (`process`, `dataset`).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Raw(pub Value);

impl OptionType for Raw {
    fn read(value: &Value, _: Bounds) -> Result<Self, InvalidValue> {
        Ok(Self(value.clone()))
    }

    fn show(&self) -> Value {
        self.0.clone()
    }

    fn expected(_: Bounds) -> String {
        "see the explanation".into()
    }
}

/// Declares an enum whose variants are words in recipes.
macro_rules! choices {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $vdoc:literal])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[doc = $vdoc])* $variant),+ }

        impl $name {
            /// All words in the order of the declaration.
            pub const WORDS: &[&str] = &[$($word),+];

            /// Returns the word for this variant in recipes.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl OptionType for $name {
            fn read(value: &Value, bounds: Bounds) -> Result<Self, InvalidValue> {
                match value {
                    $(Value::String(s) if s.eq_ignore_ascii_case($word) => Ok(Self::$variant),)+
                    Value::String(s) => Err(InvalidValue::choice(s, Self::WORDS.iter().copied())),
                    _ => Err(InvalidValue::expected(Self::expected(bounds), value)),
                }
            }

            fn read_text(text: &str, bounds: Bounds) -> Result<Self, InvalidValue> {
                Self::read(&text.into(), bounds)
            }

            fn show(&self) -> Value {
                self.word().into()
            }

            fn expected(_: Bounds) -> String {
                Self::WORDS.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(" | ")
            }
        }
    };
}
pub(crate) use choices;
