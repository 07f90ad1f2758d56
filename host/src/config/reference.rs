//! Generates `configs/reference.yaml` and the list of options in `--help` from the declaration.

use serde_json::Value;

use super::options::Config;

/// Width of the comments in the reference.
const WIDTH: usize = 110;

/// Returns the text of `configs/reference.yaml`, a valid recipe: every option with its explanation,
/// its valid values and its default.
pub fn reference_yaml() -> String {
    let mut text = String::from(
        "# Every option of djhost with its default. Generated from host/src/config/options.rs; do not edit.\n\
         #\n\
         # On the command line: `--checkpoint.n_ops 3` or `--checkpoint.n_ops=3`, `--checkpoint.op_names+=op` adds to a list, and\n\
         # `--text_length_filter.min_len 10` sets a parameter of an operator in `process`. In the environment:\n\
         # `DJHOST_CHECKPOINT__N_OPS=3` or `DJ_PROCESS_CHECKPOINT__N_OPS=3`. The command line takes precedence over the\n\
         # environment, and the environment over the recipe. `djhost config RECIPE` shows each value and where it comes from.\n\
         #\n\
         # An MB in these options is 1,048,576 bytes and a KB 1,024, as in Data-Juicer. Sizes that djhost measures are shown in\n\
         # powers of 1000 (kB, MB, GB).\n",
    );
    for entry in Config::default().entries() {
        let (indent, name) = match entry.key.split_once('.') {
            Some((_, name)) => ("  ", name),
            None => ("", entry.key.as_str()),
        };
        text.push('\n');
        for line in wrap(&one_line(&entry.doc), WIDTH - indent.len()) {
            text.push_str(&format!("{indent}# {line}\n"));
        }
        if !entry.is_section && !matches!(name, "process" | "dataset" | "expect") {
            text.push_str(&format!("{indent}# Valid: {}\n", entry.expected));
        }
        if entry.is_section {
            text.push_str(&format!("{indent}{name}:\n"));
        } else {
            text.push_str(&format!("{indent}{name}: {}\n", flow(&entry.value)));
        }
    }
    text
}

/// Returns the list of options for `--help`, at most `width` columns wide: key, valid values,
/// default and explanation.
pub fn options_help(width: usize) -> String {
    let mut text =
        String::from("Options of the recipe (each also in the file and the environment):\n");
    for entry in Config::default()
        .entries()
        .into_iter()
        .filter(|e| !e.is_section && !matches!(e.key.as_str(), "process" | "dataset" | "expect"))
    {
        let default = if entry.value.is_null() {
            String::new()
        } else {
            format!(" [default: {}]", flow(&entry.value))
        };
        let parts = [
            (2, 6, format!("--{} <{}>", entry.key, entry.expected)),
            (10, 10, format!("{}{default}", one_line(&entry.doc))),
        ];
        for (first, others, part) in parts {
            for (i, line) in wrap(&part, width.saturating_sub(others).max(20))
                .iter()
                .enumerate()
            {
                text.push_str(&format!(
                    "{:indent$}{line}\n",
                    "",
                    indent = if i == 0 { first } else { others }
                ));
            }
        }
    }
    text
}

fn one_line(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("never empty");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// Returns a value as YAML on one line. Texts are quoted unless they are clearly words or paths.
pub(crate) fn flow(value: &Value) -> String {
    match value {
        Value::String(s) if is_plain(s) => s.clone(),
        Value::Array(items) => format!(
            "[{}]",
            items.iter().map(flow).collect::<Vec<_>>().join(", ")
        ),
        Value::Object(map) => {
            let fields = map
                .iter()
                .map(|(k, v)| format!("{}: {}", flow(&Value::from(k.as_str())), flow(v)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn is_plain(text: &str) -> bool {
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let first_fits = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '/')
        || (text.starts_with("./") && text.len() > 2);
    first_fits
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'))
        && !words.contains(&text.to_ascii_lowercase().as_str())
}
