//! Whole jobs on a cluster: the bytes of threads, and what is seen of them.

use std::collections::BTreeSet;
use std::fs;

use crate::crash::bench::{Bench, killed, text};
use crate::job::{Doer, FAULTS, Hold, Job};
use crate::ray::{Shared, here, on};

/// Recipes of all kinds: filters and mappers, keys of rows, lines and texts that are alike, groups.
fn benches() -> Vec<Bench> {
    let lines = "document_line_deduplicator: {frequency_threshold: 30}";
    let groups = "key_value_grouper: {group_by_keys: [__dj__stats__.num_words]}";
    let near = "document_minhash_deduplicator: {tokenization: space, lowercase: true}";
    [
        ("every_op", "parquet", vec![]),
        (
            "adaptive",
            "arrow",
            vec![(4, lines), (5, groups), (6, "naive_reverse_grouper:")],
        ),
        (
            "disabled",
            "jsonl",
            vec![(8, "document_simhash_deduplicator: {keep: longest}")],
        ),
        ("every_n_ops", "parquet", vec![(2, near)]),
    ]
    .into_iter()
    .map(|(strategy, format, ops)| {
        let mut bench = Bench::new(700)
            .with("strategy", strategy)
            .with("format", format)
            .with("compression", "none");
        ops.into_iter()
            .for_each(|(at, op)| bench.ops.insert(at, op.into()));
        bench
    })
    .collect()
}

#[test]
fn a_cluster_makes_the_bytes_of_threads() {
    let ray = Shared::take();
    for bench in benches() {
        let expected = bench.undisturbed();
        assert!(!expected.quarantine.is_empty());
        let bench = ray.has(bench);
        // No task ends before each node has one.
        let hold = Hold::of(&bench, "partition_");
        let mut job = Job::start_with(&bench, &[], &[(FAULTS, &hold.faults())]);
        let doers = job.has_workers(3);
        hold.release_all();
        let (code, said) = job.end();
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(bench.result(), expected, "{}", bench.recipe());
        let nodes: BTreeSet<_> = doers.iter().map(|doer| &doer.node).collect();
        assert_eq!(nodes.len(), 3, "{doers:?}");
        let events = bench.events();
        for event in events.of("stage_complete") {
            assert!(doers.contains(&Doer::of(event)), "{event} {doers:?}");
        }
        assert!(events.of("job_start")[0]["node"].is_null());
    }
}

#[test]
fn columns_come_and_go_as_parquet() {
    let ray = Shared::take();
    let first = Bench::new(400).with("export_path", "outputs/out.parquet");
    first.ok(&[]);
    let columns = |address: &str| {
        let bench = on(Bench::new(1), address, "")
            .with("dataset_path", "rows.parquet")
            .with("export_path", "outputs/out.parquet");
        fs::copy(first.export(), bench.path("rows.parquet")).unwrap();
        bench.ok(&[]);
        bench.result()
    };
    assert_eq!(columns(&ray.address), columns("local"));
}

#[test]
fn a_job_changes_between_the_cluster_and_this_machine_at_any_attempt() {
    let ray = Shared::take();
    let bench = Bench::new(700);
    let expected = bench.undisturbed();
    let mut bench = ray.has(bench);
    for (round, fault) in [
        "kill@event:checkpoint_save:3",
        "kill@event:stage_complete:6",
        "kill@event:partition_complete:2",
    ]
    .into_iter()
    .enumerate()
    {
        bench = match round % 2 {
            0 => ray.has(bench),
            _ => here(bench),
        };
        let output = bench.run_with_fault(fault);
        assert!(killed(&output), "{fault} {}", text(&output.stderr));
    }
    let bench = ray.has(bench);
    bench.ok(&[]);
    assert_eq!(bench.result(), expected);

    // `monitor` says where partitions were.
    let shown = std::process::Command::new(env!("CARGO_BIN_EXE_djhost"))
        .args(["monitor", "--json"])
        .arg(bench.run_dir())
        .output()
        .unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert!(shown["partition"][0]["node"].is_string(), "{shown}");
}

/// A damaged file of an earlier attempt is found by the worker that reads it, or by the driver before the
/// export, and what it had is done again.
#[test]
fn damaged_checkpoints_are_found_by_workers_and_made_again() {
    let ray = Shared::take();
    let bench = Bench::new(700);
    let expected = bench.undisturbed();
    let bench = ray.has(bench);
    for (fault, beginnings) in [
        (
            "kill@event:resolve_complete:1",
            &["checkpoint_op_0003", "keys"][..],
        ),
        ("kill@event:partition_complete:1", &["mask", "checkpoint"]),
        ("kill@event:export_start:1", &["part"]),
    ] {
        let output = bench.run_with_fault(fault);
        assert!(killed(&output), "{fault} {}", text(&output.stderr));
        let discarded = bench.events().of("checkpoint_discarded").len();
        assert_eq!(
            discarded > 0,
            bench.attempts() > 1,
            "{fault} {}",
            text(&output.stderr)
        );
        let dirs = ["checkpoints", "parts"].map(|dir| bench.run_dir().join(dir));
        let all = dirs.iter().flat_map(|dir| fs::read_dir(dir).unwrap());
        let all: Vec<_> = all.map(|entry| entry.unwrap().path()).collect();
        let mut damaged = 0;
        for file in all.iter().filter(|file| file.is_file()) {
            let name = file.file_name().unwrap().to_str().unwrap();
            let is_one = beginnings
                .iter()
                .any(|beginning| name.starts_with(beginning));
            let mut content = fs::read(file).unwrap();
            if is_one && !name.contains("manifest") && !content.is_empty() {
                let middle = content.len() / 2;
                content[middle] ^= 1;
                fs::write(file, content).unwrap();
                damaged += 1;
            }
        }
        assert!(damaged > 0, "{fault} {all:?}");
    }
    bench.ok(&[]);
    assert_eq!(bench.result(), expected);
}

/// Another component than `component`, with the same operators.
pub(crate) fn another(component: &[u8]) -> Vec<u8> {
    let mut other = component.to_owned();
    let says = b"Does something ";
    let at = other.windows(says.len()).position(|w| w == says).unwrap();
    other[at + 5..at + 14].copy_from_slice(b"SOMETHING");
    other
}

/// Plugins and word lists go to the nodes, which see nothing of the directory that they are in. They
/// may change between attempts.
#[test]
fn plugins_and_word_lists_go_to_the_nodes() {
    let ray = Shared::take();
    let Some(unseen) = ray.unseen() else {
        return;
    };
    let plugin = crate::harness::guest::build("tests/guests", "djhost-test-guests");
    let component = fs::read(plugin).unwrap();
    for dir in ["plugins", "lists"] {
        fs::create_dir_all(unseen.join(dir)).unwrap();
    }
    let list = unseen.join("lists/flagged_words.json");
    let words = |word: &str| fs::write(&list, format!("{{\"en\": [\"{word}\"]}}")).unwrap();
    let component_at = unseen.join("plugins/rogue.wasm");
    fs::write(&component_at, &component).unwrap();
    words("fox");
    let bench = || {
        let mut bench = Bench::new(700).with(
            "plugins",
            &format!("[{}]", unseen.join("plugins").display()),
        );
        bench.ops[5] = "rogue_mapper: {how: behave}".into();
        bench.ops[7] = format!(
            "flagged_words_filter: {{flagged_words_dir: {}, max_ratio: 0.01}}",
            unseen.join("lists").display()
        );
        bench
    };
    let begun = bench();
    let first = begun.undisturbed();
    let begun = ray.has(begun);
    let output = begun.run_with_fault("kill@event:checkpoint_save:9");
    assert!(killed(&output), "{}", text(&output.stderr));

    // With another word and another component of the same operators it is another job.
    words("short");
    fs::write(&component_at, another(&component)).unwrap();
    let expected = bench().undisturbed();
    assert_ne!(expected, first);
    begun.ok(&[]);
    assert_eq!(begun.result(), expected);

    // A complete one is the first again, on nodes that have had both.
    words("fox");
    fs::write(&component_at, &component).unwrap();
    begun.ok(&["--fresh"]);
    assert_eq!(begun.result(), first);
}
