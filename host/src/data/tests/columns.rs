//! Columns in and out, and between columns and JSON.

use super::*;
use crate::data::batch::split_id;
use arrow::array::*;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Field, Fields, Int32Type, Schema};
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs::File;
use std::sync::Arc;

/// A table with the types that matter.
fn table(rows: usize) -> RecordBatch {
    let text: ArrayRef = Arc::new(StringArray::from(
        (0..rows).map(|i| format!("text {i}")).collect::<Vec<_>>(),
    ));
    let kind: DictionaryArray<Int32Type> =
        (0..rows).map(|i| ["web", "book", "code"][i % 3]).collect();
    let lang: ArrayRef = Arc::new(StringArray::from(
        (0..rows)
            .map(|i| (i % 4 != 0).then_some("en"))
            .collect::<Vec<_>>(),
    ));
    let fields: Fields = vec![Field::new("lang", DataType::Utf8, true)].into();
    let meta = StructArray::new(fields, vec![lang], None);
    let mut list = ListBuilder::new(StringBuilder::new());
    (0..rows).for_each(|i| list.append_value((0..i % 3).map(|j| Some(format!("{j}.jpg")))));
    RecordBatch::try_from_iter([
        ("text", text),
        ("kind", Arc::new(kind) as ArrayRef),
        ("meta", Arc::new(meta)),
        ("images", Arc::new(list.finish())),
        (
            "small",
            Arc::new(Int16Array::from_iter_values(
                (0..rows).map(|i| (i % 100) as i16),
            )),
        ),
    ])
    .unwrap()
}

fn write_parquet(path: &Path, batches: &[RecordBatch]) {
    let mut writer = parquet::arrow::ArrowWriter::try_new(
        File::create(path).unwrap(),
        batches[0].schema(),
        None,
    )
    .unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
        writer.flush().unwrap();
    }
    writer.close().unwrap();
}

fn read_parquet(path: &Path) -> RecordBatch {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let schema = builder.schema().clone();
    let batches: Vec<_> = builder.build().unwrap().collect::<Result<_, _>>().unwrap();
    arrow::compute::concat_batches(&schema, &batches).unwrap()
}

fn read_arrow(path: &Path) -> RecordBatch {
    let reader =
        arrow::ipc::reader::StreamReader::try_new(File::open(path).unwrap(), None).unwrap();
    let schema = reader.schema();
    arrow::compute::concat_batches(&schema, &reader.collect::<Result<Vec<_>, _>>().unwrap())
        .unwrap()
}

/// A directory with `in.parquet` (three row groups), `in.arrow` (a file) and `in_stream.arrow`.
fn inputs(rows: usize) -> (TempDir, RecordBatch) {
    let dir = tempfile::tempdir().unwrap();
    let all = table(rows);
    let thirds: Vec<_> = [(0, rows / 3), (rows / 3, rows / 2), (rows / 2, rows)]
        .iter()
        .map(|&(a, b)| all.slice(a, b - a))
        .collect();
    write_parquet(&dir.path().join("in.parquet"), &thirds);
    let plain: Vec<RecordBatch> = thirds
        .iter()
        .map(|b| b.project(&[0, 2, 3, 4]).unwrap())
        .collect();
    let mut file = arrow::ipc::writer::FileWriter::try_new(
        File::create(dir.path().join("in.arrow")).unwrap(),
        &plain[0].schema(),
    )
    .unwrap();
    plain.iter().for_each(|b| file.write(b).unwrap());
    file.finish().unwrap();
    let mut stream = arrow::ipc::writer::StreamWriter::try_new(
        File::create(dir.path().join("in_stream.arrow")).unwrap(),
        &all.schema(),
    )
    .unwrap();
    thirds.iter().for_each(|b| stream.write(b).unwrap());
    stream.finish().unwrap();
    (dir, all)
}

const WAYS: [(SplitBy, usize); 4] = [
    (SplitBy::Count(1), 1 << 20),
    (SplitBy::Count(4), 500),
    (SplitBy::Count(50), 1 << 20),
    (SplitBy::Rows(7), 3000),
];

#[test]
fn columns_pass_through_with_their_types_whatever_the_way() {
    let (dir, all) = inputs(400);
    for (input, expected) in [
        ("in.parquet", all.clone()),
        ("in.arrow", all.project(&[0, 2, 3, 4]).unwrap()),
        ("in_stream.arrow", all.clone()),
    ] {
        for output in ["out.parquet", "out.arrow"] {
            let mut first = None;
            for (by, batch_bytes) in WAYS {
                let outcome = run(
                    &dir,
                    input,
                    output,
                    &[text_field()],
                    Way {
                        by,
                        batch_bytes,
                        ..PLAIN
                    },
                    |_| {},
                )
                .unwrap();
                let found = if output == "out.parquet" {
                    read_parquet(&outcome.files[0])
                } else {
                    read_arrow(&outcome.files[0])
                };
                assert_eq!(found, expected, "{input} {output} {by:?}");
                assert_eq!(outcome.rows, 400);
                let first = first.get_or_insert_with(|| outcome.content[0].clone());
                assert!(
                    *first == outcome.content[0],
                    "{input} {output} {by:?}: the bytes differ"
                );
            }
        }
    }
}

#[test]
fn columns_become_json_rows() {
    let (dir, _) = inputs(40);
    let mut outputs = WAYS.map(|(by, batch_bytes)| {
        run(
            &dir,
            "in.parquet",
            "out.jsonl",
            &[text_field()],
            Way {
                by,
                batch_bytes,
                ..PLAIN
            },
            |_| {},
        )
        .unwrap()
        .content
        .remove(0)
    });
    outputs.sort();
    assert!(outputs.windows(2).all(|w| w[0] == w[1]));
    let lines: Vec<&str> = std::str::from_utf8(&outputs[0]).unwrap().lines().collect();
    assert_eq!(lines.len(), 40);
    assert_eq!(
        lines[4],
        r#"{"text":"text 4","kind":"book","meta":{"lang":null},"images":["0.jpg"],"small":4}"#
    );
}

/// Changes `text` in every second row, `meta.lang` in all, and adds a column and a stat.
fn edit(batch: &mut Batch) {
    let rows = batch.rows();
    let even: BooleanBuffer = batch.ids.values().iter().map(|id| id % 2 == 0).collect();
    for column in &mut batch.columns {
        if column.path == "text" {
            let new = (0..rows).map(|i| {
                if even.value(i) {
                    "new".to_owned()
                } else {
                    column.data.as_string_view().value(i).to_owned()
                }
            });
            column.data = Arc::new(StringViewArray::from_iter_values(new));
            column.changed = Some(even.clone());
        } else if column.path == "meta.lang" {
            column.data = Arc::new(StringViewArray::from(vec!["zz"; rows]));
            column.changed = Some(BooleanBuffer::new_set(rows));
        }
    }
    batch.columns.push(Column::new(
        "added.here",
        Arc::new(Int64Array::from(vec![5; rows])),
    ));
    batch.stats.push(Stat {
        key: "len".into(),
        data: Arc::new(Float64Array::from(vec![1.5; rows])),
    });
}

#[test]
fn new_values_are_written_into_columns_and_rows() {
    let (dir, _) = inputs(40);
    let fields = [
        text_field(),
        optional("meta.lang", FieldType::Utf8),
        optional("small", FieldType::F64),
    ];
    let mut first = None;
    for (by, batch_bytes) in WAYS {
        let way = Way {
            by,
            batch_bytes,
            keep_stats: true,
            ..PLAIN
        };
        let outcome = run(&dir, "in.parquet", "out.parquet", &fields, way, edit).unwrap();
        assert!(
            *first.get_or_insert_with(|| outcome.content[0].clone()) == outcome.content[0],
            "{by:?}: the bytes differ"
        );
        let found = read_parquet(&outcome.files[0]);
        let names: Vec<_> = found
            .schema()
            .fields()
            .iter()
            .map(|f| f.name().clone())
            .collect();
        assert_eq!(
            names,
            [
                "text",
                "kind",
                "meta",
                "images",
                "small",
                "__dj__stats__",
                "added"
            ]
        );
        assert_eq!(found.schema().field(4).data_type(), &DataType::Int16);
        let text = found.column(0).as_string::<i32>();
        assert_eq!((text.value(0), text.value(1)), ("new", "text 1"));
        assert_eq!(
            found
                .column(2)
                .as_struct()
                .column(0)
                .as_string::<i32>()
                .value(4),
            "zz"
        );
        let lines = run(&dir, "in.parquet", "out.jsonl", &fields, way, edit).unwrap();
        assert_eq!(
            std::str::from_utf8(&lines.content[0])
                .unwrap()
                .lines()
                .nth(4)
                .unwrap(),
            r#"{"text":"new","kind":"book","meta":{"lang":"zz"},"images":["0.jpg"],"small":4, "added": {"here": 5}, "__dj__stats__": {"len": 1.5}}"#
        );
    }
}

#[test]
fn rows_without_a_required_field_are_bad() {
    let dir = tempfile::tempdir().unwrap();
    let text: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("c")]));
    write_parquet(
        &dir.path().join("in.parquet"),
        &[RecordBatch::try_from_iter([("text", text)]).unwrap()],
    );
    let outcome = run(
        &dir,
        "in.parquet",
        "out.jsonl",
        &[text_field()],
        PLAIN,
        |_| {},
    )
    .unwrap();
    assert_eq!(outcome.content[0], b"{\"text\":\"a\"}\n{\"text\":\"c\"}\n");
    let bad = &outcome.bad[0];
    assert_eq!(
        (split_id(bad.id).1, &*bad.raw, &*bad.reason),
        (1, &b"{\"text\":null}"[..], "`text` is missing")
    );
}

#[test]
fn files_with_different_columns_are_unified_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let one = RecordBatch::try_from_iter([
        ("text", Arc::new(StringArray::from(vec!["a"])) as ArrayRef),
        ("n", Arc::new(Int16Array::from(vec![1]))),
    ])
    .unwrap();
    let two = RecordBatch::try_from_iter([
        ("n", Arc::new(Float64Array::from(vec![0.5])) as ArrayRef),
        ("text", Arc::new(LargeStringArray::from(vec!["b"]))),
    ])
    .unwrap();
    write_parquet(&dir.path().join("1.parquet"), &[one]);
    write_parquet(&dir.path().join("2.parquet"), &[two]);
    let outcome = run(&dir, ".", "out/x.parquet", &[text_field()], PLAIN, |_| {}).unwrap();
    let found = read_parquet(&outcome.files[0]);
    assert_eq!(found.schema().field(0).data_type(), &DataType::LargeUtf8);
    assert_eq!(
        found.column(1).as_ref(),
        &Float64Array::from(vec![1.0, 0.5]) as &dyn Array
    );
    let three =
        RecordBatch::try_from_iter([("text", Arc::new(Int64Array::from(vec![1])) as ArrayRef)])
            .unwrap();
    write_parquet(&dir.path().join("3.parquet"), &[three]);
    fs::remove_dir_all(dir.path().join("out")).unwrap();
    let error = run(&dir, ".", "out/x.parquet", &[text_field()], PLAIN, |_| {})
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("3.parquet: column `text` is Int64, but LargeUtf8"),
        "{error}"
    );
}

#[test]
fn json_rows_become_columns_of_one_type() {
    let dir = tempfile::tempdir().unwrap();
    let rows = [
        r#"{"text": "a\u00e9", "n": 1, "m": {"x": 1}, "mixed": "s", "l": [1, 2], "e": {}, "none": null}"#,
        r#"{"text": "b", "n": 2.5, "m": {"y": [true]}, "mixed": {"k": 1}, "l": [], "late": 18446744073709551615}"#,
        r#"{"text": "c", "n": NaN, "m": null, "mixed": 7, "l": null, "late": 3, "big": 123456789012345678901234567890}"#,
        r#"{"text": "d", "text": "e", "lone": "\ud800"}"#,
    ];
    fs::write(dir.path().join("in.jsonl"), rows.join("\n")).unwrap();
    for output in ["out.parquet", "out.arrow"] {
        let [one, three] = [1, 3].map(|n| {
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
        assert_eq!(one.content, three.content);
        let found = if output == "out.parquet" {
            read_parquet(&one.files[0])
        } else {
            read_arrow(&one.files[0])
        };
        let mut lines = Vec::new();
        crate::data::columns::out::show_json_rows(&found, &mut lines).unwrap();
        assert_eq!(
            std::str::from_utf8(&lines)
                .unwrap()
                .lines()
                .collect::<Vec<_>>(),
            [
                r#"{"text":"aé","n":1.0,"m":{"x":1,"y":null},"mixed":"s","l":[1,2],"e":{},"none":null,"late":null,"big":null,"lone":null}"#,
                r#"{"text":"b","n":2.5,"m":{"x":null,"y":[true]},"mixed":"{\"k\": 1}","l":[],"e":null,"none":null,"late":18446744073709551615,"big":null,"lone":null}"#,
                r#"{"text":"c","n":NaN,"m":null,"mixed":"7","l":null,"e":null,"none":null,"late":3,"big":"123456789012345678901234567890","lone":null}"#,
                "{\"text\":\"e\",\"n\":null,\"m\":null,\"mixed\":null,\"l\":null,\"e\":null,\"none\":null,\"late\":null,\"big\":null,\"lone\":\"\u{fffd}\"}",
            ]
        );
        assert!(
            one.notes.iter().any(|n| n.contains("`mixed`"))
                && one.notes.iter().any(|n| n.contains("`n`")),
            "{:?}",
            one.notes
        );
    }
}

#[test]
fn columnar_exports_are_cut_into_shards() {
    let (dir, all) = inputs(400);
    fs::write(
        dir.path().join("in.jsonl"),
        (0..400)
            .map(|i| format!("{{\"text\": \"text {i}\"}}\n"))
            .collect::<String>(),
    )
    .unwrap();
    for (input, size) in [("in.parquet", 5000), ("in.jsonl", 3000)] {
        let [one, nine] = [1, 9].map(|n| {
            run(
                &dir,
                input,
                "out.parquet",
                &[text_field()],
                Way {
                    by: SplitBy::Count(n),
                    shard_size: size,
                    ..PLAIN
                },
                |_| {},
            )
            .unwrap()
        });
        assert_eq!(one.content, nine.content);
        assert!(one.files.len() > 2, "{input}");
        let text: Vec<String> = one
            .files
            .iter()
            .flat_map(|f| {
                read_parquet(f)
                    .column(0)
                    .as_string::<i32>()
                    .iter()
                    .map(|t| t.unwrap().to_owned())
                    .collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(
            text,
            all.column(0)
                .as_string::<i32>()
                .iter()
                .map(|t| t.unwrap())
                .collect::<Vec<_>>()
        );
    }
}

#[test]
fn no_rows_make_empty_tables() {
    let dir = tempfile::tempdir().unwrap();
    write_parquet(&dir.path().join("in.parquet"), &[table(0)]);
    let outcome = run(
        &dir,
        "in.parquet",
        "out.parquet",
        &[text_field()],
        Way {
            by: SplitBy::Count(2),
            ..PLAIN
        },
        |_| {},
    )
    .unwrap();
    assert_eq!(read_parquet(&outcome.files[0]), table(0));
    fs::write(dir.path().join("in.jsonl"), "").unwrap();
    let outcome = run(
        &dir,
        "in.jsonl",
        "out2.parquet",
        &[text_field()],
        PLAIN,
        |_| {},
    )
    .unwrap();
    assert_eq!(
        read_parquet(&outcome.files[0]).schema().as_ref(),
        &Schema::empty()
    );
}

#[test]
fn fields_with_constants_are_read_as_those_of_columns() {
    let rows = [
        r#"{"l": [1, NaN, -Infinity, 1e999], "j": {"x": [NaN, "NaN"], "s": "\ud800"}}"#,
        r#"{"l": [1, null], "j": NaN}"#,
    ];
    let raw = BinaryViewArray::from_iter_values(rows);
    let found = extract(
        &raw,
        &[
            optional("l", FieldType::F64List),
            optional("j", FieldType::Json),
        ],
    )
    .unwrap();
    let lists = found.columns[0].data.as_list::<i32>();
    let list = lists.value(0);
    let list = list.as_primitive::<arrow::datatypes::Float64Type>();
    assert!(
        list.value(1).is_nan()
            && list.value(2) == f64::NEG_INFINITY
            && list.value(3) == f64::INFINITY
    );
    assert!(lists.is_null(1));
    // As they stand there; operators that take standard JSON only get it.
    let json = found.columns[1].data.as_string_view();
    assert_eq!(
        (json.value(0), json.value(1)),
        (r#"{"x": [NaN, "NaN"], "s": "\ud800"}"#, "NaN")
    );
    let json = crate::data::standard_texts(&found.columns[1].data);
    let json = json.as_string_view();
    assert_eq!(
        (json.value(0), json.is_null(1)),
        (r#"{"x": [null, "NaN"], "s": "\ufffd"}"#, true)
    );
}
