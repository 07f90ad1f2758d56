//! Where texts are redacted in a row's values.

use djhost_sdk::json::{Text, Value};

/// Keys whose strings are redacted at any depth.
pub(crate) const VALUE_KEYS: [&str; 5] = ["file_path", "path", "file", "arguments", "file_paths"];

/// Redacts a string.
type Redact<'r> = &'r mut dyn FnMut(&Text<'_>);

/// Redacts the value of a field.
pub(crate) fn redact_field(key: &str, is_messages: bool, value: &Value<'_>, redact: Redact<'_>) {
    match value {
        Value::List(messages) if is_messages => messages
            .iter()
            .for_each(|message| redact_message(message, redact)),
        Value::String(text) => redact(text),
        Value::List(turns) if key == "dialog_history" => {
            for turn in turns {
                if let Value::List(pair) = turn
                    && pair.len() >= 2
                {
                    pair.iter().for_each(|text| redact_string(text, redact));
                }
            }
        }
        Value::List(pair) if pair.len() == 2 => {
            pair.iter().for_each(|text| redact_string(text, redact))
        }
        _ => {}
    }
}

/// Redacts in every field after that: strings in lists, and strings under certain keys.
pub(crate) fn redact_nested(key: &str, listed: bool, value: &Value<'_>, redact: Redact<'_>) {
    match value {
        Value::String(text) if VALUE_KEYS.contains(&key) => redact(text),
        // In Data-Juicer its pairs are tuples, not lists.
        Value::List(turns) if key == "dialog_history" && listed => {
            let is_pair = |turn: &&Value<'_>| matches!(turn, Value::List(pair) if pair.len() >= 2);
            turns
                .iter()
                .filter(|turn| !is_pair(turn))
                .for_each(|turn| redact_item(turn, redact));
        }
        other => redact_value(other, redact),
    }
}

fn redact_value(value: &Value<'_>, redact: Redact<'_>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if VALUE_KEYS.contains(&key.as_str()) => redact(text),
                    other => redact_value(other, redact),
                }
            }
        }
        Value::List(items) => items.iter().for_each(|item| redact_item(item, redact)),
        _ => {}
    }
}

fn redact_item(item: &Value<'_>, redact: Redact<'_>) {
    match item {
        Value::String(text) => redact(text),
        other => redact_value(other, redact),
    }
}

fn redact_string(value: &Value<'_>, redact: Redact<'_>) {
    if let Value::String(text) = value {
        redact(text);
    }
}

fn redact_message(message: &Value<'_>, redact: Redact<'_>) {
    for content in members(message, "content") {
        match content {
            Value::String(text) => redact(text),
            Value::List(blocks) => {
                for block in blocks {
                    redact_string(block, redact);
                    for text in members(block, "text").chain(members(block, "content")) {
                        redact_string(text, redact);
                    }
                }
            }
            _ => {}
        }
    }
    for calls in members(message, "tool_calls").chain(members(message, "tool_use")) {
        let Value::List(calls) = calls else { continue };
        for call in calls {
            let name = if members(call, "function").any(is_true) {
                "function"
            } else {
                "function_call"
            };
            let arguments = members(call, name).flat_map(|function| members(function, "arguments"));
            for arguments in arguments.chain(members(call, "arguments")) {
                match arguments {
                    Value::String(text) => redact(text),
                    object @ Value::Object(_) => redact_value(object, redact),
                    _ => {}
                }
            }
        }
    }
}

/// The values of an object under this key; none of anything else.
fn members<'v, 'a>(value: &'v Value<'a>, key: &str) -> impl Iterator<Item = &'v Value<'a>> {
    let fields = match value {
        Value::Object(fields) => &fields[..],
        _ => &[],
    };
    fields
        .iter()
        .filter(move |(name, _)| name.as_str() == key)
        .map(|(_, value)| value)
}

/// Truth as Python sees it.
fn is_true(value: &Value<'_>) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::String(text) => !text.as_str().is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Number(number) => !number.is_zero(),
    }
}
