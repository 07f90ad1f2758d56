//! The column descriptions that Hugging Face's `datasets` keeps in a schema's metadata. Without it
//! images, labels and the like are plain columns. It must fit the columns, or `datasets` fails to
//! read the file.

use super::widen::list_item;
use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
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

/// The features of all columns of a schema. None if `datasets` has none for a column's type.
pub(crate) fn features_of_columns(schema: &Schema) -> Option<Map<String, Value>> {
    let text = schema.metadata().get(KEY).map_or(NOTHING, String::as_str);
    let text = completed(text, schema.fields()).or_else(|| completed(NOTHING, schema.fields()))?;
    Some(std::mem::take(features(&mut parsed(&text)?)?))
}

/// No column is described.
const NOTHING: &str = r#"{"info":{"features":{}}}"#;

/// The columns, with their types, of which `datasets` has no feature for the type.
pub(crate) fn without_feature(fields: &Fields) -> Vec<String> {
    let unknown = fields.iter().filter(|field| feature(None, field).is_none());
    unknown
        .map(|field| format!("`{}` ({})", field.name(), field.data_type()))
        .collect()
}

/// A description of `fields` by `known`, the features that a dataset's card declares, and the names
/// of the columns that are not what it says. None if nothing fits.
pub(crate) fn declared(
    known: &Map<String, Value>,
    fields: &Fields,
) -> (Option<String>, Vec<String>) {
    let (mut kept, mut unfit) = (Map::new(), Vec::new());
    for (name, feature) in known {
        match fields.find(name) {
            Some((_, field)) if fits(feature, field.data_type()) => {
                kept.insert(name.clone(), feature.clone());
            }
            _ => unfit.push(name.clone()),
        }
    }
    let is_any = !kept.is_empty();
    let text = json!({ "info": { "features": kept } }).to_string();
    (is_any.then_some(text), unfit)
}

/// Whether values of `ty` are what `feature` says: else `datasets` could not read them.
fn fits(feature: &Value, ty: &DataType) -> bool {
    use DataType::{Binary, Int64, LargeBinary, LargeUtf8, Struct, Utf8, Utf8View};
    let feature = match feature {
        Value::Array(items) => {
            let item = items.first().zip(list_item(ty));
            return item.is_some_and(|(feature, item)| fits(feature, item.data_type()));
        }
        Value::Object(feature) => feature,
        _ => return false,
    };
    let text = |key: &str| feature.get(key).and_then(Value::as_str);
    match (text("_type"), ty) {
        (None, Struct(fields)) => members_fit(feature, fields, false),
        (Some("Value"), Utf8 | LargeUtf8 | Utf8View) => {
            matches!(text("dtype"), Some("string" | "large_string"))
        }
        (Some("Value"), ty) => dtype(ty).is_some_and(|dtype| text("dtype") == Some(&*dtype)),
        (Some("ClassLabel"), ty) => *ty == Int64,
        (Some("Image" | "Audio" | "Video"), Struct(fields)) => {
            let is = |name, is_it: &dyn Fn(&DataType) -> bool| {
                fields
                    .find(name)
                    .is_some_and(|(_, field)| is_it(field.data_type()))
            };
            fields.len() == 2
                && is("bytes", &|ty| matches!(ty, Binary | LargeBinary))
                && is("path", &|ty| matches!(ty, Utf8 | LargeUtf8))
        }
        // Of structs, the lists are within.
        (Some("Sequence"), Struct(fields)) => feature
            .get("feature")
            .and_then(Value::as_object)
            .is_some_and(|known| !known.contains_key("_type") && members_fit(known, fields, true)),
        (Some("Sequence" | "List" | "LargeList"), ty) => {
            let item = feature.get("feature").zip(list_item(ty));
            item.is_some_and(|(feature, item)| fits(feature, item.data_type()))
        }
        _ => false,
    }
}

fn members_fit(known: &Map<String, Value>, fields: &Fields, in_lists: bool) -> bool {
    known.len() == fields.len()
        && fields.iter().all(|field| {
            let ty = match (in_lists, list_item(field.data_type())) {
                (true, Some(item)) => Some(item.data_type()),
                (true, None) => None,
                (false, _) => Some(field.data_type()),
            };
            let feature = known.get(field.name());
            feature
                .zip(ty)
                .is_some_and(|(feature, ty)| fits(feature, ty))
        })
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
    fn a_card_describes_the_columns_that_are_as_it_says() {
        let known = json!({
            "label": {"names": ["a"], "_type": "ClassLabel"}, "text": {"dtype": "string", "_type": "Value"},
            "n": {"dtype": "int32", "_type": "Value"}, "gone": {"_type": "Image"},
            "turns": [{"role": {"dtype": "string", "_type": "Value"}}],
        });
        let role = DataType::Struct(fields(&[("role", DataType::Utf8)]));
        let turns = DataType::List(std::sync::Arc::new(Field::new_list_field(role, true)));
        let columns = fields(&[
            ("text", DataType::LargeUtf8),
            ("label", DataType::Int64),
            ("n", DataType::Int64),
            ("turns", turns),
        ]);
        let (text, unfit) = declared(known.as_object().unwrap(), &columns);
        assert_eq!(unfit, ["n", "gone"]);
        let text = completed(&text.unwrap(), &columns).unwrap();
        assert_eq!(
            text,
            r#"{"info":{"features":{"text":{"dtype":"string","_type":"Value"},"label":{"names":["a"],"_type":"ClassLabel"},"n":{"dtype":"int64","_type":"Value"},"turns":[{"role":{"dtype":"string","_type":"Value"}}]}}}"#
        );
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
