//! How fast is each built-in operator in a whole run, from file to file?
//!
//! Runs the program itself on one worker with one operator after the other, and takes off what a
//! run costs that only counts characters. An operator has the parameters of its example if it does
//! nothing much without: if they are words, or it is neither filter nor deduplicator. `cargo bench
//! --bench operators -- NAME` chooses operators by a part of their names.

#[allow(dead_code)]
mod common;

use std::time::Duration;

use djhost::testing::{Registry, Replace};

const ROUNDS: usize = 2;

/// What a run costs in which nothing is done to the rows.
const BASE: &str = "text_length_filter: {min_len: 0}";

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let dir = tempfile::tempdir().expect("a temporary directory");
    let data =
        std::env::var_os(common::DATA).map_or_else(|| common::made_up_file(dir.path()), Into::into);
    let bytes = std::fs::metadata(&data)
        .unwrap_or_else(|e| panic!("{}: {e}", data.display()))
        .len() as usize;
    let run = |op: &str, round: usize| {
        let recipe = dir.path().join("recipe.yaml");
        // Some operators find the whole of this data wanting.
        let text = format!(
            "dataset_path: {data}\nexport_path: {out}/result.jsonl\nwork_dir: {out}/work\nnp: 1\nmax_quarantine_ratio: 1\non_error: drop\n\
             checkpoint: {{enabled: false}}\nprocess: [{op}]\n",
            data = serde_json::json!(data),
            out = dir.path().display()
        );
        std::fs::write(&recipe, text).expect("the temporary directory is writable");
        let measured = common::run(&recipe, &format!("job{round}"), &[]);
        let _ = std::fs::remove_dir_all(dir.path().join("work"));
        measured
    };
    let best = |op: &str| {
        (0..ROUNDS)
            .map(|round| run(op, round))
            .min()
            .expect("at least one round")
    };
    let (base, _) = best(BASE);
    println!(
        "{:.0} MB of JSONL, one worker; a run that only counts characters takes {:.2} CPU s\n",
        bytes as f64 / 1e6,
        base.as_secs_f64()
    );
    println!(
        "| operator | CPU s | MB per CPU s, whole run | MB per CPU s, the operator | peak memory MB |\n|---|---:|---:|---:|---:|"
    );
    let registry = Registry::load(&[], Replace::All).expect("the built-in operators load");
    for entry in registry.iter() {
        let name = entry.descriptor.name.as_str();
        if !wanted.is_empty() && !wanted.iter().any(|part| name.contains(part.as_str())) {
            continue;
        }
        let example = djhost_builtin_ops::examples()
            .iter()
            .find(|(n, _)| *n == name);
        let example: serde_json::Value = example.map_or(serde_json::Value::Null, |(_, text)| {
            serde_json::from_str(text).expect("an example is JSON")
        });
        let mut params = example
            .get("params")
            .cloned()
            .unwrap_or(serde_json::json!({}));
        let works_by_default = name.ends_with("_filter") || name.ends_with("_deduplicator");
        if works_by_default
            && params
                .as_object()
                .is_some_and(|p| p.values().all(|v| v.is_number() || v.is_boolean()))
        {
            params = serde_json::json!({});
        }
        // Files that an example names are not here.
        if params.to_string().contains(".json")
            || params.to_string().contains("/") && name.contains("language")
        {
            continue;
        }
        let (cpu, memory) = best(&format!("{{{name}: {params}}}"));
        let own = cpu.saturating_sub(base).max(Duration::from_millis(10));
        println!(
            "| `{name}` | {:.2} | {:.0} | {:.0} | {:.0} |",
            cpu.as_secs_f64(),
            common::speed(bytes, cpu),
            common::speed(bytes, own),
            memory as f64 / 1e6
        );
    }
}
