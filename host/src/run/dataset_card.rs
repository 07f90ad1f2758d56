//! What the card of an exported dataset says of how it was made: its input, the operators with what
//! they kept, and the recipe. The same job says the same whenever it runs and wherever, so it has no
//! times, names of jobs, or directories of this machine.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::Prepared;
use crate::data::Card;
use crate::remote::address::is_address;
use crate::rundir::JobSummary;
use crate::term::{count, counted};

/// Sources that are named.
const NAMED: usize = 20;

/// Returns what the card of the result says, once all rows are accounted for.
pub(super) fn card(prepared: &Prepared, summary: &JobSummary) -> Card {
    let options = &prepared.resolved.config.croissant;
    let place = prepared.target.path.file_name().unwrap_or_default();
    let title = match &*options.name {
        "" => place.to_string_lossy().into_owned(),
        name => name.to_owned(),
    };
    let mut front = Map::new();
    let licenses = options.license.0.iter();
    // The hub knows licences by short names.
    let is_name = |text: &&String| !text.contains([' ', '/']);
    let licenses: Vec<&String> = licenses.filter(is_name).collect();
    match &licenses[..] {
        [] => {}
        [one] => drop(front.insert("license".to_owned(), one.to_lowercase().into())),
        all => {
            let all: Value = all.iter().map(|name| name.to_lowercase()).collect();
            front.insert("license".to_owned(), all);
        }
    }
    if !options.name.is_empty() {
        front.insert("pretty_name".to_owned(), options.name.as_str().into());
    }
    Card {
        title,
        split: prepared.target.split.clone().unwrap_or_default(),
        front,
        text: text(prepared, summary),
    }
}

fn text(prepared: &Prepared, summary: &JobSummary) -> String {
    let resolved = &prepared.resolved;
    let mut text = String::new();
    let description = &resolved.config.croissant.description;
    if !description.is_empty() {
        text += &format!("{description}\n\n");
    }
    let ledger = &summary.ledger;
    text += &format!(
        "## How it was made\n\nBy djhost {} from {}: {} in, {} out, {} set aside as unusable.\n\n",
        env!("CARGO_PKG_VERSION"),
        sources(prepared),
        counted(ledger.read, "row"),
        count(ledger.output),
        count(ledger.quarantined),
    );
    if !summary.ops.is_empty() {
        text += "| operator | version | rows in | rows out | dropped | merged | created | set aside |\n|---|---|---|---|---|---|---|---|\n";
    }
    for op in &summary.ops {
        let of = |map: &std::collections::BTreeMap<usize, u64>| {
            count(map.get(&op.index).copied().unwrap_or(0))
        };
        text += &format!(
            "| `{}` | {} | {} | {} | {} | {} | {} | {} |\n",
            op.name,
            version(prepared, op.index),
            count(op.rows_in),
            count(op.rows_out),
            of(&ledger.dropped),
            of(&ledger.merged),
            of(&ledger.created),
            count(op.quarantined),
        );
    }
    let recipe = json!({ "seed": resolved.config.seed, "process": process(prepared) });
    if let Ok(recipe) = serde_yaml::to_string(&recipe) {
        text += &format!("\nThe recipe:\n\n```yaml\n{recipe}```\n");
    }
    text
}

/// The datasets that were read: addresses with their commits, of local files the names.
fn sources(prepared: &Prepared) -> String {
    let shown = |source: &String| match is_address(source) {
        true => pinned(prepared, source),
        false => {
            let name = Path::new(source).file_name();
            name.map_or_else(
                || "local files".to_owned(),
                |name| format!("`{}`", name.to_string_lossy()),
            )
        }
    };
    let sources = &prepared.resolved.sources;
    let mut all: Vec<String> = sources.iter().take(NAMED).map(shown).collect();
    if sources.len() > NAMED {
        all.push(format!("{} more", sources.len() - NAMED));
    }
    let wanted = prepared.resolved.wanted.first();
    let of = |what: &str, name: Option<&String>| {
        name.map_or_else(String::new, |name| format!(", {what} `{name}`"))
    };
    let config = of("configuration", wanted.and_then(|w| w.config_name.as_ref()));
    let split = of("split", wanted.and_then(|w| w.split.as_ref()));
    format!("{}{config}{split}", all.join(", "))
}

/// An address; of a dataset of the hub with the commit that was read.
fn pinned(prepared: &Prepared, source: &str) -> String {
    let Some(rest) = source.strip_prefix("hf://") else {
        return format!("`{source}`");
    };
    let name: Vec<&str> = rest.splitn(4, '/').take(3).collect();
    let name = name.join("/");
    let name = name.split('@').next().unwrap_or_default();
    let start = format!("hf://{name}@");
    let files = prepared.dataset.files.iter();
    let commit = files
        .filter_map(|file| file.path.to_str()?.strip_prefix(&*start))
        .find_map(|rest| rest.split('/').next());
    match commit {
        Some(commit) => {
            let below = rest.splitn(4, '/').nth(3).filter(|below| !below.is_empty());
            let below = below.map_or_else(String::new, |below| format!("/{below}"));
            format!("`{start}{commit}{below}`")
        }
        None => format!("`{source}`"),
    }
}

/// The version of an operator: that of djhost and the start of its component's digest.
fn version(prepared: &Prepared, index: usize) -> String {
    let op = prepared.plan.ops.iter().find(|op| op.index == index);
    op.map_or_else(String::new, |op| {
        let digest = &op.pool.component().digest;
        format!("`{}`", digest.get(..12).unwrap_or(digest))
    })
}

/// The operators with their parameters, as a recipe has them.
fn process(prepared: &Prepared) -> Vec<Value> {
    let ops = prepared.resolved.ops.iter();
    ops.map(|op| {
        let params = match op.params.is_empty() {
            true => Value::Null,
            false => op.params.clone().into(),
        };
        json!({ &op.name: params })
    })
    .collect()
}
