//! Something changes between two attempts: the recipe, the input, a plugin, the settings. The job
//! reuses what still fits, and its result equals that of a fresh run of the changed job.

use std::fs;
use std::path::Path;

use super::bench::{Bench, OPS, lines, text};

const ROWS: usize = 600;

/// A job killed right before its export: everything else is done.
fn nearly_done(bench: &Bench) {
    let output = bench.run_with_fault("kill@event:export_start:1");
    assert!(super::bench::killed(&output), "{}", text(&output.stderr));
}

#[track_caller]
fn assert_as_fresh(bench: &Bench) {
    assert_eq!(bench.result(), bench.undisturbed(), "{}", bench.recipe());
}

#[test]
fn nothing_changed_nothing_is_redone() {
    let bench = Bench::new(ROWS);
    nearly_done(&bench);
    let events = bench.ok(&[]);
    assert_eq!(events.ops(), [0; 0]);
    assert_eq!(events.of("partition_start").len(), 0);
    assert_as_fresh(&bench);
}

#[test]
fn a_finished_job_says_so_and_does_nothing() {
    let bench = Bench::new(ROWS);
    bench.ok(&[]);
    let before = (
        bench.result(),
        fs::metadata(bench.export()).unwrap().modified().unwrap(),
    );
    for args in [&[][..], &["--partition.num_of_partitions", "7"]] {
        let output = bench.run(args);
        assert_eq!(output.status.code(), Some(0));
        assert!(
            text(&output.stderr).contains("complete already"),
            "{}",
            text(&output.stderr)
        );
        assert_eq!(
            (
                bench.result(),
                fs::metadata(bench.export()).unwrap().modified().unwrap()
            ),
            before
        );
        assert_eq!(bench.attempts(), 1, "it makes no attempt");
    }
    // So there is no moment for a kill.
    assert!(
        bench
            .run_with_fault("kill@event:job_start:1")
            .status
            .success()
    );
    assert_eq!(bench.attempts(), 1);
    let fresh = bench.ok(&["--fresh"]);
    assert_eq!(fresh.ops(), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(
        fresh.0[0]["is_resuming"], false,
        "the attempts before are forgotten"
    );
    assert_eq!(bench.result(), before.0);
}

#[test]
fn an_export_that_has_gone_is_written_again() {
    let bench = Bench::new(ROWS);
    bench.ok(&[]);
    fs::remove_file(bench.export()).unwrap();
    bench.ok(&[]);
    assert_as_fresh(&bench);
}

#[test]
fn comments_and_the_order_of_keys_do_not_matter() {
    let mut bench = Bench::new(ROWS).with("project_name", "one");
    bench.ops[6] = "alphanumeric_filter: {min_ratio: 0.3, max_ratio: 0.95}".into();
    nearly_done(&bench);
    bench.ops[6] = "alphanumeric_filter: {max_ratio: 0.95, min_ratio: 0.30} # as before".into();
    bench.set("project_name", "two # another name");
    assert_eq!(bench.ok(&[]).ops(), [0; 0]);
    assert_as_fresh(&bench);
}

#[test]
fn edited_parameters_redo_the_op_and_what_follows() {
    for (op, edited) in [
        (2, "text_length_filter: {min_len: 40}"),
        (6, "alphanumeric_filter: {min_ratio: 0.6}"),
        (7, "maximum_line_length_filter: {max_len: 45}"),
    ] {
        let mut bench = Bench::new(ROWS);
        nearly_done(&bench);
        bench.ops[op] = edited.into();
        let events = bench.ok(&[]);
        // The deduplicator's keys are made again only if its input changed.
        let redone: Vec<u64> = (op as u64..8).collect();
        assert_eq!(events.ops(), redone, "{edited}");
        let loaded: Vec<u64> = events
            .of("checkpoint_load")
            .iter()
            .map(|e| e["operation_idx"].as_u64().unwrap())
            .collect();
        assert!(
            loaded.iter().all(|at| *at + 1 >= op as u64 || *at >= 3),
            "{loaded:?}"
        );
        assert!(loaded.contains(&(op as u64 - 1)), "{loaded:?}");
        assert!(!events.of("checkpoint_discarded").is_empty());
        assert_as_fresh(&bench);
    }
}

#[test]
fn the_deduplicator_edited_keeps_the_rows_before_it() {
    let mut bench = Bench::new(ROWS);
    nearly_done(&bench);
    bench.ops[4] = "document_deduplicator: {lowercase: false}".into();
    assert_eq!(bench.ok(&[]).ops(), [4, 5, 6, 7]);
    assert_as_fresh(&bench);
}

#[test]
fn ops_inserted_removed_reordered() {
    let changes: [(&str, &dyn Fn(&mut Vec<String>), &[u64]); 5] = [
        (
            "inserted",
            &|ops| ops.insert(3, "average_line_length_filter: {min_len: 5}".into()),
            &[3, 4, 5, 6, 7, 8],
        ),
        ("removed", &|ops| drop(ops.remove(5)), &[5, 6]),
        ("the last removed", &|ops| drop(ops.pop()), &[]),
        (
            "the deduplicator removed",
            &|ops| drop(ops.remove(4)),
            &[4, 5, 6],
        ),
        ("reordered", &|ops| ops.swap(5, 6), &[5, 6, 7]),
    ];
    for (what, change, redone) in changes {
        let mut bench = Bench::new(ROWS);
        nearly_done(&bench);
        change(&mut bench.ops);
        assert_eq!(bench.ok(&[]).ops(), redone, "{what}");
        assert_as_fresh(&bench);
    }
}

#[test]
fn changed_and_changed_back() {
    let mut bench = Bench::new(ROWS);
    bench.ok(&[]);
    let before = bench.result();
    bench.ops[6] = "alphanumeric_filter: {min_ratio: 0.6}".into();
    nearly_done(&bench);
    bench.ops[6] = OPS[6].into();
    bench.ok(&[]);
    assert_eq!(bench.result(), before);
}

/// A copy of the component with a section that no program reads: the same code, another build.
fn rebuild(from: &Path, to: &Path) {
    let mut bytes = fs::read(from).unwrap();
    let body = [&[5][..], b"build", b" two"].concat();
    bytes.push(0);
    bytes.push(body.len() as u8);
    bytes.extend(body);
    fs::write(to, bytes).unwrap();
}

#[test]
fn a_plugin_replaced_by_another_build_redoes_its_ops() {
    let packs = crate::harness::directory();
    let pack = packs.path().join("mappers.wasm");
    let builtin = djhost_builtin_ops::packs()
        .find(|p| p.name.contains("mappers"))
        .unwrap();
    fs::write(&pack, builtin.component).unwrap();
    let mut bench = Bench::new(ROWS)
        .with("plugins", &format!("[{}]", packs.path().display()))
        // It is another build of a built-in operator, under its name.
        .with("allow_override", "[clean_links_mapper]");
    // Only one op of the pack, after the deduplicator.
    bench.ops.drain(0..2);
    nearly_done(&bench);
    rebuild(&pack, &packs.path().join("other"));
    fs::rename(packs.path().join("other"), &pack).unwrap();
    assert_eq!(bench.ok(&[]).ops(), [3, 4, 5]);
    assert_as_fresh(&bench);
}

#[test]
fn rows_appended_redo_only_the_end() {
    for partition in [
        "{mode: manual, num_of_partitions: 4}",
        "{mode: manual, size: 150}",
        "{mode: auto, target_size_mb: 1}",
    ] {
        for strategy in ["every_op", "disabled"] {
            let bench = Bench::new(ROWS)
                .with("partition", partition)
                .with("strategy", strategy);
            nearly_done(&bench);
            let partitions = bench.events().of("partitions_planned")[0]["total_partitions"]
                .as_u64()
                .unwrap();
            let mut data = bench.data();
            data.extend(lines(ROWS..ROWS + 60));
            bench.write_data(&data);
            let events = bench.ok(&[]);
            if partitions > 1 {
                let redone = events.partitions_from_the_input();
                assert!(
                    !redone.is_empty() && redone.iter().all(|p| *p + 1 >= partitions),
                    "{partition}: {redone:?} of {partitions}"
                );
            }
            assert_as_fresh(&bench);
        }
    }
}

#[test]
fn a_row_changed_in_place_redoes_its_partition() {
    let bench = Bench::new(ROWS);
    nearly_done(&bench);
    let mut data = bench.data();
    // In the third quarter, keeping the length.
    let at = data.len() * 5 / 8;
    let word = data[at..].windows(5).position(|w| w == b"quick").unwrap() + at;
    data[word..word + 5].copy_from_slice(b"slow!");
    bench.write_data(&data);
    assert_eq!(bench.ok(&[]).partitions_from_the_input(), [2]);
    assert_as_fresh(&bench);
}

#[test]
fn rows_removed_and_inserted_redo_what_lies_behind() {
    let bench = Bench::new(ROWS);
    nearly_done(&bench);
    let data = bench.data();
    let line = |at: usize| data[at..].iter().position(|b| *b == b'\n').unwrap() + at + 1;
    let (from, to) = (line(data.len() * 5 / 8), line(data.len() * 5 / 8 + 300));
    bench.write_data([&data[..from], &data[to..]].concat());
    assert_eq!(bench.ok(&[]).partitions_from_the_input(), [2, 3]);
    assert_as_fresh(&bench);
    bench.write_data([&data[..from], &lines(5000..5004), &data[from..]].concat());
    bench.ok(&[]);
    assert_as_fresh(&bench);
}

#[test]
fn a_touched_input_is_not_read_again() {
    let bench = Bench::new(ROWS);
    nearly_done(&bench);
    bench.write_data(bench.data());
    assert_eq!(bench.ok(&[]).ops(), [0; 0]);
    // The same for a finished job.
    bench.write_data(bench.data());
    assert!(text(&bench.run(&[]).stderr).contains("complete already"));
    assert_as_fresh(&bench);
}

#[test]
fn files_added_and_removed() {
    let mut bench = Bench::new(ROWS);
    fs::write(bench.path("more.jsonl"), lines(ROWS..ROWS + 100)).unwrap();
    bench.set("dataset_path", "[data.jsonl, more.jsonl]");
    nearly_done(&bench);
    fs::write(bench.path("most.jsonl"), lines(ROWS + 100..ROWS + 140)).unwrap();
    bench.set("dataset_path", "[data.jsonl, more.jsonl, most.jsonl]");
    let redone = bench.ok(&[]).partitions_from_the_input();
    assert_eq!(redone, [3]);
    assert_as_fresh(&bench);
    bench.set("dataset_path", "[data.jsonl, most.jsonl]");
    bench.ok(&[]);
    assert_as_fresh(&bench);
}

#[test]
fn a_packed_input_is_unpacked_once_and_again_where_it_changed() {
    use std::io::Write;
    let pack = |bench: &Bench, bytes: &[u8]| {
        let mut out = flate2::write::GzEncoder::new(
            fs::File::create(bench.path("data.jsonl.gz")).unwrap(),
            flate2::Compression::fast(),
        );
        out.write_all(bytes).unwrap();
        out.finish().unwrap();
    };
    let bench = Bench::new(ROWS).with("dataset_path", "data.jsonl.gz");
    let data = bench.data();
    pack(&bench, &data);
    nearly_done(&bench);
    assert_eq!(bench.ok(&[]).ops(), [0; 0]);
    assert_as_fresh(&bench);
    pack(&bench, &[&data[..], &lines(ROWS..ROWS + 40)].concat());
    assert_eq!(bench.ok(&[]).partitions_from_the_input(), [3]);
    assert_as_fresh(&bench);
}

#[test]
fn strategies_and_storage_may_change_between_attempts() {
    let changes = [
        ("disabled", "jsonl", "gzip"),
        ("every_op", "arrow", "zstd"),
        ("manual", "parquet", "none"),
        ("every_n_ops", "arrow", "none"),
        ("adaptive", "jsonl", "none"),
    ];
    let mut bench = Bench::new(ROWS);
    let expected = bench.undisturbed();
    for (i, (strategy, format, compression)) in changes.into_iter().enumerate() {
        bench.set("strategy", strategy);
        bench.set("format", format);
        bench.set("compression", compression);
        bench.run_with_fault(&format!("kill@event:op_complete:{}", 3 + i * 5));
        bench.assert_export_whole(&expected.export);
    }
    bench.ok(&[]);
    assert_eq!(bench.result(), expected);
}

#[test]
fn partition_settings_may_change_between_attempts() {
    let mut bench = Bench::new(ROWS);
    let expected = bench.undisturbed();
    for partition in [
        "{mode: manual, num_of_partitions: 7}",
        "{mode: manual, size: 100}",
        "{mode: manual, num_of_partitions: 2}",
        "{mode: auto}",
        "{mode: manual, num_of_partitions: 5000}",
    ] {
        bench.run_with_fault("kill@event:checkpoint_save:5");
        bench.set("partition", partition);
        if partition.contains("5000") {
            bench.set("strategy", "disabled");
            bench.set("partition", "{mode: manual, num_of_partitions: 300}");
        }
    }
    bench.ok(&[]);
    assert_eq!(bench.result(), expected);
}

#[test]
fn the_first_partitions_of_another_cut_are_used_again() {
    // Twice as many partitions of half the size: none is the same. The same size under another
    // name: all are.
    let mut bench = Bench::new(ROWS).with("partition", "{mode: manual, size: 200}");
    nearly_done(&bench);
    bench.set("partition", "{mode: manual, size: 200, target_size_mb: 77}");
    assert_eq!(bench.ok(&[]).ops(), [0; 0]);
    assert_as_fresh(&bench);
}

#[test]
fn a_job_that_does_not_exist_cannot_be_resumed() {
    let bench = Bench::new(10);
    let mut command = bench.command(&[]);
    command.args(["--resume", "nosuchjob"]);
    // A bench passes `--job_id` with every command, so here the two contradict each other, too.
    let both = command.output().unwrap();
    assert_eq!(both.status.code(), Some(2), "{}", text(&both.stderr));
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_djhost"))
        .args(["run", "recipe.yaml", "--resume", "nosuchjob"])
        .current_dir(bench.path(""))
        .env("XDG_STATE_HOME", bench.path("state"))
        .env("DJHOST_CACHE_DIR", crate::harness::cache())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("there is no job `nosuchjob`"),
        "{}",
        text(&output.stderr)
    );
    assert!(
        !bench.path("outputs/nosuchjob").exists(),
        "nothing is left of it"
    );
}

#[test]
fn of_two_runs_at_once_the_second_is_told_who_holds_the_job() {
    let bench = Bench::new(600).with("np", "1");
    // The first ends when the second has.
    let go_on = bench.path("go_on");
    let hold = format!("hold@disk:rename:parts/:{}", go_on.display());
    let mut first = bench
        .command(&[])
        .env(djhost::testing::fault::VARIABLE, hold)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while super::bench::Events::of(&bench.events(), "partition_start").is_empty() {
        assert!(
            first.try_wait().unwrap().is_none(),
            "the first run ends too early"
        );
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let second = bench.run(&[]);
    assert_eq!(second.status.code(), Some(2), "{}", text(&second.stderr));
    assert!(
        text(&second.stderr).contains(&format!("already run by process {}", first.id())),
        "{}",
        text(&second.stderr)
    );
    fs::write(go_on, "").unwrap();
    assert!(first.wait().unwrap().success());
    bench.result();
}
