//! JSON lines in and out.

use super::*;
use crate::data::batch::split_id;
use arrow::array::{ArrayRef, Float64Array, Int64Array, StringViewArray, UInt32Array};
use arrow::buffer::BooleanBuffer;
use proptest::prelude::*;
use std::sync::Arc;

/// Rows of all sizes with a `text`, some broken, some lines blank.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        6 => ("\\PC{0,300}", any::<i64>()).prop_map(|(text, n)| serde_json::json!({"id": n, "text": text, "n": [n]}).to_string()),
        1 => Just(String::new()),
        1 => Just("  \t".to_owned()),
        1 => Just("{\"text\": 12}".to_owned()),
        1 => Just("{\"text\": \"cut".to_owned()),
        1 => Just("{\"text\":\"a\"}".to_owned()),
    ];
    (
        proptest::collection::vec((line, any::<bool>()), 0..40),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(lines, bom, ended)| {
            let mut out = if bom {
                b"\xef\xbb\xbf".to_vec()
            } else {
                Vec::new()
            };
            for (line, crlf) in lines {
                out.extend_from_slice(line.as_bytes());
                out.extend_from_slice(if crlf { b"\r\n" } else { b"\n" });
            }
            if !ended {
                while matches!(out.last(), Some(b'\n' | b'\r')) {
                    out.pop();
                }
            }
            out
        })
}

/// Everything that must not depend on the way.
fn summary(outcome: &Outcome) -> (Vec<Vec<u8>>, Vec<impl PartialEq + std::fmt::Debug + use<>>) {
    (
        outcome.content.clone(),
        outcome
            .bad
            .iter()
            .map(|b| (b.id, b.raw.clone(), b.reason.clone()))
            .collect(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_do_not_depend_on_the_way(lines in lines(), count in 1..9u32, rows in 1..9u64, batch_bytes in 1..3000usize, max in 20..500usize) {
        let one = pass(&lines, Way { max_row_bytes: max, ..PLAIN });
        for by in [SplitBy::Count(count), SplitBy::Rows(rows)] {
            let other = pass(&lines, Way { by, batch_bytes, max_row_bytes: max, ..PLAIN });
            prop_assert_eq!(summary(&one), summary(&other), "{:?}", by);
        }
        // Every line comes out, as a row or as a bad row.
        let good: Vec<&[u8]> = one.content[0].split(|&b| b == b'\n').filter(|l| !l.is_empty()).collect();
        let all: usize = lines.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&lines).split(|&b| b == b'\n').filter(|l| !l.trim_ascii().is_empty()).count();
        prop_assert_eq!(good.len() + one.bad.len(), all);
        prop_assert_eq!(good.len() as u64, one.rows);
        let text = String::from_utf8_lossy(&lines);
        prop_assert!(good.iter().all(|row| text.contains(&*String::from_utf8_lossy(row))));
    }

    #[test]
    fn partitions_cover_every_byte_once(lines in lines(), count in 1..20u32, rows in 1..9u64) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.jsonl"), &lines).unwrap();
        fs::write(dir.path().join("b.jsonl"), b"{\"text\": \"b\"}").unwrap();
        let dataset = Dataset::open(&["*.jsonl".to_owned()], dir.path()).unwrap();
        for by in [SplitBy::Count(count), SplitBy::Rows(rows)] {
            let partitions = split(&dataset, by).unwrap();
            if let SplitBy::Count(count) = by {
                prop_assert_eq!(partitions.len(), count as usize);
            }
            let mut at = (0, 0);
            for slice in partitions.iter().flat_map(|p| &p.slices) {
                if slice.file > at.0 {
                    prop_assert_eq!(at.1, dataset.files[at.0].bytes);
                    at = (slice.file, 0);
                }
                prop_assert_eq!((slice.file, slice.start), at);
                prop_assert!(slice.start == 0 || slice.file == 1 || lines[slice.start as usize - 1] == b'\n');
                at.1 = slice.end;
            }
            prop_assert_eq!(at, (1, dataset.files[1].bytes));
        }
    }
}

#[test]
fn bad_rows_say_where_and_why() {
    let outcome = pass(
        b"\n{\"text\": \"a\"}\nnonsense\n[]\n{\"x\": 1}\n{\"text\": null}\n{\"text\": \"\xff\"}\n",
        PLAIN,
    );
    assert_eq!(outcome.content[0], b"{\"text\": \"a\"}\n");
    let bad: Vec<_> = outcome
        .bad
        .iter()
        .map(|b| (split_id(b.id).1, &*b.reason))
        .collect();
    assert_eq!(
        bad,
        [
            (15, "not valid JSON: expected ident at column 2"),
            (24, "the row is a JSON array, not an object"),
            (27, "`text` is missing"),
            (36, "`text` is null, not a string"),
            (51, "invalid UTF-8 at byte 10"),
        ]
    );
    assert_eq!(outcome.bad[0].raw, b"nonsense");
}

/// Sets one column of each batch.
fn column(path: &str, make: impl Fn(usize) -> ArrayRef) -> impl Fn(&mut Batch) {
    let path = path.to_owned();
    move |batch| {
        let rows = batch.rows();
        let data = make(rows);
        match batch.columns.iter_mut().find(|c| c.path == path) {
            Some(column) => {
                column.data = data;
                column.changed = Some(BooleanBuffer::new_set(rows));
            }
            None => batch.columns.push(Column::new(&path, data)),
        }
    }
}

fn edited(rows: &str, fields: &[ReadField], keep_stats: bool, edit: impl Fn(&mut Batch)) -> String {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("in.jsonl"), rows).unwrap();
    let outcome = run(
        &dir,
        "in.jsonl",
        "out.jsonl",
        fields,
        Way {
            keep_stats,
            ..PLAIN
        },
        edit,
    )
    .unwrap();
    assert!(outcome.bad.is_empty());
    String::from_utf8(outcome.content[0].clone()).unwrap()
}

#[test]
fn a_change_leaves_the_rest_of_the_row_alone() {
    let new = column("text", |rows| {
        Arc::new(StringViewArray::from(vec!["new \"text\"\n"; rows]))
    });
    let rows = "{ \"big\": 123456789012345678901234567890, \"text\" :\"old\\n\" ,\"x\":1.50}\n{\"text\": \"a\", \"text\": \"b\"}\n";
    assert_eq!(
        edited(rows, &[text_field()], false, &new),
        "{ \"big\": 123456789012345678901234567890, \"text\" :\"new \\\"text\\\"\\n\" ,\"x\":1.50}\n{\"text\": \"a\", \"text\": \"new \\\"text\\\"\\n\"}\n"
    );
}

#[test]
fn new_fields_come_last_and_make_their_objects() {
    let number =
        |path: &'static str| column(path, |rows| Arc::new(Int64Array::from(vec![7; rows])));
    let fields = [text_field()];
    assert_eq!(
        edited("{\"text\": \"a\" }\n", &fields, false, number("n")),
        "{\"text\": \"a\" , \"n\": 7}\n"
    );
    assert_eq!(
        edited(
            "{\"text\": \"a\", \"m\": {}}\n",
            &fields,
            false,
            number("m.n")
        ),
        "{\"text\": \"a\", \"m\": {\"n\": 7}}\n"
    );
    assert_eq!(
        edited(
            "{\"text\": \"a\", \"m\": {\"x\": 1}}\n",
            &fields,
            false,
            number("m.n.o")
        ),
        "{\"text\": \"a\", \"m\": {\"x\": 1, \"n\": {\"o\": 7}}}\n"
    );
    assert_eq!(
        edited(
            "{\"text\": \"a\", \"m\": null}\n",
            &fields,
            false,
            number("m.n")
        ),
        "{\"text\": \"a\", \"m\": {\"n\": 7}}\n"
    );
    assert_eq!(
        edited(
            "{\"text\": \"a\", \"m.n\": 1}\n",
            &fields,
            false,
            number("m.n")
        ),
        "{\"text\": \"a\", \"m.n\": 7}\n"
    );
    let read = [text_field(), optional("n", FieldType::S64)];
    assert_eq!(
        edited(
            "{\"text\": \"a\"}\n{\"n\": 1, \"text\": \"a\"}\n",
            &read,
            false,
            number("n")
        ),
        "{\"text\": \"a\", \"n\": 7}\n{\"n\": 7, \"text\": \"a\"}\n"
    );
}

#[test]
fn a_value_inside_of_another_changed_one_is_set_after_it() {
    let fields = [
        optional("m", FieldType::Json),
        optional("m.n", FieldType::S64),
    ];
    let edit = |batch: &mut Batch| {
        column("m", |_| {
            Arc::new(StringViewArray::from(vec!["{\"n\": 1,\n\"o\": 2}"]))
        })(batch);
        column("m.n", |_| Arc::new(Int64Array::from(vec![9])))(batch);
    };
    assert_eq!(
        edited("{\"m\": {\"n\": 0}, \"z\": 0}\n", &fields, false, edit),
        "{\"m\": {\"n\": 9, \"o\": 2}, \"z\": 0}\n"
    );
}

#[test]
fn stats_are_added_merged_or_left_out() {
    let edit = |batch: &mut Batch| {
        let rows = batch.rows();
        batch.stats.push(Stat {
            key: "len".into(),
            data: Arc::new(Int64Array::from(vec![3; rows])),
        });
        batch.stats.push(Stat {
            key: "ratio".into(),
            data: Arc::new(Float64Array::from(vec![0.1 + 0.2; rows])),
        });
    };
    let row = "{\"text\": \"a\"}\n{\"text\": \"a\", \"__dj__stats__\": {\"len\": 1, \"old\": 2}}\n";
    assert_eq!(edited(row, &[text_field()], false, edit), row);
    assert_eq!(
        edited(row, &[text_field()], true, edit),
        "{\"text\": \"a\", \"__dj__stats__\": {\"len\": 3, \"ratio\": 0.30000000000000004}}\n\
         {\"text\": \"a\", \"__dj__stats__\": {\"len\": 3, \"old\": 2, \"ratio\": 0.30000000000000004}}\n"
    );
}

#[test]
fn rows_that_were_taken_out_of_order_or_twice_are_written_so() {
    let rows = "{\"text\": \"first row\"}\n{\"text\": \"second row\"}\n{\"text\": \"c\"}\n";
    let twice = edited(rows, &[text_field()], false, |batch| {
        *batch = batch.take(&UInt32Array::from(vec![0, 0, 2])).unwrap()
    });
    assert_eq!(
        twice,
        "{\"text\": \"first row\"}\n{\"text\": \"first row\"}\n{\"text\": \"c\"}\n"
    );
}

#[test]
fn fields_come_in_the_type_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let row = r#"{"f": 1, "i": 3.0, "big": 1e999, "b": true, "l": ["a\n", "b"], "fl": [1, 2.5], "j": {"x": [1, 2]}, "no": null, "m": {"lang": "\u00e9"}}"#;
    fs::write(dir.path().join("in.jsonl"), row).unwrap();
    let dataset = Dataset::open(&["in.jsonl".to_owned()], dir.path()).unwrap();
    let paths = [
        ("f", FieldType::F64, "1.0"),
        ("i", FieldType::S64, "3"),
        ("big", FieldType::F64, "inf"),
        ("b", FieldType::Boolean, "true"),
        ("l", FieldType::Utf8List, "[a\n, b]"),
        ("fl", FieldType::F64List, "[1.0, 2.5]"),
        ("j", FieldType::Json, "{\"x\": [1, 2]}"),
        ("no", FieldType::Json, ""),
        ("m.lang", FieldType::Utf8, "é"),
        ("f", FieldType::Utf8, ""),
        ("l", FieldType::F64List, ""),
    ];
    for (path, ty, expected) in paths {
        let options = ReadOptions::new(vec![optional(path, ty)]);
        let partition = &split(&dataset, SplitBy::Count(1)).unwrap()[0];
        let block = read(&dataset, partition, &options)
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        let data = &block.batch.columns[0].data;
        assert_eq!(
            arrow::util::display::array_value_to_string(data, 0).unwrap(),
            expected,
            "{path}"
        );
        // The same from the raw rows alone.
        let again = extract(block.batch.raw.as_ref().unwrap(), &options.fields).unwrap();
        assert_eq!(&again.columns[0].data, data, "{path}");
        assert_eq!(again.columns[0].span, block.batch.columns[0].span);
    }
}

#[test]
fn shards_are_cut_at_rows_and_named_as_data_juicer_does() {
    let rows: String = (0..100)
        .map(|i| format!("{{\"text\": \"row {i:04}\"}}\n"))
        .collect();
    let outcome = pass(
        rows.as_bytes(),
        Way {
            by: SplitBy::Count(3),
            shard_size: 1000,
            ..PLAIN
        },
    );
    let names: Vec<_> = outcome.files.iter().map(|f| name(f)).collect();
    assert_eq!(
        names,
        [
            "out-00-of-03.jsonl",
            "out-01-of-03.jsonl",
            "out-02-of-03.jsonl"
        ]
    );
    assert_eq!(outcome.content.concat(), rows.as_bytes());
    assert!(
        outcome
            .content
            .iter()
            .all(|c| c.len() <= 1000 && c.ends_with(b"\n"))
    );
}

#[test]
fn every_text_export_holds_the_rows_whatever_the_partitions() {
    let rows: Vec<String> = (0..500)
        .map(|i| format!("{{\"text\": \"row {i}\"}}"))
        .collect();
    let lines = rows.join("\n");
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("in.jsonl"), &lines).unwrap();
    for output in [
        "out.jsonl",
        "out.json",
        "out.jsonl.gz",
        "out.jsonl.zst",
        "out.json.gz",
    ] {
        let [one, seven] = [1, 7].map(|n| {
            run(
                &dir,
                "in.jsonl",
                output,
                &[text_field()],
                Way {
                    by: SplitBy::Count(n),
                    ..PLAIN
                },
                |_| {},
            )
            .unwrap()
        });
        assert_eq!(one.content, seven.content, "{output}");
        // And it reads back.
        let back = run(&dir, output, "back.jsonl", &[text_field()], PLAIN, |_| {}).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&back.content[0]),
            lines.clone() + "\n",
            "{output}"
        );
    }
    let array: Vec<serde_json::Value> =
        serde_json::from_slice(&fs::read(dir.path().join("out.json")).unwrap()).unwrap();
    assert_eq!(array.len(), 500);
    assert!(
        fs::read_dir(dir.path()).unwrap().all(|e| !e
            .unwrap()
            .file_name()
            .to_string_lossy()
            .contains("partial"))
    );
}

#[test]
fn no_rows_make_an_empty_export() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("in.jsonl"), "").unwrap();
    for (output, content) in [("out.jsonl", &b""[..]), ("out.json", b"[]\n")] {
        let outcome = run(
            &dir,
            "in.jsonl",
            output,
            &[text_field()],
            Way {
                by: SplitBy::Count(3),
                ..PLAIN
            },
            |_| {},
        )
        .unwrap();
        assert_eq!(outcome.content[0], content);
    }
}

#[test]
fn an_export_path_must_name_a_format() {
    for (path, message) in [
        ("out", "has no suffix that names a format"),
        ("out.jsnl", "did you mean `json"),
        ("out.parquet.gz", "compress by themselves"),
    ] {
        assert!(
            ExportTarget::new(Path::new(path), None, 0)
                .unwrap_err()
                .to_string()
                .contains(message),
            "{path}"
        );
    }
    assert_eq!(
        ExportTarget::new(Path::new("out"), Some("jsonl"), 0)
            .unwrap()
            .format,
        ExportFormat::Jsonl
    );
}
