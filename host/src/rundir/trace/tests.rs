use std::sync::Arc;

use arrow::array::{Float64Array, StringArray, UInt32Array, UInt64Array};
use arrow::datatypes::DataType;
use serde_json::json;

use super::*;
use crate::rundir::Storage;

fn columns() -> StatColumns {
    let mut columns = StatColumns::default();
    columns.add("ratio", &DataType::Float64);
    columns.add("len", &DataType::Int64);
    columns.add("ratio", &DataType::Float64);
    columns
}

/// A file with `rows` kept rows, then some others, in several row groups.
fn written(dir: &std::path::Path, rows: u64) -> std::path::PathBuf {
    let path = dir.join("t.parquet");
    let create = || Storage::new().create(&path);
    let columns = columns();
    let mut writer = TraceWriter::new(&columns);
    let ids: Vec<u64> = (0..rows).map(|row| (1 << 44) + row).collect();
    for some in ids.chunks(1000) {
        let mut entries = Entries::new(Some(2), Fate::Kept, UInt64Array::from(some.to_vec()));
        let ratios = Float64Array::from_iter_values(some.iter().map(|id| *id as f64 / 2.0));
        let column = columns.of("ratio", &DataType::Float64).unwrap();
        entries.stats.push((column.name.clone(), Arc::new(ratios)));
        writer.add(entries);
        writer.relieve(create).unwrap();
    }
    writer.add(
        Entries::new(
            Some(5),
            Fate::Merged,
            UInt64Array::from(vec![(1 << 44) + 7]),
        )
        .pieces(Some(UInt32Array::from(vec![Some(1)])))
        .partners(UInt64Array::from(vec![3])),
    );
    writer.add(
        Entries::new(
            None,
            Fate::Quarantined,
            UInt64Array::from(vec![(1 << 44) + 9]),
        )
        .reasons(StringArray::from(vec!["not JSON"])),
    );
    let (file, entries) = writer.finish(create).unwrap().unwrap();
    file.commit().unwrap();
    assert_eq!(entries, rows + 2);
    path
}

fn read(path: &std::path::Path, wanted: &Wanted) -> Vec<Entry> {
    let mut found = Vec::new();
    let more = each_entry(path, wanted, |entry| {
        found.push(entry);
        Ok(true)
    });
    assert!(more.unwrap());
    found
}

#[test]
fn entries_are_found_by_row_op_and_fate() {
    let dir = tempfile::tempdir().unwrap();
    let path = written(dir.path(), 200_000);
    let row = |row: u64| Wanted {
        rows: Some(vec![(1 << 44) + row]),
        ..Wanted::default()
    };
    let one = read(&path, &row(123_456));
    assert_eq!(one.len(), 1);
    assert_eq!((one[0].op, one[0].fate), (Some(2), Fate::Kept));
    let ratio = ((1u64 << 44) + 123_456) as f64 / 2.0;
    assert_eq!(one[0].stats, [("ratio".to_owned(), json!(ratio))]);
    let seven = read(&path, &row(7));
    assert_eq!(seven.len(), 2);
    let merged = seven.iter().find(|e| e.fate == Fate::Merged).unwrap();
    assert_eq!(
        (merged.piece, merged.partner, merged.op),
        (Some(1), Some(3), Some(5))
    );
    let nine = read(&path, &row(9));
    let bad = nine.iter().find(|e| e.fate == Fate::Quarantined).unwrap();
    assert_eq!((bad.reason.as_deref(), bad.op), (Some("not JSON"), None));
    assert!(read(&path, &row(300_000)).is_empty());
    let wanted = Wanted {
        op: Some(2),
        fates: Some(vec![Fate::Kept, Fate::Merged]),
        ..Wanted::default()
    };
    assert_eq!(read(&path, &wanted).len(), 200_000);
    let mut seen = 0;
    let more = each_entry(&path, &wanted, |_| {
        seen += 1;
        Ok(seen < 10)
    });
    assert!(!more.unwrap());
}

#[test]
fn a_writer_without_entries_makes_no_file() {
    let writer = TraceWriter::new(&columns());
    let create = || panic!("no file is needed");
    assert!(writer.finish(create).unwrap().is_none());
}

#[test]
fn a_stat_of_another_type_has_a_column_of_its_own() {
    let mut columns = columns();
    columns.add("len", &DataType::Utf8);
    let name = |ty| columns.of("len", &ty).unwrap().name.clone();
    assert_eq!(name(DataType::Int64), "stat.len");
    assert_eq!(schema::stat_key(&name(DataType::Utf8)), Some("len"));
    assert_eq!(schema::stat_key("row_id"), None);
    assert_eq!(columns.schema().fields().len(), 13);
}

#[test]
fn margins_say_how_far_a_stat_is_from_the_other_decision() {
    let bounds = Bounds {
        min: Some(0.25),
        max: Some(1.0),
        min_closed: true,
        max_closed: true,
        reversed: false,
    };
    assert_eq!(bounds.margin(0.5), Some(0.25));
    assert_eq!(bounds.margin(0.125), Some(-0.125));
    assert!(bounds.keeps(0.25) && !bounds.keeps(0.2));
    let reversed = Bounds {
        reversed: true,
        ..bounds
    };
    assert_eq!(reversed.margin(0.5), Some(-0.25));
    // As the operators have it: a closed end belongs to what stays.
    assert!(reversed.keeps(0.25) && !reversed.keeps(0.3) && reversed.keeps(1.5));
    assert_eq!(Bounds::default().margin(1.0), None);
}
