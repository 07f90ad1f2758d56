//! Features of `datasets` in the form that a dataset's card has them, YAML, and in the form that files
//! have them, JSON. The YAML names a type by a key in small letters, where the JSON has `_type`.

use serde_json::{Map, Value, json};

/// The features that `dataset_info` of a card declares: a list of fields. None if they are not
/// understood.
pub(crate) fn features_of_yaml(fields: &Value) -> Option<Map<String, Value>> {
    let fields = fields.as_array()?.iter().map(|field| {
        let mut field = field.as_object()?.clone();
        let name = field.shift_remove("name")?;
        Some((name.as_str()?.to_owned(), feature_of_yaml(&field)?))
    });
    fields.collect()
}

fn feature_of_yaml(field: &Map<String, Value>) -> Option<Value> {
    let (key, value) = field.iter().next()?;
    let rest = || field.iter().skip(1).map(|(k, v)| (k.clone(), v.clone()));
    Some(match &**key {
        "struct" => features_of_yaml(value)?.into(),
        // A list of structs, in the form that all versions read.
        "list" if value.is_array() => json!([features_of_yaml(value)?]),
        "list" | "sequence" | "large_list" => {
            let item = match value {
                Value::String(dtype) => value_of(dtype),
                Value::Array(_) => features_of_yaml(value)?.into(),
                Value::Object(item) => feature_of_yaml(item)?,
                _ => return None,
            };
            let kind = if key == "large_list" {
                "LargeList"
            } else {
                "Sequence"
            };
            let mut list = Map::from_iter([("feature".to_owned(), item)]);
            list.extend(rest());
            list.insert("_type".to_owned(), kind.into());
            list.into()
        }
        "dtype" => match value {
            Value::String(dtype) => value_of(dtype),
            Value::Object(kind) => feature_of_yaml(kind)?,
            _ => return None,
        },
        kind => {
            let mut feature = value.as_object()?.clone();
            if kind == "class_label"
                && let Some(Value::Object(names)) = feature.get("names")
            {
                let mut by_number: Vec<(u64, Value)> = names
                    .iter()
                    .map(|(number, name)| Some((number.parse().ok()?, name.clone())))
                    .collect::<Option<_>>()?;
                by_number.sort_by_key(|(number, _)| *number);
                let names: Vec<Value> = by_number.into_iter().map(|(_, name)| name).collect();
                feature.insert("names".to_owned(), names.into());
            }
            feature.insert("_type".to_owned(), camel_case(kind).into());
            feature.into()
        }
    })
}

/// What `dtype: NAME` means: a plain value, or a type without parameters such as `image`.
fn value_of(dtype: &str) -> Value {
    let is_type = ["image", "audio", "video", "pdf", "nifti", "json"].contains(&dtype);
    match is_type {
        true => json!({ "_type": camel_case(dtype) }),
        false => json!({ "dtype": dtype, "_type": "Value" }),
    }
}

/// The features as `dataset_info` of a card has them.
pub(crate) fn yaml_of_features(features: &Map<String, Value>) -> Value {
    let fields = features.iter().map(|(name, feature)| {
        let mut field = Map::from_iter([("name".to_owned(), name.as_str().into())]);
        field.extend(yaml_of(feature));
        Value::from(field)
    });
    fields.collect()
}

fn yaml_of(feature: &Value) -> Map<String, Value> {
    let one = |key: &str, value: Value| Map::from_iter([(key.to_owned(), value)]);
    let list_of = |key: &str, item: &Value| {
        let item = yaml_of(item);
        match item.iter().next() {
            Some((first, value)) if item.len() == 1 && (first == "dtype" || first == "struct") => {
                one(key, value.clone())
            }
            _ => one(key, item.into()),
        }
    };
    let feature = match feature {
        Value::Array(items) => return list_of("list", items.first().unwrap_or(&Value::Null)),
        Value::Object(feature) => feature,
        _ => return Map::new(),
    };
    let Some(kind) = feature.get("_type").and_then(Value::as_str) else {
        return one("struct", yaml_of_features(feature));
    };
    let rest = feature
        .iter()
        .filter(|(key, _)| !["_type", "feature"].contains(&key.as_str()));
    let mut rest: Map<String, Value> = rest.map(|(k, v)| (k.clone(), v.clone())).collect();
    match kind {
        "Value" => rest,
        "Sequence" | "List" | "LargeList" => {
            let key = match kind {
                "Sequence" => "sequence",
                "List" => "list",
                _ => "large_list",
            };
            let mut list = list_of(key, feature.get("feature").unwrap_or(&Value::Null));
            list.extend(rest);
            list
        }
        kind if rest.is_empty() => one("dtype", snake_case(kind).into()),
        kind => {
            if let Some(Value::Array(names)) = rest.get("names") {
                let numbered = names.iter().enumerate();
                let names: Map<String, Value> = numbered
                    .map(|(number, name)| (number.to_string(), name.clone()))
                    .collect();
                rest.insert("names".to_owned(), names.into());
            }
            one("dtype", one(&snake_case(kind), rest.into()).into())
        }
    }
}

/// `class_label` as `ClassLabel`.
fn camel_case(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    // `array2_d`
    words.collect()
}

/// `ClassLabel` as `class_label`, `Array2D` as `array2_d`.
fn snake_case(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_go_into_a_card_and_come_back() {
        let features = json!({
            "text": {"dtype": "string", "_type": "Value"},
            "label": {"names": ["neg", "pos"], "_type": "ClassLabel"},
            "image": {"_type": "Image"},
            "sound": {"sampling_rate": 16000, "_type": "Audio"},
            "tags": {"feature": {"dtype": "string", "_type": "Value"}, "_type": "Sequence"},
            "labels": {"feature": {"names": ["a"], "_type": "ClassLabel"}, "_type": "Sequence"},
            "box": {"feature": {"dtype": "float32", "_type": "Value"}, "length": 4, "_type": "Sequence"},
            "meta": {"url": {"dtype": "string", "_type": "Value"}, "n": {"dtype": "int64", "_type": "Value"}},
            "turns": [{"role": {"dtype": "string", "_type": "Value"}}],
            "answers": {"feature": {"start": {"dtype": "int32", "_type": "Value"}}, "_type": "Sequence"},
            "matrix": {"shape": [2, 2], "dtype": "float32", "_type": "Array2D"},
        });
        let features = features.as_object().unwrap();
        let yaml = yaml_of_features(features);
        let label =
            json!({"name": "label", "dtype": {"class_label": {"names": {"0": "neg", "1": "pos"}}}});
        assert_eq!(yaml[1], label);
        assert_eq!(yaml[4], json!({"name": "tags", "sequence": "string"}));
        assert_eq!(
            yaml[6],
            json!({"name": "box", "sequence": "float32", "length": 4})
        );
        let text = serde_yaml::to_string(&yaml).unwrap();
        let back: Value = serde_yaml::from_str(&text).unwrap();
        assert_eq!(features_of_yaml(&back).unwrap(), *features);
    }
}
