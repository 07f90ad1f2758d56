//! Unpacked inputs and exports on a disk that fails, or loses power, at any call.

use super::*;
use crate::testing::faulty_disk::{Fault, FaultyDisk};
use std::sync::Arc;

const FAULTS: [Fault; 3] = [Fault::Fail, Fault::CutPower, Fault::CutPowerKeepNames];

/// Calls `act` on a disk over `dir`, which `prepare` has made anew, once for each call of it at
/// which something can happen, and once undisturbed; then `check` with whether it said that all was
/// well.
fn at_every_call(
    prepare: impl Fn() -> TempDir,
    act: impl Fn(&Path, &Storage) -> Result<()>,
    check: impl Fn(&Path, bool, &str),
) {
    for fault in FAULTS {
        for call in 0.. {
            let dir = prepare();
            let root = dir.path().join("disk");
            let disk = FaultyDisk::new(&root, Some((call, fault))).unwrap();
            let done = act(&root, &Storage::on(Arc::new(disk.clone())));
            if fault != Fault::Fail {
                disk.restart().unwrap();
            } else if done.is_err() {
                let left = fs::read_dir(&root)
                    .unwrap()
                    .map(|e| name(&e.unwrap().path()));
                let left: Vec<String> = left.filter(|name| name.starts_with('.')).collect();
                assert!(left.is_empty(), "call {call}: {left:?}");
            }
            check(&root, done.is_ok(), &format!("{fault:?} at call {call}"));
            if disk.calls() <= call {
                assert!(call >= 5, "the fault never happened");
                break;
            }
        }
    }
}

#[test]
fn what_is_unpacked_is_whole_or_unpacked_again() {
    let expected = "{\"a\":1,\"text\":\"one\"}\n{\"a\":2,\"text\":\"two\"}\n";
    at_every_call(
        || {
            let dir = tempfile::tempdir().unwrap();
            fs::create_dir(dir.path().join("disk")).unwrap();
            fs::write(dir.path().join("in.csv"), "a,text\n1,one\n2,two\n").unwrap();
            dir
        },
        |root, storage| {
            let dataset = Dataset::open(&["in.csv".to_owned()], root.parent().unwrap())?;
            materialise(&dataset, root, storage).map(drop)
        },
        |root, done, when| {
            if done {
                let rows = fs::read_to_string(root.join("input_00000.jsonl")).unwrap();
                assert_eq!(rows, expected, "{when}: lost after success");
            }
            let dataset = Dataset::open(&["in.csv".to_owned()], root.parent().unwrap()).unwrap();
            let again = materialise(&dataset, root, &Storage::new()).unwrap();
            let rows = fs::read_to_string(&again.files[0].path).unwrap();
            assert_eq!(rows, expected, "{when}");
            assert_eq!(fs::read_dir(root).unwrap().count(), 3, "{when}");
        },
    );
}

#[test]
fn an_export_is_the_old_one_or_the_new_one() {
    for output in ["out.jsonl", "out.json", "out.parquet"] {
        let row = "{\"text\": \"new\"}\n";
        let new = {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join("in.jsonl"), row).unwrap();
            let outcome = run(&dir, "in.jsonl", output, &[text_field()], PLAIN, |_| {});
            outcome.unwrap().content.remove(0)
        };
        at_every_call(
            || {
                let dir = tempfile::tempdir().unwrap();
                fs::create_dir(dir.path().join("disk")).unwrap();
                fs::write(dir.path().join("disk").join(output), "old").unwrap();
                fs::write(dir.path().join("in.jsonl"), row).unwrap();
                dir
            },
            |root, storage| {
                let dir = root.parent().unwrap();
                let dataset = Dataset::open(&["in.jsonl".to_owned()], dir)?;
                let target = ExportTarget::new(&root.join(output), None, 0)?;
                let options = ExportOptions::new(&dataset, target.format, false, false)?;
                let read_options = ReadOptions {
                    fields: vec![text_field()],
                    batch_bytes: PLAIN.batch_bytes,
                    max_row_bytes: PLAIN.max_row_bytes,
                    as_json: false,
                    schema: None,
                    columns: None,
                };
                // The part lies elsewhere, on a disk that is well.
                let part = dir.join("part");
                let mut writer = PartWriter::new(Storage::new().create(&part)?, &options)?;
                for block in read(&dataset, &split(&dataset, PLAIN.by)?[0], &read_options)? {
                    writer.write(&block?.batch)?;
                }
                let (file, info) = writer.finish()?;
                file.commit()?;
                assemble(&[(part, info)], &target, storage, None, &Card::default()).map(drop)
            },
            |root, done, when| {
                let found = fs::read(root.join(output)).unwrap();
                assert!(found == b"old" || found == new, "{output}, {when}: torn");
                assert!(
                    !done || found == new,
                    "{output}, {when}: lost after success"
                );
            },
        );
    }
}
