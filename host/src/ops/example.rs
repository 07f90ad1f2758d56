//! The examples of the built-in operators: `plugins/examples/NAME.json`. A test runs them.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::wasm::{OpEntry, Source};

/// The example of one operator.
#[derive(Debug, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Example {
    /// What the rows do not show by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    /// Parameters, as in a recipe.
    #[serde(default)]
    params: Map<String, Value>,
    /// Rows of a dataset.
    input: Vec<Value>,
    /// The rows that the operator makes of them.
    output: Vec<Value>,
}

impl Example {
    /// Returns the example of a built-in operator, if it has one.
    pub(crate) fn of(entry: &OpEntry) -> Result<Option<Self>> {
        let name = entry.descriptor.name.as_str();
        if !matches!(entry.component.source, Source::Builtin(_)) {
            return Ok(None);
        }
        match examples().iter().find(|(n, _)| *n == name) {
            Some((_, text)) => Ok(Some(
                serde_json::from_str(text).with_context(|| format!("the example of `{name}`"))?,
            )),
            None => Ok(None),
        }
    }

    /// Returns the lines that `ops show` prints.
    pub(crate) fn text(&self, name: &str) -> String {
        let mut out = String::from("\nexample\n");
        if let Some(about) = &self.about {
            let _ = writeln!(out, "  {about}");
        }
        // JSON on one line is also YAML.
        let params = if self.params.is_empty() {
            String::new()
        } else {
            format!(" {}", Value::Object(self.params.clone()))
        };
        let _ = writeln!(out, "  process:\n    - {name}:{params}");
        self.input
            .iter()
            .for_each(|row| out += &format!("  in   {row}\n"));
        self.output
            .iter()
            .for_each(|row| out += &format!("  out  {row}\n"));
        out
    }
}

#[cfg(feature = "builtin-ops")]
fn examples() -> &'static [(&'static str, &'static str)] {
    djhost_builtin_ops::examples()
}

#[cfg(not(feature = "builtin-ops"))]
fn examples() -> &'static [(&'static str, &'static str)] {
    &[]
}
