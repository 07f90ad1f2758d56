//! `djhost ops list`: lists operators.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Result;
use serde_json::Value;

use super::Plugins;
use crate::cli::loading::while_loading;
use crate::error::{UserError, did_you_mean};
use crate::ops::{listed_as, to_json};
use crate::term::{Style, fold, fold_at, say};
use crate::wasm::absent::{self, Absent};
use crate::wasm::{Kind, OpEntry};

const KINDS: [Kind; 5] = [
    Kind::Filter,
    Kind::Mapper,
    Kind::Deduplicator,
    Kind::Selector,
    Kind::Grouper,
];

/// List all operators, by kind and pack
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ListArgs {
    /// Only those that have all of these words in their name, kind, pack, summary or parameters
    words: Vec<String>,
    /// Only those of this kind: filter, mapper, deduplicator, selector or grouper
    #[arg(long)]
    kind: Option<String>,
    /// Only those of this pack: the name of a built-in pack, or a part of the path of a plugin
    #[arg(long)]
    pack: Option<String>,
    #[command(flatten)]
    plugins: Plugins,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ListArgs) -> Result<u8> {
    let kind = args.kind.as_deref().map(read_kind).transpose()?;
    let given = args.plugins.given()?;
    let registry = while_loading(args.json, || given.load_all())?;
    let words: Vec<String> = args.words.iter().map(|w| w.to_lowercase()).collect();
    let wanted = |e: &&OpEntry| {
        let text = haystack(e);
        kind.is_none_or(|k| listed_as(e) == k)
            && args
                .pack
                .as_ref()
                .is_none_or(|p| e.component.source.to_string().contains(p.as_str()))
            && words.iter().all(|w| text.contains(w.as_str()))
    };
    let entries: Vec<&OpEntry> = registry.iter().filter(wanted).collect();
    if args.json {
        let list: Vec<Value> = entries.iter().map(|e| to_json(e)).collect();
        crate::cli::print(&format!("{:#}\n", Value::Array(list)))?;
        return Ok(0);
    }
    registry
        .notes()
        .iter()
        .for_each(|n| say(&format!("note: {n}\n")));
    if entries.is_empty() {
        let near = words
            .iter()
            .find_map(|w| did_you_mean(w, registry.iter().map(|e| e.descriptor.name.as_str())));
        say(&format!(
            "no operator matches{}\n",
            near.map(|n| format!("; did you mean `{n}`?"))
                .unwrap_or_default()
        ));
        lacking(&words);
    }
    crate::cli::print(&text(&entries, Style::for_stdout()))?;
    Ok(0)
}

/// Prints what is known about operators of Data-Juicer that match all of the words but do not exist
/// here.
fn lacking(words: &[String]) {
    const SHOWN: usize = 5;
    let found: Vec<Absent> = absent::all()
        .filter(|op| !words.is_empty() && words.iter().all(|w| op.name.contains(w.as_str())))
        .collect();
    for op in found.iter().take(SHOWN) {
        say(&format!(
            "djhost lacks Data-Juicer's `{}`: {}\n  hint: {}\n",
            op.name, op.why, op.instead
        ));
    }
    if found.len() > SHOWN {
        say(&format!(
            "and {} more of Data-Juicer's\n",
            found.len() - SHOWN
        ));
    }
}

/// Parses the value of `--kind`.
pub(crate) fn read_kind(text: &str) -> Result<Kind, UserError> {
    let names = KINDS.map(Kind::as_str);
    let singular = text.strip_suffix('s').unwrap_or(text);
    KINDS
        .into_iter()
        .find(|k| k.as_str() == singular)
        .ok_or_else(|| {
            let near = did_you_mean(text, names)
                .map(|n| format!("did you mean `{n}`? "))
                .unwrap_or_default();
            UserError::new("--kind", format!("there is no kind of operators `{text}`"))
                .hint(format!("{near}valid are {}", names.join(", ")))
        })
}

/// Returns the text that words are searched in.
fn haystack(entry: &OpEntry) -> String {
    let d = &entry.descriptor;
    let params = d
        .params_schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str());
    let params: Vec<&str> = params.collect();
    format!(
        "{} {} {} {} {}",
        d.name,
        listed_as(entry).as_str(),
        entry.component.source,
        d.summary,
        params.join(" ")
    )
    .to_lowercase()
}

/// Columns for summaries beside the names; with fewer they stand below.
const LEAST_ROOM: usize = 24;

/// Returns a heading for each kind and pack and a line for each operator. On a terminal, a long
/// summary continues below its beginning.
fn text(entries: &[&OpEntry], style: Style) -> String {
    let width = entries
        .iter()
        .map(|e| e.descriptor.name.len())
        .max()
        .unwrap_or(0);
    let mut out = String::new();
    for kind in KINDS {
        let mut packs: BTreeMap<String, Vec<&OpEntry>> = BTreeMap::new();
        for e in entries.iter().filter(|e| listed_as(e) == kind) {
            packs
                .entry(e.component.source.to_string())
                .or_default()
                .push(e);
        }
        for (pack, of_pack) in packs {
            let heading = fold(&format!("{}s, {pack}", kind.as_str()), style.width);
            let _ = writeln!(out, "{}", style.bold(&heading));
            for e in of_pack {
                let (name, summary) = (&e.descriptor.name, &e.descriptor.summary);
                let (line, hang) = match style.width {
                    Some(columns) if columns < width + 4 + LEAST_ROOM => {
                        let _ = writeln!(out, "  {name}");
                        (format!("      {summary}"), 6)
                    }
                    _ => (format!("  {name:width$}  {summary}"), width + 4),
                };
                for line in fold_at(&line, hang, style.width.unwrap_or(usize::MAX)) {
                    let _ = writeln!(out, "{line}");
                }
            }
        }
    }
    out
}
