//! Columns in and out, and between columns and JSON.

use super::*;
use crate::data::batch::split_id;
use arrow::array::*;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Field, Fields, Int32Type};
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs::File;
use std::sync::Arc;

/// A table with all relevant types.
pub(super) fn table(rows: usize) -> RecordBatch {
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

pub(super) fn write_parquet(path: &Path, batches: &[RecordBatch]) {
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

pub(super) fn read_parquet(path: &Path) -> RecordBatch {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let schema = builder.schema().clone();
    let batches: Vec<_> = builder.build().unwrap().collect::<Result<_, _>>().unwrap();
    arrow::compute::concat_batches(&schema, &batches).unwrap()
}

pub(super) fn read_arrow(path: &Path) -> RecordBatch {
    let reader =
        arrow::ipc::reader::StreamReader::try_new(File::open(path).unwrap(), None).unwrap();
    let schema = reader.schema();
    arrow::compute::concat_batches(&schema, &reader.collect::<Result<Vec<_>, _>>().unwrap())
        .unwrap()
}

/// A directory with `in.parquet` (three row groups), `in.arrow` (a file) and `in_stream.arrow`.
pub(super) fn inputs(rows: usize) -> (TempDir, RecordBatch) {
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

/// A null object, an object with a null, and the same deeper: no value in any of them, whether the
/// rows are JSON or columns, and whatever Arrow has stored under a null object.
#[test]
fn a_field_of_a_null_object_is_null_wherever_it_comes_from() {
    let dir = tempfile::tempdir().unwrap();
    let rows = [
        r#"{"text": "0", "meta": {"lang": "en", "deep": {"x": 1}}}"#,
        r#"{"text": "1", "meta": null}"#,
        r#"{"text": "2", "meta": {"lang": null, "deep": null}}"#,
        r#"{"text": "3", "meta": {"lang": "de", "deep": {"x": 4}}}"#,
    ];
    fs::write(dir.path().join("in.jsonl"), rows.join("\n")).unwrap();
    let x: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3, 4]));
    let deep = StructArray::new(
        vec![Field::new("x", DataType::Int64, true)].into(),
        vec![x],
        Some(vec![true, true, false, true].into()),
    );
    let lang: ArrayRef = Arc::new(StringArray::from(vec![
        Some("en"),
        Some("hidden"),
        None,
        Some("de"),
    ]));
    let fields: Fields = vec![
        Field::new("lang", DataType::Utf8, true),
        Field::new("deep", deep.data_type().clone(), true),
    ]
    .into();
    let meta = StructArray::new(
        fields,
        vec![lang, Arc::new(deep)],
        Some(vec![true, false, true, true].into()),
    );
    let text: ArrayRef = Arc::new(StringArray::from(vec!["0", "1", "2", "3"]));
    let table =
        RecordBatch::try_from_iter([("text", text), ("meta", Arc::new(meta) as ArrayRef)]).unwrap();
    write_parquet(&dir.path().join("in.parquet"), std::slice::from_ref(&table));
    let file = File::create(dir.path().join("in.arrow")).unwrap();
    let mut stream = arrow::ipc::writer::StreamWriter::try_new(file, &table.schema()).unwrap();
    stream.write(&table).unwrap();
    stream.finish().unwrap();

    let langs = [Some("en"), None, None, Some("de")];
    let xs = [Some(1), None, None, Some(4)];
    for input in ["in.jsonl", "in.parquet", "in.arrow"] {
        let looked_at = std::cell::Cell::new(0);
        let asked = [
            text_field(),
            optional("meta.lang", FieldType::Utf8),
            optional("meta.deep.x", FieldType::S64),
        ];
        run(&dir, input, "out.jsonl", &asked, PLAIN, |batch| {
            let lang = batch.field("meta.lang").unwrap();
            assert!(lang.as_string_view().iter().eq(langs), "{input}: {lang:?}");
            let x = batch.field("meta.deep.x").unwrap();
            let x = x.as_primitive::<arrow::datatypes::Int64Type>();
            assert!(x.iter().eq(xs), "{input}: {x:?}");
            looked_at.set(looked_at.get() + batch.rows());
        })
        .unwrap();
        assert_eq!(looked_at.get(), 4, "{input}");
        let required = ReadField {
            required: true,
            ..optional("meta.lang", FieldType::Utf8)
        };
        let bad = run(&dir, input, "out.jsonl", &[required], PLAIN, |_| {})
            .unwrap()
            .bad;
        assert_eq!(bad.len(), 2, "{input}");
        assert_eq!(bad[0].reason, "`meta.lang` is missing", "{input}");
        // A new field makes an object of a null, with nothing else in it.
        let new = |batch: &mut Batch| {
            let data: ArrayRef = Arc::new(Int64Array::from(vec![7; batch.rows()]));
            batch.columns.push(Column::new("meta.new", data));
        };
        let outcome = run(&dir, input, "out.parquet", &[text_field()], PLAIN, new).unwrap();
        let meta = read_parquet(&outcome.files[0]);
        let meta = meta.column_by_name("meta").unwrap().as_struct();
        assert_eq!(meta.null_count(), 0, "{input}");
        let lang = meta.column_by_name("lang").unwrap();
        assert!(
            lang.as_string::<i32>().iter().eq(langs),
            "{input}: {lang:?}"
        );
        let deep = meta.column_by_name("deep").unwrap();
        assert!(deep.is_null(1), "{input}: {deep:?}");
    }
    // Of columns also those fields can be had that nobody has asked for.
    for input in ["in.parquet", "in.arrow"] {
        run(&dir, input, "out.jsonl", &[text_field()], PLAIN, |batch| {
            let lang = batch.field("meta.lang").unwrap();
            let values = arrow::compute::cast(&lang, &DataType::Utf8View).unwrap();
            assert!(
                values.as_string_view().iter().eq(langs),
                "{input}: {lang:?}"
            );
            let x = batch.field("meta.deep.x").unwrap();
            let x = x.as_primitive::<arrow::datatypes::Int64Type>();
            assert!(x.iter().eq(xs), "{input}: {x:?}");
        })
        .unwrap();
    }
}
