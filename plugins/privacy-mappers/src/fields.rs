//! Where texts are redacted in a row's values.

use serde_json::Value;

/// Keys whose strings are redacted at any depth.
pub(crate) const VALUE_KEYS: [&str; 5] = ["file_path", "path", "file", "arguments", "file_paths"];

/// Changes a string in place.
type Redact<'a> = &'a mut dyn FnMut(&mut String);

/// Redacts the value of a field.
pub(crate) fn redact_field(key: &str, is_messages: bool, value: &mut Value, redact: Redact<'_>) {
    match value {
        Value::Array(messages) if is_messages => messages
            .iter_mut()
            .for_each(|message| redact_message(message, redact)),
        Value::String(text) => redact(text),
        Value::Array(turns) if key == "dialog_history" => {
            for turn in turns {
                if let Value::Array(pair) = turn
                    && pair.len() >= 2
                {
                    pair.truncate(2);
                    pair.iter_mut().for_each(|text| redact_string(text, redact));
                }
            }
        }
        Value::Array(pair) if pair.len() == 2 => {
            pair.iter_mut().for_each(|text| redact_string(text, redact))
        }
        _ => {}
    }
}

/// Redacts in every field after that: strings in lists, and strings under certain keys.
pub(crate) fn redact_nested(key: &str, listed: bool, value: &mut Value, redact: Redact<'_>) {
    match value {
        Value::String(text) if VALUE_KEYS.contains(&key) => redact(text),
        // In Data-Juicer its pairs are tuples, not lists.
        Value::Array(turns) if key == "dialog_history" && listed => {
            let is_pair = |turn: &Value| turn.as_array().is_some_and(|pair| pair.len() >= 2);
            turns
                .iter_mut()
                .filter(|turn| !is_pair(turn))
                .for_each(|turn| redact_item(turn, redact));
        }
        other => redact_value(other, redact),
    }
}

fn redact_value(value: &mut Value, redact: Redact<'_>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if VALUE_KEYS.contains(&key.as_str()) => redact(text),
                    other => redact_value(other, redact),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact_item(item, redact)),
        _ => {}
    }
}

fn redact_item(item: &mut Value, redact: Redact<'_>) {
    match item {
        Value::String(text) => redact(text),
        other => redact_value(other, redact),
    }
}

fn redact_string(value: &mut Value, redact: Redact<'_>) {
    if let Value::String(text) = value {
        redact(text);
    }
}

fn redact_message(message: &mut Value, redact: Redact<'_>) {
    match message.get_mut("content") {
        Some(Value::String(text)) => redact(text),
        Some(Value::Array(blocks)) => {
            for block in blocks {
                match block {
                    Value::String(text) => redact(text),
                    Value::Object(fields) => {
                        for key in ["text", "content"] {
                            fields
                                .get_mut(key)
                                .into_iter()
                                .for_each(|text| redact_string(text, redact));
                        }
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
    for key in ["tool_calls", "tool_use"] {
        let Some(calls) = message.get_mut(key).and_then(Value::as_array_mut) else {
            continue;
        };
        for call in calls.iter_mut().filter_map(Value::as_object_mut) {
            let name = if call.get("function").is_some_and(is_true) {
                "function"
            } else {
                "function_call"
            };
            if let Some(function) = call.get_mut(name).and_then(Value::as_object_mut) {
                redact_arguments(function.get_mut("arguments"), redact);
            }
            redact_arguments(call.get_mut("arguments"), redact);
        }
    }
}

fn redact_arguments(arguments: Option<&mut Value>, redact: Redact<'_>) {
    match arguments {
        Some(Value::String(text)) => redact(text),
        Some(object @ Value::Object(_)) => redact_value(object, redact),
        _ => {}
    }
}

/// Truth as Python sees it.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Bool(true) => true,
    }
}
