//! What does the sandbox cost each operator?
//!
//! The same code on the same batches in the same process: compiled natively and called through the
//! SDK, and as the built-in component called through the pool, the way in and out included.

#[allow(dead_code)]
mod common;

use std::hint::black_box;
use std::time::Duration;

use djhost::testing::{Grants, Limits, Registry, Replace};
use djhost_sdk::Runner;

const ROUNDS: usize = 5;
const BATCH: usize = 512 << 10;

/// The filters that are looked at as one chain.
const CHAIN: [&str; 7] = [
    "text_length_filter",
    "words_num_filter",
    "special_characters_filter",
    "average_line_length_filter",
    "maximum_line_length_filter",
    "character_repetition_filter",
    "word_repetition_filter",
];

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let texts = common::texts(24 << 20);
    let bytes: usize = texts.iter().map(String::len).sum();
    let cut = common::cut(&texts, BATCH);
    let in_host: Vec<_> = cut.iter().map(|batch| common::host_batch(batch)).collect();
    let in_sdk: Vec<_> = cut.iter().map(|batch| Runner::text_batch(batch)).collect();
    let registry = Registry::load(&[], Replace::All).expect("the built-in operators load");
    println!(
        "{} texts, {:.1} MB, mean {:.1} KB\n",
        texts.len(),
        bytes as f64 / 1e6,
        bytes as f64 / 1e3 / texts.len() as f64
    );
    println!(
        "{:34} {:>12} {:>12} {:>13} {:>9}",
        "operator", "native MB/s", "Wasm MB/s", "Wasm / native", "memory MB"
    );
    let (mut chain_native, mut chain_wasm) = (Duration::ZERO, Duration::ZERO);
    let packs = [
        djhost_text_filters::operators(),
        djhost_text_mappers::operators(),
        djhost_dedup::operators(),
    ];
    for operator in packs.into_iter().flatten() {
        let name = (operator.describe)().name;
        if !wanted.is_empty() && !wanted.iter().any(|part| name.contains(part.as_str())) {
            continue;
        }
        let mut runner = Runner::new(operator, "{}").expect("defaults are valid");
        let entry = registry.get(name, "bench").expect("a built-in operator");
        let pool = registry
            .pool(
                entry,
                &serde_json::Map::new(),
                Limits::default(),
                Grants::default(),
                0,
                "bench",
            )
            .expect("defaults are valid");
        let mut slot = pool.checkout().expect("an instance");
        let (mut native, mut wasm) = (Duration::MAX, Duration::MAX);
        for _ in 0..ROUNDS {
            native = native.min(common::cpu_time(|| {
                for batch in &in_sdk {
                    black_box(runner.process(batch).expect("an answer"));
                }
            }));
            wasm = wasm.min(common::cpu_time(|| {
                for batch in &in_host {
                    black_box(
                        pool.process(&mut slot, batch)
                            .expect("an instance")
                            .expect("an answer"),
                    );
                }
            }));
        }
        if CHAIN.contains(&name) {
            chain_native += native;
            chain_wasm += wasm;
        }
        line(
            name,
            bytes,
            native,
            wasm,
            &format!("{:.1}", slot.peak_memory() as f64 / 1e6),
        );
    }
    line(
        "the eight filters, one after another",
        bytes,
        chain_native,
        chain_wasm,
        "",
    );
}

fn line(name: &str, bytes: usize, native: Duration, wasm: Duration, memory: &str) {
    let ratio = wasm.as_secs_f64() / native.as_secs_f64();
    println!(
        "{name:34} {:>12.0} {:>12.0} {ratio:>13.2} {memory:>9}",
        common::speed(bytes, native),
        common::speed(bytes, wasm)
    );
}
