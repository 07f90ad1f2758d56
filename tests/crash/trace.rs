//! The trace of a job that was killed is that of an undisturbed one, however the work is cut: with
//! filters that only decide, rows made of rows, duplicates and groups.
//!
//! (Every other test of crashes compares the trace, too: it is part of a [`Bench`]'s result.)

use djhost::jobs::{Fate, RunPaths, Trace};

use super::bench::{Bench, Numbers, killed, text};
use super::kills::asked;

/// Ops that leave out stats, split rows, remove duplicates and make groups.
const OPS: [&str; 9] = [
    "whitespace_normalization_mapper:",
    "text_length_filter: {min_len: 12}",
    "words_num_filter: {min_num: 3}",
    "document_simhash_deduplicator:",
    "document_deduplicator: {lowercase: true}",
    "random_selector: {select_ratio: 0.9}",
    "alphanumeric_filter: {min_ratio: 0.62}",
    "key_value_grouper: {group_by_keys: [n]}",
    "naive_reverse_grouper:",
];

fn bench(i: usize) -> Bench {
    let strategy = ["every_op", "disabled", "every_n_ops", "adaptive"][i % 4];
    let mut bench = Bench::new(900)
        .with("strategy", strategy)
        .with("keep_stats_in_res_ds", "false")
        .with("trace", ["dropped", "all", "stats", "all"][i % 4])
        .with("batch_size_kb", "16");
    bench.ops = OPS.map(str::to_owned).to_vec();
    bench
}

#[test]
fn the_trace_of_a_killed_job_is_that_of_an_undisturbed_one() {
    let mut numbers = Numbers(7);
    let mut kills = 0;
    for i in 0..4 {
        let bench = bench(i);
        let expected = bench.undisturbed();
        for fate in ["Dropped", "Merged", "Grouped", "Quarantined", "Made"] {
            let has = expected
                .trace
                .iter()
                .any(|entry| entry.contains(&format!("fate: {fate}")));
            assert!(has, "no row is {fate}:\n{:#?}", &expected.trace[..20]);
        }
        let list = bench.path("calls.txt");
        let fault = format!("list@{}", list.display());
        assert!(bench.run_with_fault(&fault).status.success());
        let calls = std::fs::read_to_string(&list).unwrap();
        let of_trace: Vec<&str> = calls
            .lines()
            .filter(|call| call.contains("trace"))
            .collect();
        assert!(!of_trace.is_empty(), "{calls}");
        std::fs::remove_dir_all(bench.path("outputs")).unwrap();
        for round in 0..4 + asked() as u64 / 10 {
            let nth = 1 + numbers.below(12);
            let what = ["write", "sync", "rename", "create"][(round % 4) as usize];
            let output = bench.run_with_fault(&format!("kill@disk:{what}:trace/:{nth}"));
            kills += usize::from(killed(&output));
            assert!(
                killed(&output) || output.status.success(),
                "{}",
                text(&output.stderr)
            );
        }
        bench.ok(&[]);
        assert_eq!(bench.result(), expected, "{}", bench.recipe());
    }
    assert!(kills >= 8, "only {kills} kills");
}

#[test]
fn the_trace_does_not_depend_on_how_the_work_is_cut() {
    for mode in ["dropped", "all", "stats"] {
        let cut = |np: &str, partition: &str, batch: &str, strategy: &str| {
            let bench = bench(0)
                .with("trace", mode)
                .with("np", np)
                .with("partition", partition)
                .with("batch_size_kb", batch)
                .with("strategy", strategy);
            bench.ok(&[]);
            bench.result()
        };
        let expected = cut(
            "1",
            "{mode: manual, num_of_partitions: 1}",
            "512",
            "disabled",
        );
        for (np, partition, batch, strategy) in [
            (
                "3",
                "{mode: manual, num_of_partitions: 7}",
                "16",
                "every_op",
            ),
            ("2", "{mode: manual, size: 101}", "64", "every_n_ops"),
        ] {
            assert_eq!(
                cut(np, partition, batch, strategy),
                expected,
                "{mode} {partition}"
            );
        }
    }
}

/// A dropped row has the stat that dropped it although nobody reads that stat, and it is the one
/// that a run which keeps stats computes.
#[test]
fn dropped_rows_have_the_stats_that_the_filter_left_out() {
    let bench = bench(0).with("trace_samples", "3");
    bench.ok(&[]);
    let trace = Trace::open(&RunPaths::new(bench.run_dir())).unwrap();
    let op = trace.op("words_num_filter", |_| true).unwrap();
    let near = trace.closest(op, 1000).unwrap();
    assert!(!near.is_empty());
    for row in &near {
        let (key, words, margin) = row.stat.clone().expect("a stat");
        assert_eq!(key, "num_words");
        assert!(words < 3.0 && margin == words - 3.0, "{row:?}");
    }
    assert!(
        near.windows(2)
            .all(|pair| pair[0].stat.as_ref().unwrap().2 >= pair[1].stat.as_ref().unwrap().2)
    );
    let mapper = trace.op("0", |_| true).unwrap();
    let samples = trace.samples(mapper.op).unwrap();
    assert_eq!(samples.len(), 3, "{samples:#?}");
    let [field, before, after] = samples[0].change.clone().unwrap();
    assert!(field == "text" && before != after && samples[0].fate == Fate::Changed);
}

/// An attempt without a trace leaves work whose rows are not known; the next one says so.
#[test]
fn what_an_attempt_without_a_trace_did_is_said_to_be_missing() {
    let mut bench = bench(0);
    bench.set("trace", "off");
    let output = bench.run_with_fault("kill@event:checkpoint_save:6");
    assert!(killed(&output), "{}", text(&output.stderr));
    assert!(
        !bench
            .run_dir()
            .join("trace")
            .read_dir()
            .unwrap()
            .any(|_| true)
    );
    bench.set("trace", "dropped");
    let output = bench.run(&[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stderr);
    assert!(
        said.contains("the trace does not know what became of rows"),
        "{said}"
    );
    let trace = Trace::open(&RunPaths::new(bench.run_dir())).unwrap();
    let missing = &trace.document().missing;
    assert!(!missing.is_empty() && missing[0].op == 0, "{missing:?}");
}
