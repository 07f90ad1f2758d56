//! Rows as native columns: one schema for all files, the types that operators ask for, conversion
//! from and to JSON, and output.

pub(crate) mod conform;
pub(crate) mod convert;
pub(crate) mod features_yaml;
pub(crate) mod from_json;
pub(crate) mod grouped;
pub(crate) mod hex_texts;
pub(crate) mod hugging_face;
pub(crate) mod logical;
pub(crate) mod new_values;
pub(crate) mod null_keys;
pub(crate) mod out;
pub(crate) mod schema;
pub(crate) mod storable;
pub(crate) mod to_json;
pub(crate) mod typed;
pub(crate) mod unique;
pub(crate) mod value_text;
pub(crate) mod widen;
