//! What do checkpoints cost?
//!
//! Runs the program on one recipe of fifteen ops under each strategy, in turn, and compares the CPU
//! time with that of `disabled`.

#[allow(dead_code)]
mod common;

use std::time::Duration;

const ROUNDS: usize = 3;

/// A strategy with the options that choose it. The first is what the others are compared with.
const STRATEGIES: [(&str, &[&str]); 4] = [
    ("disabled", &["--checkpoint.enabled", "false"]),
    (
        "every_n_ops, n 5",
        &[
            "--checkpoint.enabled",
            "true",
            "--checkpoint.strategy",
            "every_n_ops",
            "--checkpoint.n_ops",
            "5",
        ],
    ),
    (
        "adaptive",
        &[
            "--checkpoint.enabled",
            "true",
            "--checkpoint.strategy",
            "adaptive",
        ],
    ),
    (
        "every_op",
        &[
            "--checkpoint.enabled",
            "true",
            "--checkpoint.strategy",
            "every_op",
        ],
    ),
];

/// Seven mappers, most of which change some rows, and eight filters with usual limits.
const PROCESS: &str = "[fix_unicode_mapper, whitespace_normalization_mapper, punctuation_normalization_mapper, clean_email_mapper, clean_ip_mapper, \
    clean_links_mapper, remove_repeat_sentences_mapper, {alphanumeric_filter: {tokenization: false, min_ratio: 0.25}}, \
    average_line_length_filter, character_repetition_filter, maximum_line_length_filter, special_characters_filter, text_length_filter, \
    word_repetition_filter, words_num_filter]";

fn main() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let data =
        std::env::var_os(common::DATA).map_or_else(|| common::made_up_file(dir.path()), Into::into);
    let bytes = std::fs::metadata(&data)
        .unwrap_or_else(|e| panic!("{}: {e}", data.display()))
        .len() as usize;
    println!(
        "{:.0} MB of JSONL, one worker, fifteen ops\n",
        bytes as f64 / 1e6
    );
    let recipe = dir.path().join("recipe.yaml");
    let text = format!(
        "dataset_path: {data}\nexport_path: {out}/result.jsonl\nwork_dir: {out}/work\nnp: 1\nprocess: {PROCESS}\n",
        data = serde_json::json!(data),
        out = dir.path().display()
    );
    std::fs::write(&recipe, text).expect("the temporary directory is writable");
    let mut best = [(Duration::MAX, 0); STRATEGIES.len()];
    // One round of all strategies after another: what the machine does besides falls on all of
    // them.
    for round in 0..ROUNDS {
        for (i, (_, options)) in STRATEGIES.iter().enumerate() {
            best[i] = best[i].min(common::run(&recipe, &format!("{round}-{i}"), options));
            let _ = std::fs::remove_dir_all(dir.path().join("work"));
        }
    }
    println!(
        "{:20} {:>10} {:>16} {:>15}",
        "strategy", "CPU s", "over disabled", "peak memory MB"
    );
    for ((title, _), (cpu, memory)) in STRATEGIES.iter().zip(best) {
        let over = (cpu.as_secs_f64() / best[0].0.as_secs_f64() - 1.0) * 100.0;
        println!(
            "{title:20} {:>10.2} {:>14.1} % {:>15.0}",
            cpu.as_secs_f64(),
            over,
            memory as f64 / 1e6
        );
    }
}
