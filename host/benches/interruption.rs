//! What does it cost that operators can be interrupted?
//!
//! The built-in chain as it runs, without interruption checks, and the same components given as
//! plugins, which have them: whole runs of the program on one worker, by turns. And the limits that
//! both have: the chain with those of the defaults and with ones a hundred times as wide.

#[allow(dead_code)]
mod common;

use std::time::Duration;

const ROUNDS: usize = 5;

const CHAIN: &str = "[{whitespace_normalization_mapper: }, {clean_email_mapper: }, {clean_links_mapper: }, {text_length_filter: {min_len: 0}}, \
    {words_num_filter: {min_num: 0}}, {alphanumeric_filter: {min_ratio: 0}}, {special_characters_filter: {max_ratio: 1}}, \
    {average_line_length_filter: {min_len: 0}}, {maximum_line_length_filter: {min_len: 0}}, {character_repetition_filter: {max_ratio: 1}}, \
    {word_repetition_filter: {max_ratio: 1}}]";

fn main() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let data =
        std::env::var_os(common::DATA).map_or_else(|| common::made_up_file(dir.path()), Into::into);
    let bytes = std::fs::metadata(&data)
        .unwrap_or_else(|e| panic!("{}: {e}", data.display()))
        .len() as usize;
    let packs = dir.path().join("packs");
    std::fs::create_dir(&packs).expect("the temporary directory is writable");
    for pack in djhost_builtin_ops::packs() {
        // A custom section at the end makes it another component: a copy of a pack would count as
        // the pack.
        let component = [pack.component, &[0, 3, 1, b'x', 0]].concat();
        std::fs::write(packs.join(format!("{}.wasm", pack.name)), component)
            .expect("the temporary directory is writable");
    }
    let ways: [(&str, &str, Vec<&str>); 3] = [
        ("built-in, no interruption checks", "", vec![]),
        (
            "built-in, limits a hundred times as wide",
            "op_limits: {memory_mb: 4096, timeout_s: 6000, output_ratio: 1024}",
            vec![],
        ),
        (
            "the same as plugins, with checks",
            "",
            vec!["--plugins", packs.to_str().expect("a path of Unicode")],
        ),
    ];
    let mut best = [Duration::MAX; 3];
    for round in 0..ROUNDS {
        for (way, (_, settings, args)) in ways.iter().enumerate() {
            let recipe = dir.path().join("recipe.yaml");
            let text = format!(
                "dataset_path: {data}\nexport_path: {out}/result.jsonl\nwork_dir: {out}/work\nnp: 1\ncheckpoint: {{enabled: false}}\n{settings}\nprocess: {CHAIN}\n",
                data = serde_json::json!(data),
                out = dir.path().display()
            );
            std::fs::write(&recipe, text).expect("the temporary directory is writable");
            let (cpu, _) = common::run(&recipe, &format!("{round}-{way}"), args);
            best[way] = best[way].min(cpu);
            let _ = std::fs::remove_dir_all(dir.path().join("work"));
        }
    }
    println!(
        "{:.0} MB of JSONL, eleven operators, one worker, best of {ROUNDS} rounds by turns\n",
        bytes as f64 / 1e6
    );
    println!("| way | CPU s | against the first |\n|---|---:|---:|");
    for ((title, ..), cpu) in ways.iter().zip(best) {
        println!(
            "| {title} | {:.2} | {:.3} |",
            cpu.as_secs_f64(),
            cpu.as_secs_f64() / best[0].as_secs_f64()
        );
    }
}
