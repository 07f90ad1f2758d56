//! The column descriptions that Hugging Face's `datasets` keeps in a schema's metadata. Without it
//! images, labels and the like are plain columns. It must fit the columns, or `datasets` fails to
//! read the file.

use super::widen::list_item;
use arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use serde_json::{Map, Value, json};

/// Key in a schema's metadata.
pub(crate) const KEY: &str = "huggingface";

/// Merges the descriptions of two schemas, restricted to what fits `fields`, the merged columns:
/// `a` takes precedence over `b`.
pub(crate) fn unified(
    a: (Option<&str>, &Fields),
    b: (Option<&str>, &Fields),
    fields: &Fields,
) -> Option<String> {
    let (first, second) = (a.0.and_then(parsed), b.0.and_then(parsed));
    let mut whole = first.clone().or(second.clone())?;
    let mut kept = Map::new();
    for (described, its_fields) in [(first, a.1), (second, b.1)] {
        let Some(mut described) = described else {
            continue;
        };
        for (name, feature) in std::mem::take(features(&mut described)?) {
            let then = its_fields.find(&name).map(|(_, f)| f.data_type());
            let now = fields.find(&name).map(|(_, f)| f.data_type());
            if then.is_some() && then == now {
                kept.entry(name).or_insert(feature);
            }
        }
    }
    *features(&mut whole)? = kept;
    Some(whole.to_string())
}

/// Completes the description for `fields`, in their order: columns that operators added are
/// described as plain values. None if the text cannot be understood.
pub(crate) fn completed(text: &str, fields: &Fields) -> Option<String> {
    let mut whole = parsed(text)?;
    let known = std::mem::take(features(&mut whole)?);
    *features(&mut whole)? = members(&known, fields)?;
    Some(whole.to_string())
}

fn parsed(text: &str) -> Option<Value> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    features(&mut value).is_some().then_some(value)
}

fn features(value: &mut Value) -> Option<&mut Map<String, Value>> {
    value.get_mut("info")?.get_mut("features")?.as_object_mut()
}

fn members(known: &Map<String, Value>, fields: &Fields) -> Option<Map<String, Value>> {
    let each = fields.iter().map(|field| {
        Some((
            field.name().clone(),
            feature(known.get(field.name()), field)?,
        ))
    });
    each.collect()
}

fn feature(known: Option<&Value>, field: &Field) -> Option<Value> {
    match (known, field.data_type()) {
        // A struct of plain members may have gained members.
        (Some(Value::Object(known)), DataType::Struct(fields)) if !known.contains_key("_type") => {
            Some(members(known, fields)?.into())
        }
        (Some(known), _) => Some(known.clone()),
        (None, DataType::Struct(fields)) => Some(members(&Map::new(), fields)?.into()),
        (None, ty) => match list_item(ty) {
            // Older versions read this form, too: a list of structs is a list with one element.
            Some(item) if matches!(item.data_type(), DataType::Struct(_)) => {
                Some(json!([feature(None, item)?]))
            }
            Some(item) => Some(json!({ "feature": feature(None, item)?, "_type": "Sequence" })),
            None => Some(json!({ "dtype": dtype(ty)?, "_type": "Value" })),
        },
    }
}

fn dtype(ty: &DataType) -> Option<String> {
    use DataType::*;
    let unit = |unit: &TimeUnit| match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    };
    Some(match ty {
        Null => "null".into(),
        Boolean => "bool".into(),
        Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | UInt64 | Float16 | Float32
        | Float64 | Date32 | Date64 | Binary => ty.to_string().to_lowercase(),
        LargeBinary => "large_binary".into(),
        Utf8 => "string".into(),
        LargeUtf8 => "large_string".into(),
        Time32(u) => format!("time32[{}]", unit(u)),
        Time64(u) => format!("time64[{}]", unit(u)),
        Duration(u) => format!("duration[{}]", unit(u)),
        Timestamp(u, None) => format!("timestamp[{}]", unit(u)),
        Timestamp(u, Some(zone)) => format!("timestamp[{}, tz={zone}]", unit(u)),
        Decimal128(precision, scale) => format!("decimal128({precision}, {scale})"),
        Decimal256(precision, scale) => format!("decimal256({precision}, {scale})"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"info":{"features":{"image":{"_type":"Image"},"n":{"dtype":"int64","_type":"Value"}}},"fingerprint":"f"}"#;

    fn fields(types: &[(&str, DataType)]) -> Fields {
        types
            .iter()
            .map(|(name, ty)| Field::new(*name, ty.clone(), true))
            .collect()
    }

    #[test]
    fn what_fits_no_longer_goes_and_what_is_new_is_described() {
        let image = || {
            DataType::Struct(fields(&[
                ("bytes", DataType::Binary),
                ("path", DataType::Utf8),
            ]))
        };
        let (a, b) = (
            fields(&[("image", image()), ("n", DataType::Int64)]),
            fields(&[("n", DataType::Float64)]),
        );
        let both = fields(&[("image", image()), ("n", DataType::Float64)]);
        let unified = unified((Some(TEXT), &a), (None, &b), &both).unwrap();
        assert_eq!(
            unified,
            r#"{"info":{"features":{"image":{"_type":"Image"}}},"fingerprint":"f"}"#
        );
        let list = DataType::List(std::sync::Arc::new(Field::new_list_field(
            DataType::Utf8,
            true,
        )));
        let more = fields(&[("tags", list), ("image", image()), ("n", DataType::Float64)]);
        assert_eq!(
            completed(&unified, &more).unwrap(),
            r#"{"info":{"features":{"tags":{"feature":{"dtype":"string","_type":"Value"},"_type":"Sequence"},"image":{"_type":"Image"},"n":{"dtype":"float64","_type":"Value"}}},"fingerprint":"f"}"#
        );
    }
}
