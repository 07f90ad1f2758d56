//! Which JSON texts are values of a type.

use crate::data::columns::value_text::{parse, parse_hex, quoted, width};
use crate::data::json::{elements, members};
use arrow::datatypes::{DataType, FieldRef};
use std::borrow::Cow;

/// Whether columns of this type can be made of JSON texts.
pub(crate) fn can_be_made(ty: &DataType) -> bool {
    use DataType::*;
    match ty {
        List(item) | LargeList(item) | FixedSizeList(item, _) => can_be_made(item.data_type()),
        Struct(fields) => fields.iter().all(|field| can_be_made(field.data_type())),
        Map(entries, _) => {
            matches!(entries.data_type(), Struct(fields) if fields.len() == 2 && fields.iter().all(|f| can_be_made(f.data_type())))
        }
        Dictionary(_, value) => can_be_made(value),
        Null | Boolean | Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView => true,
        other => width(other).is_some(),
    }
}

/// Whether `text`, a JSON value, fits a column of type `ty` without loss. False for null.
pub(crate) fn fits(ty: &DataType, text: &str) -> bool {
    use DataType::*;
    let fits_or_null = |field: &FieldRef, text: &str| {
        if text == "null" {
            field.is_nullable()
        } else {
            fits(field.data_type(), text)
        }
    };
    match ty {
        Null => false,
        Boolean => matches!(text, "true" | "false"),
        Utf8 | LargeUtf8 | Utf8View => {
            text.starts_with('"')
                && (!text.contains('\\') || crate::data::json::read_string(text).is_some())
        }
        Binary | LargeBinary | BinaryView => {
            quoted(text).is_ok_and(|digits| parse_hex(digits).is_ok())
        }
        List(item) | LargeList(item) | FixedSizeList(item, _) => {
            let (mut all, mut len) = (true, 0);
            let is_list = elements(text, |value| {
                all = all && fits_or_null(item, value);
                len += 1;
            });
            is_list.is_ok() && all && !matches!(ty, FixedSizeList(_, wanted) if *wanted != len)
        }
        Struct(fields) => {
            let (mut all, mut seen) = (true, vec![false; fields.len()]);
            let is_object = members(text, |name, value| {
                match fields.iter().position(|field| *field.name() == *name) {
                    Some(at) => {
                        seen[at] = true;
                        all = all && fits_or_null(&fields[at], value);
                    }
                    None => all = false,
                }
            });
            is_object.is_ok()
                && all
                && fields
                    .iter()
                    .zip(seen)
                    .all(|(field, seen)| seen || field.is_nullable())
        }
        Map(entries, _) => {
            let Struct(fields) = entries.data_type() else {
                return false;
            };
            let [key, value] = &fields[..] else {
                return false;
            };
            let mut all = true;
            let is_object = members(text, |name, text| {
                all = all
                    && fits(key.data_type(), &key_text(key.data_type(), &name))
                    && fits_or_null(value, text);
            });
            is_object.is_ok() && all
        }
        Dictionary(_, value) => fits(value, text),
        other => parse(other, text, &mut Ignored).is_ok(),
    }
}

/// The JSON text of the map key `name`: keys that were not strings were written as strings of
/// their JSON text.
pub(super) fn key_text<'a>(ty: &DataType, name: &'a str) -> Cow<'a, str> {
    let is_quoted = match ty {
        DataType::Dictionary(_, value) => return key_text(value, name),
        ty if ty.is_numeric() => false,
        DataType::Boolean
        | DataType::Struct(_)
        | DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::Map(..) => false,
        _ => true,
    };
    if !is_quoted {
        return Cow::Borrowed(name);
    }
    let mut text = Vec::new();
    crate::data::json::write_string(name, &mut text);
    Cow::Owned(String::from_utf8_lossy(&text).into_owned())
}

/// A sink that discards what it gets.
struct Ignored;

impl Extend<u8> for Ignored {
    fn extend<T: IntoIterator<Item = u8>>(&mut self, _: T) {}
}
