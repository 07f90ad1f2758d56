//! Bytes in JSON rows that columns were made into: strings of hexadecimal digits, which only the
//! type of the column tells from other strings.

use super::value_text::{parse_hex, quoted};
use super::widen::list_item;
use crate::data::json::{elements, members};
use crate::data::losses::{Loss, Losses};
use anyhow::{Context, Result};
use arrow::datatypes::{DataType, FieldRef, Schema};

/// Whether there are bytes in values of this type.
pub(crate) fn has_bytes(ty: &DataType) -> bool {
    use DataType::*;
    match ty {
        Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => true,
        Map(inner, _) | RunEndEncoded(_, inner) => has_bytes(inner.data_type()),
        Dictionary(_, value) => has_bytes(value),
        Struct(fields) => fields.iter().any(|f| has_bytes(f.data_type())),
        ty => list_item(ty).is_some_and(|item| has_bytes(item.data_type())),
    }
}

/// Counts the values of bytes in `lines`, rows as operators left them that were columns of `schema`
/// before.
pub(crate) fn count_bytes(lines: &[u8], schema: &Schema, losses: &mut Losses) -> Result<()> {
    let fields: Vec<&FieldRef> = schema
        .fields()
        .iter()
        .filter(|field| has_bytes(field.data_type()))
        .collect();
    if fields.is_empty() {
        return Ok(());
    }
    for line in simdutf8::basic::from_utf8(lines)?.lines() {
        members(line, |name, value| {
            if let Some(field) = fields.iter().find(|field| *field.name() == *name) {
                losses.add(&name, Loss::Bytes, bytes_in(field.data_type(), value));
            }
        })
        .ok()
        .context("a row of the output is not a JSON object")?;
    }
    Ok(())
}

/// How many values of bytes there are in `text`: a value of type `ty`, or a list of such, which
/// groupers make.
fn bytes_in(ty: &DataType, text: &str) -> u64 {
    use DataType::*;
    let mut count = 0;
    if text.starts_with('[') {
        let item = list_item(ty).map_or(ty, |item| item.data_type());
        let _ = elements(text, |value| count += bytes_in(item, value));
        return count;
    }
    match ty {
        Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => {
            u64::from(quoted(text).is_ok_and(|digits| parse_hex(digits).is_ok()))
        }
        Dictionary(_, value) => bytes_in(value, text),
        RunEndEncoded(_, value) => bytes_in(value.data_type(), text),
        // The item of a list of a group.
        ty if list_item(ty).is_some() => 0,
        Struct(fields) => {
            let _ = members(text, |name, value| {
                if let Some((_, field)) = fields.find(&name) {
                    count += bytes_in(field.data_type(), value);
                }
            });
            count
        }
        Map(entries, _) => {
            let Struct(fields) = entries.data_type() else {
                return 0;
            };
            let keys = u64::from(has_bytes(fields[0].data_type()));
            let _ = members(text, |_, value| {
                count += keys + bytes_in(fields[1].data_type(), value);
            });
            count
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::Field;
    use std::sync::Arc;

    #[test]
    fn bytes_are_found_in_values_and_in_lists_of_them() {
        let list = |ty: DataType| DataType::List(Arc::new(Field::new_list_field(ty, true)));
        let object = DataType::Struct(
            vec![
                Field::new("b", list(DataType::Binary), true),
                Field::new("s", DataType::Utf8, true),
            ]
            .into(),
        );
        for (ty, text, count) in [
            (DataType::Binary, r#""61""#, 1),
            (DataType::Binary, r#"["61", null, [""]]"#, 2),
            (DataType::Binary, r#""no digits""#, 0),
            (list(DataType::FixedSizeBinary(1)), r#"["61", "62"]"#, 2),
            (list(DataType::Binary), r#"[["61", "62"], null, ["63"]]"#, 3),
            (object.clone(), r#"{"b": ["61"], "s": "61"}"#, 1),
            (object, r#"[{"b": ["61"]}, {"b": null}, {"b": ["62"]}]"#, 2),
        ] {
            assert_eq!(bytes_in(&ty, text), count, "{ty} {text}");
        }
    }
}
