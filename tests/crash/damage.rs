//! Damaged and foreign files in the run directory are set aside, reported, and made again.

use std::fs;
use std::path::{Path, PathBuf};

use super::bench::{Bench, files, killed, name, text};

const ROWS: usize = 600;

fn nearly_done(bench: &Bench) {
    let output = bench.run_with_fault("kill@event:partition_complete:4");
    assert!(killed(&output), "{}", text(&output.stderr));
    // The parts would make all checkpoints unnecessary.
    files(&bench.run_dir().join("parts"))
        .into_iter()
        .for_each(|f| fs::remove_file(f).unwrap());
}

fn truncate(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 4;
    fs::write(path, bytes).unwrap();
}

fn remove(path: &Path) {
    fs::remove_file(path).unwrap();
}

fn empty(path: &Path) {
    fs::write(path, "").unwrap();
}

/// Checkpoint files whose names begin with `beginning`.
fn of(bench: &Bench, beginning: &str) -> Vec<PathBuf> {
    files(&bench.run_dir().join("checkpoints"))
        .into_iter()
        .filter(|f| name(f).starts_with(beginning))
        .collect()
}

#[test]
fn damaged_checkpoints_are_set_aside_and_made_again() {
    let damages: [(&str, fn(&Path)); 4] = [
        ("truncated", truncate),
        ("flipped", flip),
        ("removed", remove),
        ("emptied", empty),
    ];
    let expected = Bench::new(ROWS).undisturbed();
    for (i, beginning) in [
        "checkpoint_op_0007",
        "checkpoint_op_0003",
        "keys_op_0004",
        "mask_op_0004",
        "checkpoint",
    ]
    .into_iter()
    .enumerate()
    {
        for (what, damage) in damages {
            let (format, compression) = [
                ("parquet", "snappy"),
                ("arrow", "none"),
                ("jsonl", "none"),
                ("jsonl", "zstd"),
            ][i % 4];
            let bench = Bench::new(ROWS)
                .with("format", format)
                .with("compression", compression);
            nearly_done(&bench);
            let found = of(&bench, beginning);
            assert!(found.len() >= 8, "{found:?}");
            // The data or the manifest of each partition, in turn.
            found.iter().skip(i % 2).step_by(3).for_each(|f| damage(f));
            let output = bench.run(&[]);
            assert!(
                output.status.success(),
                "{beginning} {what}: {}",
                text(&output.stderr)
            );
            assert_eq!(bench.result(), expected, "{beginning} {what}");
            let discarded = bench.events().of("checkpoint_discarded").len();
            if what != "removed" {
                assert!(discarded > 0, "{beginning} {what}");
                assert!(
                    text(&output.stderr).contains("not used, set aside"),
                    "{beginning} {what}: {}",
                    text(&output.stderr)
                );
                assert!(!files(&bench.run_dir().join("checkpoints/discarded")).is_empty());
            }
        }
    }
}

/// Removes the rows after these ops.
fn remove_rows(bench: &Bench, ops: std::ops::Range<usize>) {
    let found = ops.flat_map(|op| of(bench, &format!("checkpoint_op_{op:04}")));
    found.for_each(|f| remove(&f));
}

/// Nobody reads what is not needed, and what is read is checked by whoever reads it, in the middle of
/// the attempt: by tasks, at the barrier, and before the export.
#[test]
fn damaged_data_is_found_by_whoever_reads_it() {
    let is_data = |f: &PathBuf| !name(f).contains("manifest");
    let flip_data = |bench: &Bench, beginning: &str, step: usize| {
        let found = of(bench, beginning);
        let data = found.iter().filter(|f| is_data(f)).step_by(step);
        data.for_each(|f| flip(f));
    };
    let expected = Bench::new(ROWS).undisturbed();
    type Damage<'a> = &'a dyn Fn(&Bench);
    let damages: [(&str, Damage<'_>, bool); 6] = [
        ("rows", &|b| flip_data(b, "checkpoint_op_0007", 2), true),
        ("all", &|b| flip_data(b, "", 1), true),
        (
            "keys",
            &|b| {
                of(b, "mask").iter().for_each(|f| remove(f));
                remove_rows(b, 5..8);
                flip_data(b, "keys", 3);
            },
            true,
        ),
        (
            "masks",
            &|b| {
                remove_rows(b, 5..8);
                flip_data(b, "mask", 1);
            },
            true,
        ),
        ("unread", &|b| flip_data(b, "checkpoint_op_0003", 1), false),
        ("none", &|_| (), false),
    ];
    for processes in ["0", "2"] {
        for (what, damage, is_found) in &damages {
            let bench = Bench::new(ROWS).with("worker_processes", processes);
            nearly_done(&bench);
            damage(&bench);
            let events = bench.ok(&[]);
            assert!(bench.result() == expected, "{what}, {processes}");
            let discarded = events.of("checkpoint_discarded").len();
            assert_eq!(discarded > 0, *is_found, "{what}, {processes}: {discarded}");
        }
        let bench = Bench::new(ROWS).with("worker_processes", processes);
        assert!(killed(&bench.run_with_fault("kill@event:export_start:1")));
        let parts = files(&bench.run_dir().join("parts"));
        let data: Vec<_> = parts.iter().filter(|f| is_data(f)).step_by(2).collect();
        assert_eq!(data.len(), 2);
        data.iter().for_each(|f| flip(f));
        let events = bench.ok(&[]);
        assert!(bench.result() == expected, "parts, {processes}");
        let done = events.of("partition_complete");
        let again = done.iter().filter(|e| e["taken_over"] != true);
        assert_eq!(again.count(), 2, "{done:?}");
    }
}

/// Of a grouper's rows the keys of all partitions are made again.
#[test]
fn damaged_rows_of_groups_are_made_again() {
    let groups = "key_value_grouper: {group_by_keys: [__dj__stats__.num_words]}";
    for beginning in ["checkpoint_op_0006", "checkpoint", ""] {
        let mut bench = Bench::new(ROWS);
        bench.ops.insert(5, groups.into());
        bench.ops.insert(6, "naive_reverse_grouper:".into());
        let expected = bench.undisturbed();
        nearly_done(&bench);
        remove_rows(&bench, 7..10);
        let found = of(&bench, beginning);
        let data: Vec<_> = found
            .iter()
            .filter(|f| !name(f).contains("manifest") && fs::metadata(f).unwrap().len() > 0)
            .collect();
        assert!(!data.is_empty(), "{found:?}");
        data.iter().for_each(|f| flip(f));
        let events = bench.ok(&[]);
        assert!(bench.result() == expected, "{beginning}");
        assert!(!events.of("checkpoint_discarded").is_empty());
    }
}

#[test]
fn all_keys_and_some_masks_gone() {
    let bench = Bench::new(ROWS);
    nearly_done(&bench);
    of(&bench, "keys").iter().skip(2).for_each(|f| remove(f));
    of(&bench, "mask").iter().take(2).for_each(|f| remove(f));
    bench.ok(&[]);
    assert_eq!(bench.result(), bench.undisturbed());
}

#[test]
fn checkpoints_of_another_job_are_not_taken() {
    let mut other = Bench::new(ROWS);
    other.ops[0] = "clean_links_mapper:".into();
    nearly_done(&other);
    let bench = Bench::new(ROWS);
    nearly_done(&bench);
    for file in of(&other, "checkpoint") {
        fs::copy(&file, bench.run_dir().join("checkpoints").join(name(&file))).unwrap();
    }
    let events = bench.ok(&[]);
    assert!(events.of("checkpoint_discarded").len() >= 20);
    assert_eq!(bench.result(), bench.undisturbed());
}

#[test]
fn checkpoints_of_one_partition_under_the_name_of_another_are_not_taken() {
    let bench = Bench::new(ROWS);
    nearly_done(&bench);
    for file in of(&bench, "checkpoint_op_0007_partition_0001") {
        let as_if = name(&file).replace("partition_0001", "partition_0002");
        fs::copy(&file, file.with_file_name(as_if)).unwrap();
    }
    assert!(!bench.ok(&[]).of("checkpoint_discarded").is_empty());
    assert_eq!(bench.result(), bench.undisturbed());
}

#[test]
fn damaged_parts_and_tables_are_made_again() {
    let damages: [fn(&Path); 4] = [truncate, flip, remove, empty];
    let expected = Bench::new(ROWS).undisturbed();
    for damage in damages {
        let bench = Bench::new(ROWS);
        assert!(killed(&bench.run_with_fault("kill@event:export_start:1")));
        for dir in ["parts", "partitions", "metadata", "quarantine"] {
            // Quarantine is not part of the computation; only people read it.
            if dir != "quarantine" {
                files(&bench.run_dir().join(dir))
                    .iter()
                    .step_by(2)
                    .for_each(|f| damage(f));
            }
        }
        damage(&bench.run_dir().join("job_summary.json"));
        bench.ok(&[]);
        assert_eq!(bench.result(), expected);
    }
}
