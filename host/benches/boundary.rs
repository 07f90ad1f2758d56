//! What does a call of an operator cost, by the size of the batch?
//!
//! `text_length_filter` does next to nothing with a text, so what is measured is the way of the
//! columns into the sandbox and back. Beside it: the same texts copied once by the host.

#[allow(dead_code)]
mod common;

use std::hint::black_box;
use std::time::Duration;

use djhost::testing::{Grants, Limits, Registry, Replace};

const ROUNDS: usize = 9;

fn main() {
    let texts = common::texts(24 << 20);
    let bytes: usize = texts.iter().map(String::len).sum();
    let registry = Registry::load(&[], Replace::All).expect("the built-in operators load");
    let entry = registry
        .get("text_length_filter", "bench")
        .expect("a built-in operator");
    let pool = registry
        .pool(
            entry,
            &serde_json::Map::new(),
            Limits::default(),
            Grants::default(),
            0,
            "bench",
        )
        .expect("its defaults are valid");
    let mut slot = pool.checkout().expect("an instance");
    println!(
        "{} texts, {:.1} MB, mean {:.1} KB\n",
        texts.len(),
        bytes as f64 / 1e6,
        bytes as f64 / 1e3 / texts.len() as f64
    );
    println!(
        "{:>9} {:>7} {:>12} {:>12} {:>12} {:>12}",
        "batch KB", "calls", "call ns/row", "copy ns/row", "call MB/s", "copy MB/s"
    );
    for kilobytes in [16, 64, 256, 512, 1024, 4096] {
        let batches = common::cut(&texts, kilobytes << 10);
        let in_host: Vec<_> = batches
            .iter()
            .map(|batch| common::host_batch(batch))
            .collect();
        let (mut call, mut copy) = (Duration::MAX, Duration::MAX);
        let mut copied = Vec::new();
        for _ in 0..ROUNDS {
            call = call.min(common::cpu_time(|| {
                for batch in &in_host {
                    black_box(
                        pool.process(&mut slot, batch)
                            .expect("an instance")
                            .expect("an answer"),
                    );
                }
            }));
            copy = copy.min(common::cpu_time(|| {
                for batch in &batches {
                    copied.clear();
                    batch
                        .iter()
                        .for_each(|text| copied.extend_from_slice(text.as_bytes()));
                    black_box(&copied);
                }
            }));
        }
        let per_row = |time: Duration| time.as_nanos() as f64 / texts.len() as f64;
        println!(
            "{kilobytes:>9} {:>7} {:>12.0} {:>12.0} {:>12.0} {:>12.0}",
            batches.len(),
            per_row(call),
            per_row(copy),
            common::speed(bytes, call),
            common::speed(bytes, copy)
        );
    }
}
