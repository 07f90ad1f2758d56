//! Columns that are alike, that differ between files, or that a format has no type for: no value
//! changes without a word.

use std::fs::File;
use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::*;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::{ArrowWriter, encode_arrow_schema};
use parquet::basic::{BrotliLevel, Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};
use serde_json::{Value, json};

use crate::harness::{Case, Ran};
use crate::hostile::{KEEP, run_on};

fn table(columns: Vec<(Field, ArrayRef)>) -> RecordBatch {
    let (fields, columns): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// A column that may be null.
fn column<A: Array + 'static>(name: &str, array: A) -> (Field, ArrayRef) {
    (
        Field::new(name, array.data_type().clone(), true),
        Arc::new(array),
    )
}

fn text(rows: usize) -> (Field, ArrayRef) {
    column(
        "text",
        StringArray::from_iter_values((0..rows).map(|i| format!("row {i}"))),
    )
}

fn parquet_of(rows: &RecordBatch, properties: WriterProperties) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut out, rows.schema(), Some(properties)).unwrap();
    writer.write(rows).unwrap();
    writer.close().unwrap();
    out
}

fn parquet(rows: &RecordBatch) -> Vec<u8> {
    parquet_of(rows, WriterProperties::default())
}

fn arrow(rows: &RecordBatch) -> Vec<u8> {
    let mut writer = arrow::ipc::writer::FileWriter::try_new(Vec::new(), &rows.schema()).unwrap();
    writer.write(rows).unwrap();
    writer.into_inner().unwrap()
}

/// Keeps all rows of files of these names and contents, through a checkpoint after every op.
fn keep(files: &[(&str, Vec<u8>)], export: &str) -> (Case, Ran) {
    let case = Case::new();
    files
        .iter()
        .for_each(|(name, content)| case.write(&format!("in/{name}"), content));
    let ran = case.run(&format!(
        "{KEEP}dataset_path: in\nexport_path: out/{export}\ncheckpoint: {{strategy: every_op}}\n"
    ));
    (case, ran)
}

fn lines(ran: &Ran) -> Vec<Value> {
    ran.text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn read_parquet(case: &Case) -> RecordBatch {
    let file = File::open(case.path("out/result.parquet")).unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let schema = builder.schema().clone();
    let batches: Vec<_> = builder.build().unwrap().collect::<Result<_, _>>().unwrap();
    arrow::compute::concat_batches(&schema, &batches).unwrap()
}

fn read_arrow(case: &Case) -> RecordBatch {
    let reader = arrow::ipc::reader::StreamReader::try_new(
        File::open(case.path("out/result.arrow")).unwrap(),
        None,
    )
    .unwrap();
    let schema = reader.schema();
    arrow::compute::concat_batches(&schema, &reader.collect::<Result<Vec<_>, _>>().unwrap())
        .unwrap()
}

#[test]
fn columns_of_one_name_are_refused_with_their_places() {
    let twice = table(vec![
        text(2),
        column("v", Int64Array::from(vec![10, 20])),
        column("v", Int64Array::from(vec![100, 200])),
    ]);
    let member = |name: &str| Arc::new(Field::new(name, DataType::Int64, true));
    let members = StructArray::new(
        vec![member("a"), member("b"), member("a")].into(),
        (0..3)
            .map(|n| Arc::new(Int64Array::from(vec![n, n])) as ArrayRef)
            .collect(),
        None,
    );
    let inner = table(vec![text(2), column("m", members)]);
    for export in ["result.jsonl", "result.parquet", "result.arrow"] {
        let words = [
            "columns 2 and 3 are both called `v`",
            "give each column a name of its own",
        ];
        keep(&[("a.parquet", parquet(&twice))], export)
            .1
            .failed(2, &words)
            .failed(2, &["a.parquet"]);
        keep(&[("a.arrow", arrow(&twice))], export)
            .1
            .failed(2, &words);
        keep(&[("a.arrow", arrow(&inner))], export).1.failed(
            2,
            &["a.arrow", "in `m` columns 1 and 3 are both called `a`"],
        );
    }
    run_on("in.csv", "text,name,name\na,b,c\n")
        .failed(2, &["in.csv:1", "columns 2 and 3 are both called `name`"]);
    run_on("in.tsv", "\u{feff}text\ttext\na\tb\n")
        .failed(2, &["in.tsv:1", "columns 1 and 2 are both called `text`"]);
    run_on("in.csv", "text,,\na,b,c\n").failed(2, &["columns 2 and 3 have no name"]);
    assert_eq!(
        run_on("in.csv", "text,\na,b\n").ok().text(),
        "{\"text\":\"a\",\"\":\"b\"}\n"
    );
}

#[test]
fn names_that_differ_by_case_stay_two_columns() {
    let both = table(vec![text(1), column("Text", Int64Array::from(vec![7]))]);
    let (_, ran) = keep(&[("a.parquet", parquet(&both))], "result.jsonl");
    assert!(
        ran.stderr.contains("`text` and `Text` differ by case only"),
        "{}",
        ran.stderr
    );
    assert_eq!(lines(&ran.ok()), [json!({"text": "row 0", "Text": 7})]);
    let case = Case::with_input("{\"text\": \"a\", \"TEXT\": 1}\n");
    let ran = case
        .run(&format!("{KEEP}export_path: out/result.parquet\n"))
        .ok();
    assert!(
        ran.stderr.contains("`text` and `TEXT` differ by case only"),
        "{}",
        ran.stderr
    );
    assert_eq!(read_parquet(&case).num_columns(), 2);
}

/// The names that a checkpoint gives to its own columns.
#[test]
fn columns_may_have_any_name() {
    let names = [
        "__row__",
        "__raw__",
        "__patch__",
        "__dj__stats__.text_len",
        "changed",
        "a.b",
    ];
    let mut columns = vec![text(2)];
    columns.extend(
        names
            .iter()
            .enumerate()
            .map(|(i, name)| column(name, Int64Array::from(vec![i as i64, 7]))),
    );
    let rows = table(columns);
    for format in ["parquet", "arrow", "jsonl"] {
        let case = Case::new();
        case.write("in.parquet", parquet(&rows));
        let ran = case.run(&format!(
            "dataset_path: in.parquet\nexport_path: out/result.arrow\ncheckpoint: {{strategy: every_op}}\nintermediate_storage: {{format: {format}}}\n\
             process:\n  - clean_email_mapper:\n  - document_deduplicator:\n  - clean_links_mapper:\n"
        ));
        ran.ok();
        assert_eq!(read_arrow(&case), rows, "{format}");
    }
}

#[test]
fn whole_numbers_beside_fractions_stay_exact_or_are_refused() {
    let ids = |ids: &[i64]| {
        table(vec![
            text(ids.len()),
            column("id", Int64Array::from(ids.to_vec())),
        ])
    };
    let scores = table(vec![text(1), column("id", Float64Array::from(vec![1.5]))]);
    let lossy = ids(&[1, 4_873_214_862_074_861_313]);
    // The footer of a Parquet file tells it beforehand.
    for export in ["result.jsonl", "result.parquet"] {
        let (_, ran) = keep(
            &[
                ("a.parquet", parquet(&lossy)),
                ("b.parquet", parquet(&scores)),
            ],
            export,
        );
        ran.failed(
            2,
            &[
                "a.parquet",
                "column `id`",
                "4873214862074861313 of type Int64, which Float64",
                "b.parquet",
            ],
        );
    }
    // Otherwise each value is looked at.
    let hidden = WriterProperties::builder()
        .set_statistics_enabled(parquet::file::properties::EnabledStatistics::None)
        .build();
    for (name, content) in [
        ("a.arrow", arrow(&lossy)),
        ("a.parquet", parquet_of(&lossy, hidden)),
    ] {
        let (case, ran) = keep(
            &[(name, content), ("b.parquet", parquet(&scores))],
            "result.parquet",
        );
        let ran = ran.ok();
        let entry = &ran.quarantine[0];
        let reason = entry["reason"].as_str().unwrap();
        assert!(
            reason.contains("`id` is 4873214862074861313 of type Int64, which Float64"),
            "{reason}"
        );
        assert!(
            entry["file"].as_str().unwrap().ends_with(name) && entry["line"] == 2,
            "{entry}"
        );
        assert!(
            entry["row"]
                .as_str()
                .unwrap()
                .contains("4873214862074861313"),
            "{entry}"
        );
        assert_eq!(
            read_parquet(&case).column(1).as_ref(),
            &Float64Array::from(vec![1.0, 1.5]) as &dyn Array
        );
    }
    let exact = ids(&[1, 9_007_199_254_740_992, -(1 << 60)]);
    let (case, ran) = keep(
        &[
            ("a.parquet", parquet(&exact)),
            ("b.parquet", parquet(&scores)),
        ],
        "result.parquet",
    );
    assert!(ran.ok().quarantine.is_empty());
    let expected = Float64Array::from(vec![
        1.0,
        9_007_199_254_740_992.0,
        -((1i64 << 60) as f64),
        1.5,
    ]);
    assert_eq!(
        read_parquet(&case).column(1).as_ref(),
        &expected as &dyn Array
    );
}

#[test]
fn values_in_lists_and_structs_are_looked_at_too() {
    let list = |values: ArrayRef| {
        let item = Arc::new(Field::new_list_field(values.data_type().clone(), true));
        let lists = ListArray::new(item, OffsetBuffer::new(vec![0, 1, 3].into()), values, None);
        let fields = vec![Field::new("x", lists.data_type().clone(), true)];
        table(vec![
            text(2),
            column(
                "m",
                StructArray::new(fields.into(), vec![Arc::new(lists)], None),
            ),
        ])
    };
    let (a, b) = (
        list(Arc::new(Int64Array::from(vec![1, 2, i64::MAX]))),
        list(Arc::new(Float32Array::from(vec![0.5, 1.0, 2.0]))),
    );
    let (_, ran) = keep(
        &[("a.parquet", parquet(&a)), ("b.parquet", parquet(&b))],
        "result.jsonl",
    );
    let ran = ran.ok();
    assert_eq!(
        lines(&ran)
            .iter()
            .map(|row| row["m"]["x"].clone())
            .collect::<Vec<_>>(),
        [json!([1.0]), json!([0.5]), json!([1.0, 2.0])]
    );
    assert_eq!(
        (ran.quarantine.len(), &ran.quarantine[0]["line"]),
        (1, &json!(2))
    );
}

#[test]
fn json_and_csv_lose_no_digit() {
    let rows = "{\"text\": \"a\", \"id\": 4873214862074861313, \"n\": 9007199254740992}\n{\"text\": \"b\", \"id\": 1.5, \"n\": 0.5}\n";
    let case = Case::with_input(rows);
    let ran = case
        .run(&format!("{KEEP}export_path: out/result.parquet\n"))
        .ok();
    assert!(
        ran.stderr.contains("column `id`") && ran.stderr.contains("written as text"),
        "{}",
        ran.stderr
    );
    let found = read_parquet(&case);
    assert_eq!(
        found.column(1).as_ref(),
        &StringArray::from(vec!["4873214862074861313", "1.5"]) as &dyn Array
    );
    assert_eq!(
        found.column(2).as_ref(),
        &Float64Array::from(vec![9_007_199_254_740_992.0, 0.5]) as &dyn Array
    );
    let csv = "text,id,money\na,4873214862074861313,12345678901234567.89\nb,1.5,2\n";
    assert_eq!(
        run_on("in.csv", csv).ok().text(),
        "{\"text\":\"a\",\"id\":4873214862074861313,\"money\":12345678901234567.89}\n{\"text\":\"b\",\"id\":1.5,\"money\":2.0}\n"
    );
}

#[test]
fn filters_compare_large_numbers_exactly() {
    let numbers = [
        9_007_199_254_740_991i64,
        9_007_199_254_740_992,
        9_007_199_254_740_993,
    ];
    let rows: String = numbers
        .iter()
        .map(|n| format!("{{\"text\": \"a\", \"id\": {n}}}\n"))
        .collect();
    let columns = table(vec![
        text(3),
        column("id", Int64Array::from(numbers.to_vec())),
    ]);
    let filters = [
        "specified_numeric_field_filter: {field_key: id, min_value: 9007199254740992, min_closed_interval: false}",
        "specified_numeric_field_filter: {field_key: id, min_value: 9007199254740993}",
        "general_field_filter: {filter_condition: 'id > 9007199254740992'}",
    ];
    for filter in filters {
        for (name, content) in [
            ("in.jsonl", rows.clone().into_bytes()),
            ("in.parquet", parquet(&columns)),
        ] {
            let case = Case::new();
            case.write(name, content);
            let ran = case
                .run(&format!("dataset_path: {name}\nprocess:\n  - {filter}\n"))
                .ok();
            assert_eq!(
                lines(&ran)
                    .iter()
                    .map(|row| row["id"].clone())
                    .collect::<Vec<_>>(),
                [json!(numbers[2])],
                "{filter} {name}"
            );
        }
    }
}

/// What an operator reads in another type than the column has: a step after a checkpoint must write
/// the column and not that.
#[test]
fn checkpoints_keep_native_values_and_what_has_changed() {
    let member = |name: &str, array: ArrayRef| {
        (
            Arc::new(Field::new(name, array.data_type().clone(), true)),
            array,
        )
    };
    let meta = StructArray::from(vec![
        member(
            "text",
            Arc::new(StringArray::from(vec!["mail a@example.com", "nothing"])),
        ),
        member("n", Arc::new(Int64Array::from(vec![i64::MAX, 1]))),
    ]);
    let rows = table(vec![
        text(2),
        column("meta", meta),
        column("id", Int64Array::from(vec![9_007_199_254_740_993, 1])),
    ]);
    for (strategy, format) in [
        ("disabled", "parquet"),
        ("every_op", "parquet"),
        ("every_op", "arrow"),
        ("every_op", "jsonl"),
    ] {
        for export in ["jsonl", "parquet"] {
            let case = Case::new();
            case.write("in.parquet", parquet(&rows));
            let ran = case.run(&format!(
                "dataset_path: in.parquet\nexport_path: out/result.{export}\ntext_keys: meta.text\ncheckpoint: {{strategy: {strategy}}}\n\
                 intermediate_storage: {{format: {format}}}\nprocess:\n  - clean_email_mapper:\n  - general_field_filter: {{filter_condition: 'meta.n > 0 \
                 and id > 0 and meta != 1'}}\n  - document_deduplicator:\n  - text_length_filter: {{min_len: 1}}\n"
            ));
            let ran = ran.ok();
            let meta = |text: &str, n: i64| json!({"text": text, "n": n});
            let expected = [
                json!({"text": "row 0", "meta": meta("mail ", i64::MAX), "id": 9_007_199_254_740_993i64}),
                json!({"text": "row 1", "meta": meta("nothing", 1), "id": 1}),
            ];
            let found = match export {
                "jsonl" => lines(&ran),
                _ => {
                    let found = read_parquet(&case);
                    assert_eq!(found.schema().fields(), rows.schema().fields());
                    let mut out = Vec::new();
                    let mut writer = arrow_json::LineDelimitedWriter::new(&mut out);
                    writer.write(&found).unwrap();
                    writer.finish().unwrap();
                    std::str::from_utf8(&out)
                        .unwrap()
                        .lines()
                        .map(|line| serde_json::from_str(line).unwrap())
                        .collect()
                }
            };
            assert_eq!(found, expected, "{strategy} {format} {export}");
        }
    }
}

#[test]
fn times_keep_their_types_in_parquet() {
    let rows = table(vec![
        text(2),
        column("s", TimestampSecondArray::from(vec![Some(1), None])),
        column(
            "zoned",
            TimestampSecondArray::from(vec![1, 2]).with_timezone("Europe/Berlin"),
        ),
        column("day", Date64Array::from(vec![86_400_000, -86_400_000])),
        column("clock", Time32SecondArray::from(vec![1, 2])),
        column("span", DurationSecondArray::from(vec![1, 2])),
    ]);
    let (case, ran) = keep(&[("a.arrow", arrow(&rows))], "result.parquet");
    ran.ok();
    // As pyarrow writes them.
    let expected = table(vec![
        text(2),
        column("s", TimestampMillisecondArray::from(vec![Some(1000), None])),
        column(
            "zoned",
            TimestampMillisecondArray::from(vec![1000, 2000]).with_timezone("Europe/Berlin"),
        ),
        column("day", Date32Array::from(vec![1, -1])),
        column("clock", Time32MillisecondArray::from(vec![1000, 2000])),
        column("span", DurationSecondArray::from(vec![1, 2])),
    ]);
    assert_eq!(read_parquet(&case), expected);
    // Arrow has them all.
    let (case, ran) = keep(&[("a.arrow", arrow(&rows))], "result.arrow");
    ran.ok();
    assert_eq!(read_arrow(&case), rows);
    // Half a day is no date.
    let odd = table(vec![
        text(3),
        column("day", Date64Array::from(vec![86_400_000, 43_200_000, 0])),
    ]);
    let (case, ran) = keep(&[("a.arrow", arrow(&odd))], "result.parquet");
    let ran = ran.ok();
    assert_eq!(
        (ran.quarantine.len(), &ran.quarantine[0]["line"]),
        (1, &json!(2))
    );
    assert!(
        ran.quarantine[0]["reason"]
            .as_str()
            .unwrap()
            .contains("`day` is 1970-01-01T12:00:00 of type Date64"),
        "{}",
        ran.quarantine[0]
    );
    assert_eq!(
        read_parquet(&case).column(1).as_ref(),
        &Date32Array::from(vec![1, 0]) as &dyn Array
    );
}

#[test]
fn objects_without_members_stay_objects() {
    let rows = "{\"text\":\"a\",\"e\":{},\"l\":[{}]}\n{\"text\":\"b\",\"e\":null,\"l\":[]}\n";
    let case = Case::with_input(rows);
    let ran = case
        .run(&format!("{KEEP}export_path: out/result.parquet\n"))
        .ok();
    assert!(
        ran.stderr
            .contains("column `e` has objects without members"),
        "{}",
        ran.stderr
    );
    // Back in JSON it is what it was.
    let back = Case::new();
    back.write(
        "in.parquet",
        std::fs::read(case.path("out/result.parquet")).unwrap(),
    );
    assert_eq!(
        back.run(&format!("{KEEP}dataset_path: in.parquet\n"))
            .ok()
            .text(),
        rows
    );
    // Arrow has such a type; a column of it becomes a map on the way to Parquet.
    let case = Case::with_input(rows);
    case.run(&format!("{KEEP}export_path: out/result.arrow\n"))
        .ok();
    assert_eq!(
        read_arrow(&case).column(1).data_type(),
        &DataType::Struct(Fields::empty())
    );
    let (case, ran) = keep(
        &[(
            "a.arrow",
            std::fs::read(case.path("out/result.arrow")).unwrap(),
        )],
        "result.parquet",
    );
    ran.ok();
    let found = read_parquet(&case);
    assert_eq!(
        (
            found.column(1).as_map().value_length(0),
            found.column(1).is_null(1)
        ),
        (0, true)
    );
}

#[test]
fn what_libraries_say_of_columns_survives() {
    let features = r#"{"info":{"features":{"text":{"dtype":"string","_type":"Value"},"label":{"names":["no","yes"],"_type":"ClassLabel"}}}}"#;
    let schema = Schema::new_with_metadata(
        vec![
            Field::new("text", DataType::Utf8, true).with_metadata([("note", "the text")]),
            Field::new("label", DataType::Int64, true)
                .with_metadata([("ARROW:extension:name", "example")]),
        ],
        [("huggingface", features), ("pandas", "{\"columns\":[]}")],
    );
    let rows = RecordBatch::try_new(
        Arc::new(schema),
        vec![text(2).1, Arc::new(Int64Array::from(vec![0, 1]))],
    )
    .unwrap();
    for (name, content) in [("a.parquet", parquet(&rows)), ("a.arrow", arrow(&rows))] {
        for export in ["parquet", "arrow"] {
            let case = Case::new();
            case.write(name, content.clone());
            case.run(&format!(
                "dataset_path: {name}\nexport_path: out/result.{export}\nkeep_stats_in_res_ds: true\ncheckpoint: {{strategy: every_op}}\nprocess:\n  - \
                 clean_email_mapper:\n  - text_length_filter: {{min_len: 1}}\n"
            ))
            .ok();
            let found = if export == "parquet" {
                read_parquet(&case)
            } else {
                read_arrow(&case)
            };
            let schema = found.schema();
            assert_eq!(schema.field(0).metadata().get("note").unwrap(), "the text");
            assert_eq!(
                schema
                    .field(1)
                    .metadata()
                    .get("ARROW:extension:name")
                    .unwrap(),
                "example"
            );
            assert_eq!(schema.metadata().get("pandas").unwrap(), "{\"columns\":[]}");
            let described: Value =
                serde_json::from_str(schema.metadata().get("huggingface").unwrap()).unwrap();
            let expected = json!({
                "text": {"dtype": "string", "_type": "Value"},
                "label": {"names": ["no", "yes"], "_type": "ClassLabel"},
                "__dj__stats__": {"text_len": {"dtype": "int64", "_type": "Value"}},
            });
            assert_eq!(described["info"]["features"], expected, "{name} {export}");
        }
    }
    // Where the other programs look: beside Arrow's schema.
    let case = Case::new();
    case.write("in.parquet", parquet(&rows));
    case.run(&format!(
        "{KEEP}dataset_path: in.parquet\nexport_path: out/result.parquet\n"
    ))
    .ok();
    let reader = parquet::file::reader::SerializedFileReader::new(
        File::open(case.path("out/result.parquet")).unwrap(),
    )
    .unwrap();
    let footer = parquet::file::reader::FileReader::metadata(&reader).file_metadata();
    let keys: Vec<&str> = footer
        .key_value_metadata()
        .unwrap()
        .iter()
        .map(|kv| kv.key.as_str())
        .collect();
    assert_eq!(keys, ["huggingface", "pandas", "ARROW:schema"]);
}

/// pyarrow writes seconds as milliseconds, and the zone where only the writer's schema has it.
#[test]
fn a_zone_that_only_the_schema_of_the_writer_has_is_kept() {
    let milliseconds = || TimestampMillisecondArray::from(vec![5000]).with_timezone("UTC");
    let seconds = Field::new(
        "at",
        DataType::Timestamp(TimeUnit::Second, Some("America/New_York".into())),
        true,
    );
    let written = Schema::new(vec![text(1).0, seconds]);
    let schema = parquet::file::metadata::KeyValue::new(
        "ARROW:schema".to_owned(),
        encode_arrow_schema(&written),
    );
    let properties = WriterProperties::builder()
        .set_key_value_metadata(Some(vec![schema]))
        .build();
    let rows = table(vec![text(1), column("at", milliseconds())]);
    let mut content = Vec::new();
    let options = ArrowWriterOptions::new()
        .with_properties(properties)
        .with_skip_arrow_metadata(true);
    let mut writer =
        ArrowWriter::try_new_with_options(&mut content, rows.schema(), options).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
    let (_, ran) = keep(&[("a.parquet", content)], "result.jsonl");
    assert_eq!(lines(&ran.ok())[0]["at"], "1969-12-31T19:00:05-05:00");
}

#[test]
fn zones_and_maps_of_all_keys_become_json() {
    let mut map = MapBuilder::new(None, Int32Builder::new(), StringBuilder::new());
    map.keys().append_value(-1);
    map.values().append_null();
    map.keys().append_value(2);
    map.values().append_value("b");
    map.append(true).unwrap();
    map.append(true).unwrap();
    map.append(false).unwrap();
    let times = || TimestampMicrosecondArray::from(vec![0, 1_000_000, -1]);
    let rows = table(vec![
        text(3),
        column("utc", times().with_timezone("UTC")),
        column("berlin", times().with_timezone("Europe/Berlin")),
        column("fixed", times().with_timezone("+05:30")),
        column("map", map.finish()),
    ]);
    let expected = |row: &Value| {
        assert_eq!(row["utc"], "1970-01-01T00:00:00Z");
        assert_eq!(row["berlin"], "1970-01-01T01:00:00+01:00");
        assert_eq!(row["fixed"], "1970-01-01T05:30:00+05:30");
        assert_eq!(row["map"], json!({"-1": null, "2": "b"}));
    };
    let (_, ran) = keep(&[("a.parquet", parquet(&rows))], "result.jsonl");
    let found = lines(&ran.ok());
    expected(&found[0]);
    assert_eq!(
        (&found[1]["map"], &found[2]["map"]),
        (&json!({}), &Value::Null)
    );
    // An op that reads them, and one that takes whole rows.
    let case = Case::new();
    case.write("in.arrow", arrow(&rows));
    let recipe = "dataset_path: in.arrow\nprocess:\n  - general_field_filter: {filter_condition: \"'2' in map and utc < '1970-01-02'\"}\n";
    let ran = case.run(recipe).ok();
    assert_eq!(ran.text().lines().count(), 1);
    expected(&lines(&ran)[0]);
    let case = Case::new();
    case.write("in.parquet", parquet(&rows));
    let ran = case
        .run("dataset_path: in.parquet\nprocess:\n  - naive_grouper:\n  - naive_reverse_grouper:\n")
        .ok();
    expected(&lines(&ran)[0]);
}

#[test]
fn all_codecs_and_encodings_of_parquet_are_read() {
    let rows = table(vec![
        text(500),
        column("n", Int64Array::from_iter_values((0..500).map(|n| n * n))),
        column(
            "f",
            Float64Array::from_iter_values((0..500).map(|n| f64::from(n) / 8.0)),
        ),
    ]);
    let (_, ran) = keep(&[("a.parquet", parquet(&rows))], "result.jsonl");
    let expected = ran.ok().text().to_owned();
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ];
    for codec in codecs {
        let (_, ran) = keep(
            &[(
                "a.parquet",
                parquet_of(
                    &rows,
                    WriterProperties::builder().set_compression(codec).build(),
                ),
            )],
            "result.jsonl",
        );
        assert_eq!(ran.ok().text(), expected, "{codec:?}");
    }
    for (of_text, of_n, of_f) in [
        (Encoding::PLAIN, Encoding::PLAIN, Encoding::PLAIN),
        (
            Encoding::DELTA_LENGTH_BYTE_ARRAY,
            Encoding::DELTA_BINARY_PACKED,
            Encoding::BYTE_STREAM_SPLIT,
        ),
        (
            Encoding::DELTA_BYTE_ARRAY,
            Encoding::BYTE_STREAM_SPLIT,
            Encoding::PLAIN,
        ),
    ] {
        let properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_2_0)
            .set_dictionary_enabled(false)
            .set_column_encoding("text".into(), of_text)
            .set_column_encoding("n".into(), of_n)
            .set_column_encoding("f".into(), of_f)
            .build();
        let (_, ran) = keep(
            &[("a.parquet", parquet_of(&rows, properties))],
            "result.jsonl",
        );
        assert_eq!(ran.ok().text(), expected, "{of_text} {of_n} {of_f}");
    }
}

#[test]
fn layouts_widths_and_units_of_shards_unite() {
    let item = || Arc::new(Field::new_list_field(DataType::Int32, true));
    let a = table(vec![
        text(1),
        column(
            "list",
            ListArray::new(
                item(),
                OffsetBuffer::new(vec![0, 2].into()),
                Arc::new(Int32Array::from(vec![1, 2])),
                None,
            ),
        ),
        column("bytes", BinaryArray::from(vec![&b"ab"[..]])),
        column(
            "money",
            Decimal128Array::from(vec![1234])
                .with_precision_and_scale(5, 2)
                .unwrap(),
        ),
        column(
            "at",
            TimestampSecondArray::from(vec![7]).with_timezone("UTC"),
        ),
        column(
            "kind",
            vec!["x"].into_iter().collect::<DictionaryArray<Int8Type>>(),
        ),
    ]);
    let b = table(vec![
        column("kind", StringArray::from(vec!["y"])),
        column(
            "at",
            TimestampMicrosecondArray::from(vec![8]).with_timezone("+00:00"),
        ),
        column(
            "money",
            Decimal128Array::from(vec![50])
                .with_precision_and_scale(20, 1)
                .unwrap(),
        ),
        column("bytes", LargeBinaryArray::from(vec![&b"c"[..]])),
        column(
            "list",
            LargeListArray::new(
                item(),
                OffsetBuffer::new(vec![0, 1].into()),
                Arc::new(Int32Array::from(vec![3])),
                None,
            ),
        ),
        text(1),
    ]);
    let expected = table(vec![
        column("text", StringArray::from(vec!["row 0", "row 0"])),
        column(
            "list",
            LargeListArray::new(
                item(),
                OffsetBuffer::new(vec![0, 2, 3].into()),
                Arc::new(Int32Array::from(vec![1, 2, 3])),
                None,
            ),
        ),
        column("bytes", LargeBinaryArray::from(vec![&b"ab"[..], b"c"])),
        column(
            "money",
            Decimal128Array::from(vec![1234, 500])
                .with_precision_and_scale(21, 2)
                .unwrap(),
        ),
        column(
            "at",
            TimestampMicrosecondArray::from(vec![7_000_000, 8]).with_timezone("UTC"),
        ),
        column("kind", StringArray::from(vec!["x", "y"])),
    ]);
    for write in [parquet, arrow] {
        let suffix = if write(&a).starts_with(b"PAR1") {
            "parquet"
        } else {
            "arrow"
        };
        let files = [
            (format!("a.{suffix}"), write(&a)),
            (format!("b.{suffix}"), write(&b)),
        ];
        let files: Vec<(&str, Vec<u8>)> = files
            .iter()
            .map(|(name, content)| (name.as_str(), content.clone()))
            .collect();
        let (case, ran) = keep(&files, "result.arrow");
        ran.ok();
        assert_eq!(read_arrow(&case), expected, "{suffix}");
        let (case, ran) = keep(&files, "result.parquet");
        ran.ok();
        assert_eq!(read_parquet(&case), expected, "{suffix}");
    }
    // A time that the finer unit does not reach.
    let far = table(vec![
        text(2),
        column("at", TimestampSecondArray::from(vec![1, 1 << 45])),
    ]);
    let near = table(vec![
        text(1),
        column("at", TimestampNanosecondArray::from(vec![5])),
    ]);
    let (_, ran) = keep(
        &[("a.arrow", arrow(&far)), ("b.arrow", arrow(&near))],
        "result.arrow",
    );
    let ran = ran.ok();
    assert_eq!(
        (
            ran.summary["ledger"]["output"].as_u64(),
            ran.quarantine.len()
        ),
        (Some(2), 1)
    );
    // Zones are not times: which one would it be?
    let berlin = table(vec![
        text(1),
        column(
            "at",
            TimestampSecondArray::from(vec![7]).with_timezone("Europe/Berlin"),
        ),
    ]);
    let (_, ran) = keep(
        &[("a.parquet", parquet(&a)), ("b.arrow", arrow(&berlin))],
        "result.arrow",
    );
    ran.failed(
        2,
        &["b.arrow", "column `at` is", "Europe/Berlin", "a.parquet"],
    );
}

#[test]
fn types_that_parquet_does_not_hold_are_refused_before_the_job() {
    let fields = UnionFields::try_new(
        vec![0, 1],
        vec![
            Field::new("n", DataType::Int32, true),
            Field::new("s", DataType::Utf8, true),
        ],
    )
    .unwrap();
    let children: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(vec![5])),
        Arc::new(StringArray::from(vec!["five"])),
    ];
    let union = UnionArray::try_new(
        fields,
        vec![0, 1].into(),
        Some(ScalarBuffer::from(vec![0, 0])),
        children,
    )
    .unwrap();
    let span = IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(1, 2, 3); 2]);
    let rows = table(vec![text(2), column("u", union), column("span", span)]);
    let (case, ran) = keep(&[("a.arrow", arrow(&rows))], "result.parquet");
    ran.failed(
        2,
        &[
            "column `u` is Union",
            "column `span` is Interval",
            "Parquet has no type for that",
            "export as `.arrow`",
        ],
    );
    assert!(!case.path("work").exists());
    // Arrow holds them, checkpoints included, and JSON has the values.
    let (case, ran) = keep(&[("a.arrow", arrow(&rows))], "result.arrow");
    ran.ok();
    assert_eq!(
        read_arrow(&case).column(1).as_ref(),
        rows.column(1).as_ref()
    );
    let (_, ran) = keep(&[("a.arrow", arrow(&rows))], "result.jsonl");
    assert_eq!(
        lines(&ran.ok())
            .iter()
            .map(|row| row["u"].clone())
            .collect::<Vec<_>>(),
        [json!(5), json!("five")]
    );
}

/// As Spark writes them: without Arrow's schema.
#[test]
fn times_of_96_bits_reach_the_year_9999() {
    use parquet::data_type::{ByteArray, ByteArrayType, Int96, Int96Type};
    let schema = "message spark { optional binary text (STRING); optional int96 at; }";
    let schema = Arc::new(parquet::schema::parser::parse_message_type(schema).unwrap());
    let mut writer =
        parquet::file::writer::SerializedFileWriter::new(Vec::new(), schema, Arc::default())
            .unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column
        .typed::<ByteArrayType>()
        .write_batch(
            &[ByteArray::from("a"), ByteArray::from("b")],
            Some(&[1, 1]),
            None,
        )
        .unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    // Nanoseconds of the day, and the Julian day, of which 2,440,588 is 1970-01-01.
    let at = |nanos: u64, day: u32| {
        let mut value = Int96::new();
        value.set_data(nanos as u32, (nanos >> 32) as u32, day);
        value
    };
    column
        .typed::<Int96Type>()
        .write_batch(
            &[at(0, 5_373_484), at(3_600_000_000_000 + 1_000, 2_440_588)],
            Some(&[1, 1]),
            None,
        )
        .unwrap();
    column.close().unwrap();
    group.close().unwrap();
    let (_, ran) = keep(
        &[("a.parquet", writer.into_inner().unwrap())],
        "result.jsonl",
    );
    let at: Vec<Value> = lines(&ran.ok())
        .iter()
        .map(|row| row["at"].clone())
        .collect();
    assert_eq!(
        at,
        [
            json!("9999-12-31T00:00:00"),
            json!("1970-01-01T01:00:00.000001")
        ]
    );
}
