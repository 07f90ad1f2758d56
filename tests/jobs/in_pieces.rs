//! Global ops whose keys are looked through in pieces: the same bytes, account, quarantine and trace as
//! at once, also after kills in the middle, and nothing is left of the pieces.

use std::fs;
use std::process::Command;

use crate::crash::bench::{Bench, text};

/// The variable with the size of sections.
const SECTION: (&str, &str) = ("DJHOST_TEST_SECTION_BYTES", "500");

/// Every way to compare rows, and to say which one stays.
const OPS: [&str; 8] = [
    "document_line_deduplicator: {frequency_threshold: 20}",
    "document_deduplicator: {lowercase: true}",
    "document_simhash_deduplicator: {tokenization: space, window_size: 3, hamming_distance: 5}",
    "document_minhash_deduplicator: {tokenization: space, window_size: 2, keep: longest, cluster_size_field: size, cluster_id_field: cluster}",
    "document_minhash_deduplicator: {tokenization: character, window_size: 3, jaccard_threshold: 0.9}",
    "key_value_grouper: {group_by_keys: [cluster]}",
    "naive_reverse_grouper:",
    "text_length_filter: {min_len: 12}",
];

fn bench() -> Bench {
    let mut bench = Bench::new(900).with("partition", "{mode: manual, num_of_partitions: 7}");
    bench.ops = OPS.map(str::to_owned).to_vec();
    bench
}

fn in_pieces(bench: &Bench) -> Command {
    let mut command = bench.command(&[]);
    command.env(SECTION.0, SECTION.1);
    command
}

#[test]
fn pieces_make_what_is_made_at_once() {
    let bench = bench();
    let expected = bench.undisturbed();
    let output = in_pieces(&bench).output().unwrap();
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(bench.result() == expected);
    assert_eq!(bench.pieces(), [""; 0]);
    // It was more than one piece of each kind, for each op that compares rows.
    let log = fs::read_dir(bench.run_dir().join("logs")).unwrap();
    let log = fs::read_to_string(log.last().unwrap().unwrap().path()).unwrap();
    let pieces: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("pieces to"))
        .collect();
    assert_eq!(pieces.len(), 6, "{log}");
    assert!(
        !pieces.iter().any(|line| line.contains(" 1 pieces")),
        "{pieces:?}"
    );
}

#[test]
fn a_barrier_that_is_killed_begins_again() {
    let bench = bench();
    let expected = bench.undisturbed();
    for (fault, leaves) in [
        ("kill@disk:rename:split_op_0000:3", "split_op_0000"),
        ("kill@disk:rename:found_op_0001:2", "found_op_0001"),
        ("kill@disk:rename:mask_op_0002:4", "found_op_0002"),
        ("kill@disk:remove:found_op_0003:2", "found_op_0003"),
        ("kill@disk:rename:mask_op_0005:2", "split_op_0005"),
    ] {
        let output = in_pieces(&bench)
            .env(djhost::testing::fault::VARIABLE, fault)
            .output()
            .unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), None, "{fault} {said}");
        let left = bench.pieces();
        assert!(left.iter().any(|name| name.starts_with(leaves)), "{left:?}");
    }
    // A worker that was lost, and one that was slower than another, leave files of their names.
    for name in [
        "split_op_0000_group_0007.a1w2.bin",
        "found_op_0005_piece_0001.a3w1.bin",
    ] {
        fs::write(bench.run_dir().join("checkpoints").join(name), "left").unwrap();
    }
    // The last attempt does not look at pieces any more.
    bench.ok(&[]);
    assert!(bench.result() == expected);
    assert_eq!(bench.pieces(), [""; 0]);
}

#[test]
fn a_piece_that_cannot_be_written_fails_the_job_by_name() {
    let bench = bench();
    let output = in_pieces(&bench)
        .env(
            djhost::testing::fault::VARIABLE,
            "fail@disk:rename:split_op_0001:1",
        )
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("split_op_0001_group_"), "{said}");
    bench.ok(&[]);
    assert!(bench.result() == bench.undisturbed());
}
