//! Global ops whose keys are looked through by workers, in pieces.

use serde_json::Value;

use crate::crash::bench::{Bench, text};
use crate::job::FAULTS;
use crate::ray::Shared;

/// The variable with the size of sections, from which on workers share the work.
const SECTION: (&str, &str) = ("DJHOST_TEST_SECTION_BYTES", "4000");

fn bench() -> Bench {
    let mut bench = Bench::new(700);
    bench.ops = [
        "document_deduplicator: {lowercase: true}",
        "document_minhash_deduplicator: {tokenization: space, window_size: 2, cluster_id_field: cluster}",
        "key_value_grouper: {group_by_keys: [cluster]}",
        "naive_reverse_grouper:",
        "document_line_deduplicator: {frequency_threshold: 20}",
    ]
    .map(str::to_owned)
    .to_vec();
    bench
}

/// The first workers end when they have made a file of keys in sections, those after them when they have
/// looked through sections, all before they can say so.
#[test]
fn pieces_that_are_lost_are_made_by_others() {
    let ray = Shared::take();
    let bench = bench();
    let expected = bench.undisturbed();
    let bench = ray.has(bench);
    let kill = |names: &str| vec![format!("kill@disk:rename:{names}:1"); 3];
    let faults = [kill("split_op_0000"), kill("found_op_0001")].concat();
    let mut command = bench.command(&[]);
    command.env(FAULTS, faults.join(";"));
    let output = command.env(SECTION.0, SECTION.1).output().unwrap();
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    let events = bench.events();
    let lost = events.of("task_retry");
    for task in ["task split.0.", "task find.1."] {
        let is_of_piece = |event: &Value| {
            let said = event["error_message"].as_str().unwrap();
            event.get("partition_id").is_none() && said.contains(task)
        };
        assert!(lost.iter().any(|event| is_of_piece(event)), "{lost:?}");
    }
    assert!(bench.result() == expected);
    assert!(bench.unfinished().is_empty());
    assert_eq!(bench.pieces(), [""; 0]);
}
