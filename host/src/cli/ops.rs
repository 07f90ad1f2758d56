//! `djhost ops list|show`.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::Result;
use serde_json::Value;

use crate::op::{Kind, OpEntry, Registry};

/// List the operators that recipes may name, or show one
#[derive(Debug, Clone, clap::Args)]
pub struct OpsArgs {
    #[command(subcommand)]
    command: OpsCommand,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum OpsCommand {
    /// List all operators, by kind
    List {
        /// Only those whose name or summary has this word in it
        search: Option<String>,
        #[command(flatten)]
        plugins: Plugins,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show an operator's parameters, fields, stats and origin
    Show {
        /// The operator
        name: String,
        #[command(flatten)]
        plugins: Plugins,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, clap::Args)]
struct Plugins {
    /// Directory with operator components (*.wasm), searched recursively; may be given several times
    #[arg(long = "plugins", value_name = "DIR")]
    dirs: Vec<PathBuf>,
}

/// Runs the subcommand; gives the exit code.
pub fn run(args: &OpsArgs) -> Result<u8> {
    match &args.command {
        OpsCommand::List { search, plugins, json } => {
            let registry = Registry::load(&plugins.dirs)?;
            let word = search.as_deref().unwrap_or_default().to_lowercase();
            let hit = |e: &&OpEntry| e.descriptor.name.contains(&word) || e.descriptor.summary.to_lowercase().contains(&word);
            let entries: Vec<&OpEntry> = registry.iter().filter(hit).collect();
            if *json {
                let list: Vec<Value> = entries.iter().map(|e| to_json(e)).collect();
                super::print(&format!("{:#}\n", Value::Array(list)))?;
            } else {
                registry.notes().iter().for_each(|n| eprintln!("note: {n}"));
                super::print(&list(&entries))?;
            }
        }
        OpsCommand::Show { name, plugins, json } => {
            let registry = Registry::load(&plugins.dirs)?;
            let entry = registry.get(name, "")?;
            super::print(&if *json { format!("{:#}\n", to_json(entry)) } else { show(entry) })?;
        }
    }
    Ok(0)
}

fn to_json(entry: &OpEntry) -> Value {
    let c = &entry.component;
    serde_json::json!({
        "name": entry.descriptor.name, "kind": entry.descriptor.kind, "summary": entry.descriptor.summary, "cost": entry.descriptor.cost,
        "params_schema": entry.descriptor.params_schema, "source": c.source.to_string(), "digest": c.digest, "wit_version": c.wit_version,
    })
}

fn list(entries: &[&OpEntry]) -> String {
    let width = entries.iter().map(|e| e.descriptor.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for kind in [Kind::Filter, Kind::Mapper, Kind::Deduplicator, Kind::Selector] {
        let of_kind: Vec<_> = entries.iter().filter(|e| e.descriptor.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        let _ = writeln!(out, "{}s", kind.as_str());
        for e in of_kind {
            let _ = writeln!(out, "  {:width$}  {}", e.descriptor.name, e.descriptor.summary);
        }
    }
    if entries.is_empty() {
        out.push_str("no operator matches\n");
    }
    out
}

fn show(entry: &OpEntry) -> String {
    let (d, c) = (&entry.descriptor, &entry.component);
    let mut out = String::new();
    let _ = writeln!(out, "{}  ({}, {})\n\n{}\n", d.name, d.kind.as_str(), d.cost.as_str(), d.summary);
    let properties = d.params_schema.get("properties").and_then(Value::as_object);
    let _ = writeln!(out, "parameters");
    for (name, schema) in properties.into_iter().flatten() {
        let default = schema.get("default").map_or("required".to_owned(), |v| format!("default {v}"));
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
    let _ = writeln!(out, "  beside these, every operator takes `text_key`, `image_key`, `audio_key`, `video_key`");
    if d.kind == Kind::Filter {
        let _ = writeln!(out, "  and every filter `min_closed_interval`, `max_closed_interval`, `reversed_range`");
    }
    // What it reads and writes may depend on its parameters; this is for the defaults.
    if let Ok(signature) = signature(entry) {
        let list = |names: Vec<String>| if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        let _ = writeln!(out, "\nreads   {}", list(signature.reads.iter().map(|r| format!("{} ({})", r.path, r.ty.name())).collect()));
        let _ = writeln!(out, "writes  {}", list(signature.writes.iter().map(|w| format!("{} ({})", w.path, w.ty.name())).collect()));
        let _ = writeln!(out, "stats   {}", list(signature.writes_stats.iter().map(|w| format!("{} ({})", w.path, w.ty.name())).collect()));
    }
    let _ = writeln!(out, "\nfrom    {} (sha256 {}, {} KB, contract {})", c.source, c.digest, c.bytes >> 10, c.wit_version);
    out
}

fn type_name(schema: &Value) -> String {
    match schema.get("type") {
        Some(Value::String(t)) => t.clone(),
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => match schema.get("enum").and_then(Value::as_array) {
            Some(values) => values.iter().map(Value::to_string).collect::<Vec<_>>().join(" | "),
            None => "value".to_owned(),
        },
    }
}

fn signature(entry: &OpEntry) -> Result<crate::op::Signature> {
    let checked = crate::config::check_params(&entry.descriptor.params_schema, &serde_json::Map::new(), str::to_owned)
        .map_err(crate::error::UserErrors)?;
    let params = crate::config::common_params(checked);
    let pool = Registry::default().pool(entry, &params, crate::op::Limits::default(), crate::op::Grants::default(), 0, "")?;
    Ok(pool.signature().clone())
}
