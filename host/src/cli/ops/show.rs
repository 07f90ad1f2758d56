//! `djhost ops show`: describes one operator.

use std::fmt::Write;

use anyhow::Result;
use serde_json::Value;

use super::Plugins;
use crate::cli::loading::while_loading;
use crate::data::FieldType;
use crate::ops::{Example, listed_as, signature, to_json_in_full};
use crate::term::{Style, bytes, fold};
use crate::wasm::{Kind, OpEntry, Signature};

/// Show an operator's parameters, defaults, stats, cost and origin, with an example
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ShowArgs {
    /// The operator
    name: String,
    #[command(flatten)]
    plugins: Plugins,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ShowArgs) -> Result<u8> {
    let given = args.plugins.given()?;
    let registry = while_loading(args.json, || given.load(&[&args.name]))?;
    let entry = registry.get(&args.name, "")?;
    let text = if args.json {
        format!("{:#}\n", to_json_in_full(entry)?)
    } else {
        let example = Example::of(entry)?;
        let text = show(entry) + &example.map(|e| e.text(&args.name)).unwrap_or_default();
        fold(&text, Style::for_stdout().width)
    };
    crate::cli::print(&text)?;
    Ok(0)
}

fn show(entry: &OpEntry) -> String {
    let (d, c) = (&entry.descriptor, &entry.component);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}  ({}, {} work per row)\n\n{}\n",
        d.name,
        listed_as(entry).as_str(),
        d.cost.as_str(),
        d.summary
    );
    show_params(&mut out, &d.params_schema);
    if d.kind == Kind::Grouper {
        let _ = writeln!(
            out,
            "  all rows with an equal key become one, in which every field is the list of their values"
        );
    }
    if d.kind == Kind::Filter {
        let _ = writeln!(
            out,
            "  and every filter `min_closed_interval`, `max_closed_interval`, `reversed_range`"
        );
    }
    // What it reads and writes may depend on its parameters. This is for the defaults.
    if let Ok(signature) = signature(entry) {
        show_fields(&mut out, &signature);
    }
    let needs: Vec<&str> = d.needs.names().collect();
    if !needs.is_empty() {
        let _ = writeln!(out, "needs   {}", needs.join(", "));
    }
    let _ = writeln!(
        out,
        "\nfrom    {} (sha256 {}, {}, contract {})",
        c.source,
        c.digest,
        bytes(c.bytes),
        c.wit_version
    );
    out
}

fn show_params(out: &mut String, schema: &Value) {
    let properties = schema.get("properties").and_then(Value::as_object);
    let _ = writeln!(out, "parameters");
    for (name, schema) in properties.into_iter().flatten() {
        let default = schema.get("default").map_or("required".to_owned(), |v| {
            format!("default {}", crate::plan::text::limit_or_value(v, schema))
        });
        let _ = writeln!(out, "  {name}: {}, {default}", type_name(schema));
        if let Some(text) = schema.get("description").and_then(Value::as_str) {
            for line in text.lines() {
                let _ = writeln!(out, "      {line}");
            }
        }
    }
    if properties.is_none_or(serde_json::Map::is_empty) {
        let _ = writeln!(out, "  none");
    }
    let _ = writeln!(
        out,
        "  beside these, every operator takes `text_key`, `image_key`, `image_bytes_key`, `audio_key`, `video_key`"
    );
}

fn show_fields(out: &mut String, signature: &Signature) {
    let reads = signature.reads.iter().map(|r| (&r.path, r.ty));
    let writes = signature.writes.iter().map(|w| (&w.path, w.ty));
    let stats = signature.writes_stats.iter().map(|w| (&w.path, w.ty));
    let _ = writeln!(out, "\nreads   {}", typed_names(reads));
    let _ = writeln!(out, "writes  {}", typed_names(writes));
    let _ = writeln!(out, "stats   {}", typed_names(stats));
}

/// Returns `text (string), meta.n (integer)`, or `nothing`.
fn typed_names<'a>(fields: impl Iterator<Item = (&'a String, FieldType)>) -> String {
    let names: Vec<String> = fields
        .map(|(path, ty)| format!("{path} ({})", ty.name()))
        .collect();
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}

fn type_name(schema: &Value) -> String {
    match schema.get("type") {
        Some(Value::String(t)) => t.clone(),
        Some(Value::Array(types)) => types
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" or "),
        _ => match schema.get("enum").and_then(Value::as_array) {
            Some(values) => values
                .iter()
                .map(Value::to_string)
                .collect::<Vec<_>>()
                .join(" | "),
            None => "value".to_owned(),
        },
    }
}
