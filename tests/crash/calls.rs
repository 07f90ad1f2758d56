//! Every call of the storage, for every kind of file that djhost writes and reads again: killed
//! there, failed there, and on a disk that is full from there on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;

use super::bench::{Bench, Result, files, killed, lines, name, text};
use super::kills::asked;
use crate::harness::guest::build;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Checkpoint,
    Input,
    Part,
    Export,
    Cache,
    Quarantine,
    Document,
}

impl Kind {
    /// By the path of a call, relative to the bench.
    fn of(path: &str) -> Self {
        let is_in = |dir: &str| path.ends_with(dir) || path.contains(&format!("{dir}/"));
        if path.starts_with("/proc/self/fd/") {
            Self::Cache
        } else if is_in("job/checkpoints") {
            Self::Checkpoint
        } else if is_in("job/parts") {
            Self::Part
        } else if is_in("job/quarantine") {
            Self::Quarantine
        } else if is_in("job/partitions") && !path.contains("partitions.json") {
            Self::Input
        } else if path.starts_with("outputs") && !is_in("outputs/job") {
            Self::Export
        } else {
            Self::Document
        }
    }
}

/// One call, as a fault names it: the `number`-th of this operation on a path with `place` in it.
#[derive(Debug, Clone)]
struct Call {
    kind: Kind,
    operation: String,
    place: String,
    number: usize,
}

impl Call {
    fn fault(&self, what: &str) -> String {
        format!(
            "{what}@disk:{}:{}:{}",
            self.operation, self.place, self.number
        )
    }
}

/// What a path is called in every run: unfinished files have numbers in their names.
fn place(path: &str) -> String {
    let (dir, file) = path.rsplit_once('/').unwrap_or(("", path));
    let known = if let Some(file) = file.strip_suffix(".tmp") {
        file.rsplitn(3, '.').nth(2).unwrap()
    } else if let Some((file, _)) = file.split_once(".partial-") {
        file
    } else {
        return path.to_owned();
    };
    if path.starts_with("/proc") {
        known.to_owned()
    } else {
        format!("{dir}/{known}.")
    }
}

/// The calls of an undisturbed run of the bench.
fn calls(bench: &Bench) -> Vec<Call> {
    let list = bench.path("calls.txt");
    let output = bench.run_with_fault(&format!("list@{}", list.display()));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let root = format!(
        "{}/",
        bench.path("").display().to_string().trim_end_matches('/')
    );
    let text = fs::read_to_string(&list).unwrap();
    fs::remove_file(list).unwrap();
    let made: Vec<(&str, &str)> = text
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .map(|(operation, path)| (operation, path.strip_prefix(&root).unwrap_or(path)))
        .collect();
    let number = |i: usize, place: &str| {
        let before = made[..=i].iter();
        before
            .filter(|(operation, path)| *operation == made[i].0 && path.contains(place))
            .count()
    };
    (0..made.len())
        .map(|i| {
            let place = place(made[i].1);
            Call {
                kind: Kind::of(made[i].1),
                operation: made[i].0.to_owned(),
                number: number(i, &place),
                place,
            }
        })
        .collect()
}

/// Of each kind and operation the first call and the last; all of them where kills are asked for.
fn chosen(all: &[Call]) -> Vec<Call> {
    if asked() > 0 {
        return all.to_vec();
    }
    let mut groups: BTreeMap<(Kind, &str), Vec<&Call>> = BTreeMap::new();
    for call in all {
        groups
            .entry((call.kind, &call.operation))
            .or_default()
            .push(call);
    }
    let ends = |group: &Vec<&Call>| BTreeSet::from([0, group.len() - 1]).into_iter();
    let chosen = groups
        .values()
        .flat_map(|group| ends(group).map(|i| group[i].clone()));
    chosen.collect()
}

/// Jobs that write all kinds of files, in all ways in which they are written.
fn benches() -> [Bench; 3] {
    let bench = |rows: usize| {
        let mut bench = Bench::new(rows)
            .with("np", "1")
            .with("task_retries", "0")
            .with("partition", "{mode: manual, num_of_partitions: 2}");
        bench.ops = [0, 2, 4].map(|i| bench.ops[i].clone()).to_vec();
        bench
    };
    // An archive that is unpacked as it is, and an array of which the lines are noted.
    let packed = |bench: Bench| {
        let file = fs::File::create(bench.path("data.jsonl.gz")).unwrap();
        let mut packer = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        packer.write_all(&lines(0..120)).unwrap();
        packer.finish().unwrap();
        let rows = (0..40).map(|i| format!("{{\"text\": \"row {i} of an array of rows\"}}"));
        let rows = rows.collect::<Vec<_>>().join(",\n");
        fs::write(bench.path("more.json"), format!("[{rows}]\n")).unwrap();
        bench.with("dataset_path", "[data.jsonl.gz, more.json]")
    };
    let table = {
        let bench = bench(120).with("export_path", "outputs/out.parquet");
        bench.ok(&[]);
        fs::copy(bench.export(), bench.path("table.parquet")).unwrap();
        fs::remove_dir_all(bench.path("outputs")).unwrap();
        bench
    };
    [
        packed(bench(1)),
        packed(bench(1))
            .with("export_path", "outputs/out.parquet")
            .with("export_shard_size", "4KB")
            .with("format", "jsonl")
            .with("compression", "zstd"),
        // Columns from end to end.
        table
            .with("dataset_path", "table.parquet")
            .with("format", "arrow")
            .with("compression", "none"),
    ]
}

fn kinds(all: &[Call]) -> BTreeMap<Kind, BTreeSet<&str>> {
    let mut found: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for call in all {
        found
            .entry(call.kind)
            .or_default()
            .insert(call.operation.as_str());
    }
    found
}

/// Each file beside the export is one of the undisturbed run, whole.
fn assert_whole(bench: &Bench, expected: &[(String, Vec<u8>)], call: &Call) {
    for found in bench.exported() {
        assert!(
            found.0.starts_with('.') || expected.contains(&found),
            "{call:?}: `{}` is not whole",
            found.0
        );
    }
}

/// After the bench has gone on to its end.
fn assert_done(bench: &Bench, expected: &Result, files: &[(String, Vec<u8>)], call: &Call) {
    bench.ok(&[]);
    assert_eq!(&bench.result(), expected, "{call:?}");
    assert!(bench.exported() == files, "{call:?}: other files");
    assert_eq!(
        bench.unfinished(),
        Vec::<std::path::PathBuf>::new(),
        "{call:?}"
    );
}

fn fresh(bench: &Bench) {
    for dir in ["outputs", "state"] {
        let _ = fs::remove_dir_all(bench.path(dir));
    }
}

fn killed_at_each(bench: &Bench, least: &[Kind]) {
    bench.ok(&[]);
    let (expected, exported) = (bench.result(), bench.exported());
    fresh(bench);
    let all = calls(bench);
    let found = kinds(&all);
    for kind in least {
        for operation in ["create", "write", "sync", "rename", "sync_dir"] {
            assert!(found[kind].contains(operation), "{kind:?}: {found:?}");
        }
    }
    let (mut kills, chosen) = (0, chosen(&all));
    for call in &chosen {
        fresh(bench);
        let output = bench.run_with_fault(&call.fault("kill"));
        // Of the partitions' states as many are noted as the time allows.
        assert!(
            killed(&output) || call.place.contains("dataset_mapping"),
            "{call:?}: {}",
            text(&output.stderr)
        );
        kills += usize::from(killed(&output));
        assert_whole(bench, &exported, call);
        // What is registered of jobs stays for others to see.
        let _ = fs::remove_dir_all(bench.path("state"));
        assert_done(bench, &expected, &exported, call);
    }
    assert!(
        10 * kills >= 9 * chosen.len() && kills > 30,
        "{kills} kills of {}",
        chosen.len()
    );
}

#[test]
fn killed_at_each_call_with_unpacked_inputs() {
    use Kind::{Checkpoint, Document, Export, Input, Part, Quarantine};
    let [bench, ..] = benches();
    killed_at_each(
        &bench,
        &[Checkpoint, Input, Part, Export, Quarantine, Document],
    );
}

#[test]
fn killed_at_each_call_with_shards_of_columns() {
    use Kind::{Checkpoint, Document, Export, Input, Part, Quarantine};
    let [_, bench, _] = benches();
    killed_at_each(
        &bench,
        &[Checkpoint, Input, Part, Export, Quarantine, Document],
    );
    assert!(bench.exported().len() > 2, "no shards");
}

#[test]
fn killed_at_each_call_with_columns_from_end_to_end() {
    use Kind::{Checkpoint, Document, Export, Part};
    let [.., bench] = benches();
    killed_at_each(&bench, &[Checkpoint, Part, Export, Document]);
}

/// An error names the file and says what is wrong with the disk; nothing unfinished stays.
#[test]
fn failing_and_full_disks_are_told_for_each_kind_of_file() {
    for (i, bench) in benches().into_iter().enumerate() {
        bench.ok(&[]);
        let (expected, exported) = (bench.result(), bench.exported());
        fresh(&bench);
        let all = calls(&bench);
        let mut firsts: BTreeMap<(Kind, &str, &str), &Call> = BTreeMap::new();
        for call in &all {
            // Each document is another one; what the jobs have in common is met once.
            let which = match call.kind {
                Kind::Document => call.place.as_str(),
                _ => "",
            };
            if i == 0 || matches!(call.kind, Kind::Part | Kind::Export) {
                let key = (call.kind, call.operation.as_str(), which);
                firsts.entry(key).or_insert(call);
            }
        }
        for call in firsts.values() {
            // A full disk refuses what takes room. `DJHOST_TEST_KILLS` asks for the others, too.
            let takes_room = matches!(call.operation.as_str(), "create" | "write");
            let faults = [("fail", "on purpose"), ("full", "No space left on device")];
            for (what, said) in &faults[..1 + usize::from(takes_room || asked() > 0)] {
                fresh(&bench);
                let output = bench.run_with_fault(&call.fault(what));
                let stderr = text(&output.stderr);
                assert!(!stderr.contains("panicked"), "{what} {call:?}: {stderr}");
                assert_whole(&bench, &exported, call);
                if output.status.success() {
                    // Only what tells how far things are, and what cleans up.
                    assert!(
                        call.kind == Kind::Document || call.operation == "remove",
                        "{what} {call:?}: {stderr}"
                    );
                    assert_eq!(bench.result(), expected, "{what} {call:?}");
                } else {
                    assert_eq!(output.status.code(), Some(1), "{what} {call:?}: {stderr}");
                    // A new file may be named as it is called by now, or as it will be.
                    let file = name(Path::new(call.place.trim_end_matches('.')));
                    let file = match call.kind {
                        Kind::Export => "`outputs",
                        _ => file.trim_start_matches('.'),
                    };
                    assert!(
                        stderr.contains(said) && stderr.contains(file),
                        "{what} {call:?}: {stderr}"
                    );
                    if call.operation != "remove" {
                        assert!(bench.unfinished().is_empty(), "{what} {call:?}");
                    }
                }
                assert_done(&bench, &expected, &exported, call);
            }
        }
        // The whole disk: whatever comes first is told, and nothing else.
        for call in [2, all.len() / 3, all.len() / 2, all.len() - 8] {
            fresh(&bench);
            let output = bench.run_with_fault(&format!("full@disk:{call}"));
            let stderr = text(&output.stderr);
            assert!(
                !stderr.contains("panicked")
                    && (output.status.success()
                        || output.status.code() == Some(1)
                            && stderr.contains("No space left on device")),
                "call {call}: {stderr}"
            );
            bench.ok(&[]);
            assert_eq!(bench.result(), expected, "call {call}");
        }
    }
}

/// A mistake in djhost itself, wherever it shows, ends the job in words (a task is tried again first, where the recipe says so).
#[test]
fn a_panic_loses_nothing() {
    let [bench, ..] = benches();
    bench.ok(&[]);
    let expected = bench.result();
    for place in [
        "rename:checkpoint_op:1",
        "create:job_summary:1",
        "rename:dataset_mapping:1",
        "rename:outputs/out:1",
    ] {
        fresh(&bench);
        let output = bench.run_with_fault(&format!("panic@disk:{place}"));
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{place}: {stderr}");
        assert!(stderr.contains("internal error"), "{place}: {stderr}");
        bench.ok(&[]);
        assert_eq!(bench.result(), expected, "{place}");
    }
}

/// What a killed attempt leaves beside the export goes away, whatever kills that.
#[test]
fn killed_while_it_removes_what_was_left() {
    for (i, bench) in benches().into_iter().enumerate() {
        bench.ok(&[]);
        let (expected, exported) = (bench.result(), bench.exported());
        fresh(&bench);
        assert!(killed(
            &bench.run_with_fault("kill@disk:rename:outputs/out:1")
        ));
        assert!(!bench.unfinished().is_empty(), "{i}: nothing was left");
        assert!(killed(
            &bench.run_with_fault("kill@disk:remove:outputs/.out:1")
        ));
        bench.ok(&[]);
        assert_eq!(bench.result(), expected);
        // Shards of another size go, too.
        let shards = exported.len() > 1;
        let mut other = bench.with("export_shard_size", if shards { "1GB" } else { "0" });
        if shards {
            assert!(killed(
                &other.run_with_fault("kill@disk:remove:outputs/out:1")
            ));
            other.ok(&[]);
            assert_eq!(other.exported().len(), 1);
            other.set("export_shard_size", "4KB");
            other.ok(&[]);
            assert!(other.exported() == exported);
        }
    }
}

/// A cache that cannot be written costs time, nothing else; what a kill leaves there is not used.
#[test]
fn a_cache_of_compiled_components_may_fail_at_each_call() {
    let mut bench = Bench::new(40).with("np", "1").with("plugins", "old.wasm");
    // The smallest component that there is: it is compiled again and again.
    fs::copy(
        build("tests/old-plugins/v0.1", "old-plugin"),
        bench.path("old.wasm"),
    )
    .unwrap();
    bench.ops = vec!["old_lower_mapper:".into()];
    let expected = bench.undisturbed();
    let cache = bench.path("cache");
    let run = |fault: Option<&str>| {
        fresh(&bench);
        let mut command = bench.command(&[]);
        command.env("DJHOST_CACHE_DIR", &cache);
        command.envs(fault.map(|fault| (djhost::testing::fault::VARIABLE, fault)));
        command.output().unwrap()
    };
    let compiled = || {
        let mut found = files(&cache.join("components"));
        found.retain(|file| !name(file).starts_with('.'));
        found.len()
    };
    let faulted = |what: &str, operation: &str, number: usize| {
        let output = run(Some(&format!("{what}@disk:{operation}:.cwasm:{number}")));
        let stderr = text(&output.stderr);
        assert_eq!(compiled(), 0, "{what} {operation}: the fault did not come");
        if what == "kill" {
            assert!(killed(&output), "{operation}: {stderr}");
        } else {
            assert!(output.status.success(), "{what} {operation}: {stderr}");
            assert_eq!(bench.result(), expected, "{what} {operation}");
            assert!(files(&cache.join("components")).is_empty());
        }
    };
    let compiles = || {
        let output = run(None);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(bench.result(), expected);
        assert_eq!(compiled(), 1);
    };
    for (operation, number) in [("write", 2), ("rename", 1)] {
        faulted("kill", operation, number);
        compiles();
        fs::remove_dir_all(&cache).unwrap();
    }
    // These leave nothing.
    for (what, operation, number) in [
        ("fail", "create", 1),
        ("fail", "write", 1),
        ("full", "write", 2),
        ("fail", "rename", 1),
    ] {
        faulted(what, operation, number);
    }
    compiles();
}
