//! The macro that declares options. Doc comment, name, type, default and bounds are written once;
//! the macro makes from them the struct, its defaults, the setter by dotted key, the list of keys,
//! the reference and the help.

use serde_json::Value;

use super::invalid_value::InvalidValue;
use super::value::{Bounds, OptionType};

/// The value of an option as the user wrote it.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// Text from a command line or an environment variable.
    Text(String),
    /// A value from the recipe.
    Value(Value),
}

/// Why an option could not be set.
#[derive(Debug)]
pub enum SetError {
    /// There is no option with this key.
    UnknownKey,
    /// The value is invalid.
    InvalidValue(InvalidValue),
}

/// An option as [`Node::visit`] reports it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The dotted key.
    pub key: String,
    /// The doc comment of the declaration.
    pub doc: String,
    /// The current value.
    pub value: Value,
    /// A description of the valid values.
    pub expected: String,
    /// Whether `--key` alone means true.
    pub is_flag: bool,
    /// Whether this is a section. Its `value` and `expected` mean nothing; its options follow.
    pub is_section: bool,
}

/// An option or a section of options.
pub trait Node {
    /// Sets the option at `key`; an empty `key` means this one. `append` adds to a list.
    fn set(
        &mut self,
        key: &str,
        given: &Given,
        append: bool,
        bounds: Bounds,
    ) -> Result<(), SetError>;

    /// Calls `see` with this option, or with all options of the section in the order of the
    /// declaration.
    fn visit(&self, key: &str, doc: &str, bounds: Bounds, see: &mut dyn FnMut(Entry));
}

impl<T: OptionType> Node for T {
    fn set(
        &mut self,
        key: &str,
        given: &Given,
        append: bool,
        bounds: Bounds,
    ) -> Result<(), SetError> {
        if !key.is_empty() {
            return Err(SetError::UnknownKey);
        }
        let value = match given {
            Given::Text(text) => T::read_text(text, bounds),
            Given::Value(value) => T::read(value, bounds),
        };
        let value = value.map_err(SetError::InvalidValue)?;
        if append {
            return self.append(value).map_err(SetError::InvalidValue);
        }
        *self = value;
        Ok(())
    }

    fn visit(&self, key: &str, doc: &str, bounds: Bounds, see: &mut dyn FnMut(Entry)) {
        see(Entry {
            key: key.to_owned(),
            doc: doc.to_owned(),
            value: self.show(),
            expected: T::expected(bounds),
            is_flag: T::IS_FLAG,
            is_section: false,
        });
    }
}

macro_rules! options {
    ($(#[doc = $doc:literal])* $name:ident {
        $($(#[doc = $fdoc:literal])* $field:ident: $type:ty = $default:expr $(=> $bounds:expr)?;)*
    }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name { $($(#[doc = $fdoc])* pub $field: $type),* }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default),* }
            }
        }

        impl $crate::config::declare::Node for $name {
            #[allow(unused_assignments, unused_mut)]
            fn set(&mut self, key: &str, given: &Given, append: bool, _: Bounds) -> Result<(), SetError> {
                let (head, rest) = key.split_once('.').unwrap_or((key, ""));
                match head {
                    $(stringify!($field) => {
                        let mut bounds = $crate::config::value::ANY;
                        $(bounds = $bounds;)?
                        Node::set(&mut self.$field, rest, given, append, bounds)
                    })*
                    _ => Err(SetError::UnknownKey),
                }
            }

            #[allow(unused_assignments, unused_mut)]
            fn visit(&self, key: &str, doc: &str, _: Bounds, see: &mut dyn FnMut(Entry)) {
                if !key.is_empty() {
                    see(Entry {
                        key: key.to_owned(),
                        doc: doc.to_owned(),
                        value: serde_json::Value::Null,
                        expected: String::new(),
                        is_flag: false,
                        is_section: true,
                    });
                }
                let prefix = if key.is_empty() { String::new() } else { format!("{key}.") };
                $({
                    let mut bounds = $crate::config::value::ANY;
                    $(bounds = $bounds;)?
                    Node::visit(&self.$field, &format!("{prefix}{}", stringify!($field)), concat!($($fdoc, "\n"),*), bounds, see);
                })*
            }
        }
    };
}
pub(crate) use options;
