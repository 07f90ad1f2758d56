//! Checks what a component says about itself and what it imports.

use serde_json::Value;

use super::{Check, Verdict};
use crate::wasm::{Descriptor, OpEntry};

/// Checks whether two instances describe the same operators.
pub(crate) fn same(first: &[&OpEntry], second: &[&OpEntry]) -> Check {
    let said = |entries: &[&OpEntry]| -> Vec<String> {
        entries
            .iter()
            .map(|e| format!("{:?}", e.descriptor))
            .collect()
    };
    if said(first) == said(second) {
        Check::new(
            "describe",
            Verdict::Pass,
            format!(
                "{}, the same in a second instance",
                crate::term::counted(first.len() as u64, "operator")
            ),
        )
    } else {
        Check::new(
            "describe",
            Verdict::Fail,
            "a second instance describes other operators; `describe` must give the same every time",
        )
    }
}

/// Checks summary and schema. Loading the component has checked what the contract requires; this is
/// about what users would miss.
pub(crate) fn schema(d: &Descriptor) -> Check {
    let mut missing = Vec::new();
    if d.summary.trim().is_empty() {
        missing.push("the summary is empty".to_owned());
    }
    let properties = d.params_schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        if property
            .get("description")
            .and_then(Value::as_str)
            .is_none_or(|t| t.trim().is_empty())
        {
            missing.push(format!("parameter `{name}` has no description"));
        }
        let required = d
            .params_schema
            .get("required")
            .and_then(Value::as_array)
            .is_some_and(|r| r.iter().any(|n| n == name.as_str()));
        if property.get("default").is_none() && !required {
            missing.push(format!(
                "parameter `{name}` has no default and is not required"
            ));
        }
    }
    match missing.is_empty() {
        true => Check::new(
            "schema",
            Verdict::Pass,
            format!("{} parameters", properties.map_or(0, serde_json::Map::len)),
        ),
        false => Check::new("schema", Verdict::Warn, missing.join("; ")),
    }
}

/// Groups of interfaces that components import, and what a component finds there.
const MEANING: [(&str, &str); 8] = [
    (
        "wasi:filesystem",
        "no directory is open: files cannot be read or written",
    ),
    ("wasi:sockets", "the network is refused"),
    ("wasi:http", "the network is refused"),
    (
        "wasi:clocks",
        "clocks are fixed: the answer cannot depend on the time",
    ),
    (
        "wasi:random",
        "random numbers come from the job's seed and the row ids",
    ),
    (
        "wasi:cli",
        "no environment, arguments or input; what is printed goes to the log",
    ),
    ("wasi:io", "streams and polling for the others"),
    (
        "djhost:op",
        "the types of the contract, and services of the host, of which it has what a recipe grants",
    ),
];

/// Returns one line for each group of imports. None is a failure: the sandbox gives nothing to any
/// of them.
pub(crate) fn imports(imports: &[String]) -> Vec<Check> {
    if imports.is_empty() {
        return vec![Check::new(
            "imports",
            Verdict::Pass,
            "none: it computes and nothing else",
        )];
    }
    let mut groups: Vec<(&str, usize)> = Vec::new();
    for import in imports {
        let group = import.split('/').next().unwrap_or(import);
        match groups.iter_mut().find(|(g, _)| *g == group) {
            Some((_, n)) => *n += 1,
            None => groups.push((group, 1)),
        }
    }
    let line = |(group, n): (&str, usize)| {
        let meaning = MEANING
            .iter()
            .find(|(g, _)| *g == group)
            .map_or("djhost gives it nothing", |(_, m)| *m);
        // Toolchains import most of WASI whether it is used or not, but only code that wants a
        // socket imports one.
        let wants_network = matches!(group, "wasi:sockets" | "wasi:http");
        Check::new(
            "imports",
            if wants_network {
                Verdict::Warn
            } else {
                Verdict::Pass
            },
            format!("{group} ({n}): {meaning}"),
        )
    };
    groups.into_iter().map(line).collect()
}
