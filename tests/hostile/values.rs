//! Values that a format cannot hold, or holds otherwise: the table of `host/FORMATS.md`, cell by
//! cell.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields, Int32Type, IntervalMonthDayNano, i256};
use serde_json::{Value, json};

use crate::harness::{Case, Ran};
use crate::hostile::run_on;

fn table(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, column)| (name, column, true)),
    )
    .unwrap()
}

fn texts(rows: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(
        (0..rows).map(|i| format!("row {i}")),
    ))
}

fn parquet(table: &RecordBatch) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut out, table.schema(), None).unwrap();
    writer.write(table).unwrap();
    writer.close().unwrap();
    out
}

fn ipc(table: &RecordBatch) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = arrow::ipc::writer::FileWriter::try_new(&mut out, &table.schema()).unwrap();
    writer.write(table).unwrap();
    writer.finish().unwrap();
    drop(writer);
    out
}

fn read(path: &Path) -> RecordBatch {
    let (schema, batches): (_, Vec<RecordBatch>) = if path.extension().unwrap() == "parquet" {
        let builder = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(
            File::open(path).unwrap(),
        )
        .unwrap();
        (
            builder.schema().clone(),
            builder.build().unwrap().map(Result::unwrap).collect(),
        )
    } else {
        let reader =
            arrow::ipc::reader::StreamReader::try_new(File::open(path).unwrap(), None).unwrap();
        (reader.schema(), reader.map(Result::unwrap).collect())
    };
    arrow::compute::concat_batches(&schema, &batches).unwrap()
}

/// Runs `process` from the file `input` to `output`, and gives the export's bytes, or none if it
/// failed, with the case.
fn run(name: &str, input: impl AsRef<[u8]>, output: &str, process: &str) -> (Case, Ran) {
    let case = Case::new();
    case.write(name, input);
    let ran = case.run(&format!("max_quarantine_ratio: 1\ndataset_path: {name}\nexport_path: out/{output}\nprocess:\n{process}"));
    (case, ran)
}

const FILTER: &str = "  - text_length_filter: {min_len: 0}\n";

/// From a table to JSON lines.
#[track_caller]
fn to_lines(table: &RecordBatch) -> Ran {
    let [one, two] = [("in.parquet", parquet(table)), ("in.arrow", ipc(table))]
        .map(|(name, file)| run(name, file, "result.jsonl", FILTER).1.ok());
    assert_eq!(one.text(), two.text(), "Parquet and Arrow");
    one
}

/// From a file to Parquet and to Arrow.
#[track_caller]
fn to_table(name: &str, input: impl AsRef<[u8]>) -> (RecordBatch, Ran) {
    let ends = ["result.parquet", "result.arrow"].map(|output| {
        let (case, ran) = run(name, &input, output, FILTER);
        let ran = ran.ok();
        (read(&case.path("out").join(output)), ran)
    });
    let [(one, ran), (two, _)] = ends;
    assert_eq!(one.columns(), two.columns(), "Parquet and Arrow");
    (one, ran)
}

#[track_caller]
fn warned(ran: &Ran, parts: &[&str]) {
    let warnings = ran.summary["warnings"].to_string();
    for part in parts {
        assert!(warnings.contains(part), "`{part}` is not in {warnings}");
        assert!(
            ran.stderr.contains(part),
            "`{part}` is not in {}",
            ran.stderr
        );
    }
}

fn timestamps() -> RecordBatch {
    table(vec![
        ("text", texts(4)),
        (
            "ts",
            Arc::new(TimestampMicrosecondArray::from(vec![
                Some(1_577_840_523_000_456),
                Some(i64::MAX),
                None,
                Some(0),
            ])),
        ),
    ])
}

#[test]
fn what_has_no_text_goes_to_quarantine() {
    let ran = to_lines(&timestamps());
    assert_eq!(
        ran.text(),
        "{\"text\":\"row 0\",\"ts\":\"2020-01-01T01:02:03.000456\"}\n{\"text\":\"row 2\",\"ts\":null}\n{\"text\":\"row 3\",\"ts\":\"1970-01-01T00:00:00\"}\n"
    );
    let [entry] = &ran.quarantine[..] else {
        panic!("{:?}", ran.quarantine)
    };
    assert_eq!(
        entry["reason"],
        "`ts` is 9223372036854775807 of type Timestamp(µs), which has no text in JSON"
    );
    assert_eq!(
        (&entry["line"], &entry["row"]),
        (
            &json!(2),
            &json!("{\"text\":\"row 1\",\"ts\":9223372036854775807}")
        )
    );
    let ran = run(
        "in.parquet",
        parquet(&timestamps()),
        "result.jsonl",
        &format!("{FILTER}on_error: fail\n"),
    )
    .1;
    ran.failed(
        1,
        &[
            "the reader cannot process",
            "9223372036854775807 of type Timestamp(µs)",
        ],
    );
    // Columns hold it.
    let (found, ran) = to_table("in.parquet", parquet(&timestamps()));
    assert_eq!((found, ran.quarantine.len()), (timestamps(), 0));
}

#[test]
fn no_error_text_becomes_data() {
    let max = || Arc::new(TimestampSecondArray::from(vec![i64::MAX, 0])) as ArrayRef;
    let item = |ty: &DataType| Arc::new(Field::new_list_field(ty.clone(), true));
    let second = DataType::Timestamp(arrow::datatypes::TimeUnit::Second, None);
    let entries: Fields = vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", second.clone(), true),
    ]
    .into();
    let keys: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
    let pairs = StructArray::new(entries.clone(), vec![keys, max()], None);
    let entries = Arc::new(Field::new("entries", DataType::Struct(entries), false));
    let columns: Vec<ArrayRef> = vec![
        max(),
        Arc::new(TimestampNanosecondArray::from(vec![0, 1])),
        Arc::new(Date32Array::from(vec![i32::MAX, 0])),
        Arc::new(Date64Array::from(vec![i64::MIN, 0])),
        Arc::new(Time32SecondArray::from(vec![86_400, 0])),
        Arc::new(Time64MicrosecondArray::from(vec![-1, 0])),
        Arc::new(TimestampMillisecondArray::from(vec![i64::MIN, 0]).with_timezone("Europe/Berlin")),
        Arc::new(ListArray::new(
            item(&second),
            OffsetBuffer::new(vec![0, 1, 2].into()),
            max(),
            None,
        )),
        Arc::new(StructArray::from(vec![(
            Arc::new(Field::new("at", second.clone(), true)),
            max(),
        )])),
        Arc::new(MapArray::new(
            entries,
            OffsetBuffer::new(vec![0, 1, 2].into()),
            pairs,
            None,
            false,
        )),
    ];
    for column in columns {
        let name = column.data_type().to_string();
        let bad = usize::from(name != "Timestamp(ns)");
        let ran = run(
            "in.arrow",
            ipc(&table(vec![("text", texts(2)), ("c", column)])),
            "result.jsonl",
            FILTER,
        )
        .1
        .ok();
        assert_eq!(
            (ran.quarantine.len(), ran.text().lines().count()),
            (bad, 2 - bad),
            "{name}"
        );
        let all = format!("{}{:?}", ran.text(), ran.quarantine);
        assert!(!all.contains("ERROR") && !all.contains("invalid"), "{all}");
        if let Some(entry) = ran.quarantine.first() {
            let reason = entry["reason"].as_str().unwrap();
            assert!(
                reason.starts_with("`c` is ") && reason.ends_with("which has no text in JSON"),
                "{reason}"
            );
        }
    }
}

#[test]
fn durations_and_times_are_texts_by_the_standards() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("text", texts(2)),
        (
            "d",
            Arc::new(DurationSecondArray::from(vec![Some(i64::MAX), Some(-5)])),
        ),
        (
            "us",
            Arc::new(DurationMicrosecondArray::from(vec![Some(1_500_000), None])),
        ),
        ("date", Arc::new(Date32Array::from(vec![19_844, -1]))),
        (
            "time",
            Arc::new(Time64NanosecondArray::from(vec![1, 86_399_999_999_999])),
        ),
        (
            "utc",
            Arc::new(
                TimestampMillisecondArray::from(vec![0, 1_714_557_600_123]).with_timezone("UTC"),
            ),
        ),
        (
            "there",
            Arc::new(
                TimestampSecondArray::from(vec![0, 1_714_557_600]).with_timezone("Europe/Berlin"),
            ),
        ),
    ];
    let ran = to_lines(&table(columns));
    assert_eq!(
        ran.text().lines().collect::<Vec<_>>(),
        [
            r#"{"text":"row 0","d":"PT9223372036854775807S","us":"PT1.5S","date":"2024-05-01","time":"00:00:00.000000001","utc":"1970-01-01T00:00:00Z","there":"1970-01-01T01:00:00+01:00"}"#,
            r#"{"text":"row 1","d":"-PT5S","us":null,"date":"1969-12-31","time":"23:59:59.999999999","utc":"2024-05-01T10:00:00.123Z","there":"2024-05-01T12:00:00+02:00"}"#,
        ]
    );
    assert!(ran.quarantine.is_empty());
}

#[test]
fn numbers_that_are_not_finite() {
    let rows = "{\"text\": \"a\", \"x\": NaN}\n{\"text\": \"b\", \"x\": -Infinity, \"l\": [1.5, Infinity]}\n{\"text\": \"c\", \"x\": 1.5, \"n\": {\"y\": NaN}}\n";
    // JSON to JSON: byte for byte.
    assert_eq!(run_on("in.jsonl", rows).ok().text(), rows);
    // JSON to columns: they are such numbers there.
    let (found, ran) = to_table("in.jsonl", rows);
    let x = found
        .column_by_name("x")
        .unwrap()
        .as_primitive::<arrow::datatypes::Float64Type>();
    assert!(
        x.value(0).is_nan()
            && x.value(1) == f64::NEG_INFINITY
            && x.value(2) == 1.5
            && x.null_count() == 0
    );
    let list = found.column_by_name("l").unwrap().as_list::<i32>().value(1);
    assert_eq!(
        list.as_primitive::<arrow::datatypes::Float64Type>()
            .values(),
        &[1.5, f64::INFINITY]
    );
    let y = found
        .column_by_name("n")
        .unwrap()
        .as_struct()
        .column(0)
        .clone();
    assert!(
        y.as_primitive::<arrow::datatypes::Float64Type>()
            .value(2)
            .is_nan()
    );
    assert!(
        ran.summary.get("warnings").is_none(),
        "nothing is lost: {}",
        ran.summary["warnings"]
    );
    // Columns to JSON: as Python spells them, counted.
    let floats = table(vec![
        ("text", texts(4)),
        (
            "x",
            Arc::new(Float64Array::from(vec![
                Some(f64::NAN),
                Some(f64::INFINITY),
                Some(1.5),
                None,
            ])),
        ),
        (
            "f",
            Arc::new(Float32Array::from(vec![f32::NEG_INFINITY, 0.1, -0.0, 1.0])),
        ),
    ]);
    let ran = to_lines(&floats);
    assert_eq!(
        ran.text().lines().collect::<Vec<_>>(),
        [
            r#"{"text":"row 0","x":NaN,"f":-Infinity}"#,
            r#"{"text":"row 1","x":Infinity,"f":0.1}"#,
            r#"{"text":"row 2","x":1.5,"f":-0.0}"#,
            r#"{"text":"row 3","x":null,"f":1.0}"#,
        ]
    );
    warned(
        &ran,
        &[
            "field `x`: 2 values are NaN or infinite",
            "field `f`: 1 value is NaN or infinite",
        ],
    );
    // And so back.
    let (found, _) = to_table("in.jsonl", ran.text());
    assert!(found.column(1).to_data() == floats.column(1).to_data());
    // Columns to columns.
    assert!(
        to_table("in.parquet", parquet(&floats))
            .0
            .column(1)
            .to_data()
            == floats.column(1).to_data()
    );
    // CSV: in a column of numbers.
    let ran = run_on("in.csv", "text,x,word\na,nan,nan\nb,-inf,NaN\nc,1.5,x\n").ok();
    assert_eq!(
        ran.text(),
        "{\"text\":\"a\",\"x\":NaN,\"word\":\"nan\"}\n{\"text\":\"b\",\"x\":-Infinity,\"word\":\"NaN\"}\n{\"text\":\"c\",\"x\":1.5,\"word\":\"x\"}\n"
    );
    let (found, _) = to_table("in.csv", "text,x\na,nan\nb,-inf\nc,2\n");
    assert_eq!(
        found
            .column(1)
            .as_primitive::<arrow::datatypes::Float64Type>()
            .values()[1..],
        [f64::NEG_INFINITY, 2.0]
    );
}

#[test]
fn numbers_out_of_range() {
    let rows = [
        r#"{"text": "a", "x": 1e999, "u": 18446744073709551615, "big": 18446744073709551616, "s": 1, "m": 1e999}"#,
        r#"{"text": "b", "x": -1e999, "u": 1, "big": 1, "s": 18446744073709551615, "m": "word"}"#,
        r#"{"text": "c", "x": 1e-400, "u": 2, "big": -5, "s": -1}"#,
        r#"{"text": "d", "x": 0.1}"#,
    ]
    .join("\n")
        + "\n";
    assert_eq!(run_on("in.jsonl", &rows).ok().text(), rows);
    let (found, ran) = to_table("in.jsonl", &rows);
    let x = found
        .column_by_name("x")
        .unwrap()
        .as_primitive::<arrow::datatypes::Float64Type>();
    assert_eq!(x.values()[..], [f64::INFINITY, f64::NEG_INFINITY, 0.0, 0.1]);
    assert_eq!(
        found
            .column_by_name("u")
            .unwrap()
            .as_primitive::<arrow::datatypes::UInt64Type>()
            .value(0),
        u64::MAX
    );
    let text = |name: &str| {
        found
            .column_by_name(name)
            .unwrap()
            .as_string::<i32>()
            .iter()
            .map(|v| v.map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        text("big")[..3],
        ["18446744073709551616", "1", "-5"].map(|v| Some(v.to_owned()))
    );
    assert_eq!(
        text("s")[..3],
        ["1", "18446744073709551615", "-1"].map(|v| Some(v.to_owned()))
    );
    assert_eq!(
        text("m")[..2],
        ["1e999", "word"].map(|v| Some(v.to_owned()))
    );
    warned(
        &ran,
        &[
            "field `x`: 3 numbers are out of the range of a double",
            "field `big`: 1 whole number is beyond 64 bits",
            "column `s`",
        ],
    );
    assert!(
        !ran.summary["warnings"].to_string().contains("field `m`"),
        "as text it is all there: {}",
        ran.summary["warnings"]
    );
    // CSV: the digits stay.
    let ran = run_on("in.csv", "text,big,x\na,18446744073709551616,1e999\nb,007,0.12345678901234567890\nc,,9007199254740993\n").ok();
    assert_eq!(
        ran.text().lines().collect::<Vec<_>>(),
        [
            r#"{"text":"a","big":18446744073709551616,"x":1e999}"#,
            r#"{"text":"b","big":7,"x":0.12345678901234567890}"#,
            r#"{"text":"c","big":null,"x":9007199254740993}"#,
        ]
    );
    let wide = i256::from_string(
        "-1234567890123456789012345678901234567890123456789012345678901234567890123456",
    )
    .unwrap();
    let decimals = table(vec![
        ("text", texts(1)),
        (
            "d",
            Arc::new(
                Decimal256Array::from(vec![wide])
                    .with_precision_and_scale(76, 4)
                    .unwrap(),
            ),
        ),
        ("u", Arc::new(UInt64Array::from(vec![u64::MAX]))),
    ]);
    let digits = "-123456789012345678901234567890123456789012345678901234567890123456789012.3456";
    assert_eq!(
        to_lines(&decimals).text(),
        format!("{{\"text\":\"row 0\",\"d\":{digits},\"u\":18446744073709551615}}\n")
    );
}

#[test]
fn bytes_and_surrogates() {
    let bytes = |value: Vec<Option<&[u8]>>| Arc::new(BinaryArray::from(value)) as ArrayRef;
    let columns = table(vec![
        ("text", texts(3)),
        ("b", bytes(vec![Some(&b"\x00\xffz"[..]), Some(b""), None])),
        (
            "h",
            Arc::new(
                FixedSizeBinaryArray::try_from_iter([[1u8, 2], [3, 4], [5, 6]].iter()).unwrap(),
            ),
        ),
    ]);
    let ran = to_lines(&columns);
    assert_eq!(
        ran.text(),
        "{\"text\":\"row 0\",\"b\":\"00ff7a\",\"h\":\"0102\"}\n{\"text\":\"row 1\",\"b\":\"\",\"h\":\"0304\"}\n{\"text\":\"row 2\",\"b\":null,\"h\":\"0506\"}\n"
    );
    warned(
        &ran,
        &[
            "field `b`: 2 values of bytes are written to JSON as hexadecimal digits",
            "field `h`: 3 values of bytes",
        ],
    );
    assert_eq!(to_table("in.parquet", parquet(&columns)).0, columns);
    let rows = "{\"text\": \"a\", \"s\": \"x\\ud800y\", \"o\": {\"k\": [\"\\udc00\"]}}\n{\"text\": \"b\", \"s\": \"\\ud83d\\ude00\"}\n";
    assert_eq!(run_on("in.jsonl", rows).ok().text(), rows);
    let (found, ran) = to_table("in.jsonl", rows);
    let s = found.column_by_name("s").unwrap().as_string::<i32>();
    assert_eq!((s.value(0), s.value(1)), ("x\u{fffd}y", "\u{1f600}"));
    warned(
        &ran,
        &[
            "field `s`: 1 value holds a lone surrogate",
            "field `o.k[]`: 1 value holds a lone surrogate",
        ],
    );
}

/// A table with the types that JSON does not have.
fn rich() -> RecordBatch {
    let n = 6usize;
    let some = |i: usize| !i.is_multiple_of(4);
    let decimals = (0..n).map(|i| some(i).then_some(i as i128 * 12_345 - 17));
    let mut kinds = StringDictionaryBuilder::<Int32Type>::new();
    ["web", "book", "web", "code", "book", "web"]
        .iter()
        .for_each(|kind| kinds.append_value(kind));
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    for i in 0..n {
        (0..i % 3).for_each(|j| {
            map.keys().append_value(format!("k{j} \"\\\""));
            map.values().append_option(some(j + 1).then_some(j as i64));
        });
        map.append(some(i)).unwrap();
    }
    let mut by_number = MapBuilder::new(None, Int32Builder::new(), StringBuilder::new());
    for i in 0..n {
        by_number.keys().append_value(i as i32);
        by_number.values().append_value("v");
        by_number.append(true).unwrap();
    }
    let mut tags = ListBuilder::new(StringBuilder::new());
    (0..n).for_each(|i| tags.append_option((i == 2).then_some([Some("a"), None])));
    let small: ArrayRef = Arc::new(Int8Array::from_iter(
        (0..n).map(|i| some(i).then_some(i as i8)),
    ));
    let days: ArrayRef = Arc::new(Date32Array::from_iter_values(
        (0..n).map(|i| i as i32 * 1000),
    ));
    let fields: Fields = vec![
        Field::new("small", DataType::Int8, true),
        Field::new("day", DataType::Date32, false),
    ]
    .into();
    let object = StructArray::new(
        fields,
        vec![small, days],
        Some(NullBuffer::from((0..n).map(some).collect::<Vec<_>>())),
    );
    let moments: Vec<Option<i64>> = (0..n)
        .map(|i| some(i).then_some(i as i64 * 1_000_000_007))
        .collect();
    table(vec![
        ("text", texts(n)),
        (
            "key",
            Arc::new(Int32Array::from_iter_values((0..n).map(|i| (i % 2) as i32))),
        ),
        (
            "price",
            Arc::new(
                Decimal128Array::from_iter(decimals)
                    .with_precision_and_scale(38, 3)
                    .unwrap(),
            ),
        ),
        (
            "bytes",
            Arc::new(BinaryArray::from_iter(
                (0..n).map(|i| some(i).then(|| vec![i as u8, 255])),
            )),
        ),
        (
            "at",
            Arc::new(TimestampMicrosecondArray::from(moments.clone())),
        ),
        (
            "there",
            Arc::new(
                TimestampNanosecondArray::from(moments.clone()).with_timezone("Europe/Berlin"),
            ),
        ),
        ("took", Arc::new(DurationMillisecondArray::from(moments))),
        (
            "score",
            Arc::new(Float64Array::from_iter(
                (0..n).map(|i| some(i).then_some(1.0 / (i as f64 - 1.0))),
            )),
        ),
        (
            "nan",
            Arc::new(Float32Array::from_iter_values(
                (0..n).map(|i| if i == 3 { f32::NAN } else { 0.1 }),
            )),
        ),
        ("map", Arc::new(map.finish())),
        ("by_number", Arc::new(by_number.finish())),
        ("kind", Arc::new(kinds.finish())),
        ("tags", Arc::new(tags.finish())),
        ("object", Arc::new(object)),
        (
            "time",
            Arc::new(Time64NanosecondArray::from_iter_values(
                (0..n).map(|i| i as i64),
            )),
        ),
        (
            "unsigned",
            Arc::new(UInt16Array::from_iter_values((0..n).map(|i| i as u16))),
        ),
        ("none", Arc::new(StringArray::new_null(n))),
    ])
}

/// The same columns with the same values; a NaN is equal to itself.
fn same(a: &RecordBatch, b: &RecordBatch) -> bool {
    a.schema().fields() == b.schema().fields()
        && a.columns()
            .iter()
            .zip(b.columns())
            .all(|(a, b)| a.to_data() == b.to_data())
}

#[test]
fn types_survive_groupers_and_operators_on_whole_rows() {
    let input = parquet(&rich());
    let dir = Case::new();
    dir.write("rich.parquet", &input);
    let rich = read(&dir.path("rich.parquet"));
    let there_and_back = format!("  - naive_grouper:\n  - naive_reverse_grouper:\n{FILTER}");
    let ways = [
        "",
        "partition: {mode: manual, num_of_partitions: 3}\n",
        "checkpoint: {strategy: every_op}\nbatch_size_kb: 16\n",
    ];
    for output in ["result.parquet", "result.arrow"] {
        for way in ways {
            let (case, ran) = run(
                "in.parquet",
                &input,
                output,
                &format!("{there_and_back}{way}"),
            );
            let ran = ran.ok();
            let found = read(&case.path("out").join(output));
            assert_eq!(found.schema().fields(), rich.schema().fields());
            assert!(same(&found, &rich), "{output} {way}: {found:?}");
            assert!(
                ran.summary.get("warnings").is_none(),
                "{}",
                ran.summary["warnings"]
            );
        }
    }
    let (case, ran) = run(
        "in.parquet",
        &input,
        "result.parquet",
        "  - key_value_grouper: {group_by_keys: [key]}\n",
    );
    ran.ok();
    let found = read(&case.path("out/result.parquet"));
    assert_eq!(found.num_rows(), 2);
    for (grouped, single) in found.schema().fields().iter().zip(rich.schema().fields()) {
        let item = Arc::new(Field::new_list_field(single.data_type().clone(), true));
        assert_eq!(
            (grouped.name(), grouped.data_type()),
            (single.name(), &DataType::List(item))
        );
    }
    let prices = found
        .column_by_name("price")
        .unwrap()
        .as_list::<i32>()
        .value(1);
    assert_eq!(
        prices
            .as_primitive::<arrow::datatypes::Decimal128Type>()
            .values()[..],
        [12_328, 37_018, 61_708]
    );
}

#[test]
fn what_a_group_says_in_json() {
    let (_, ran) = run(
        "in.parquet",
        parquet(&rich()),
        "result.jsonl",
        "  - naive_grouper:\n",
    );
    let ran = ran.ok();
    let line = ran
        .text()
        .trim_end()
        .replace("NaN", "\"NaN\"")
        .replace("Infinity", "\"Infinity\"");
    let group: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        group["bytes"],
        json!([null, "01ff", "02ff", "03ff", null, "05ff"])
    );
    assert_eq!(group["map"][3], json!({}));
    assert_eq!(group["by_number"][5], json!({"5": "v"}));
    assert_eq!(
        (&group["nan"][3], &group["score"][1]),
        (&json!("NaN"), &json!("Infinity"))
    );
    assert!(
        ran.text()
            .contains(r#""price": [null, 12.328, 24.673, 37.018, null, 61.708]"#),
        "{}",
        ran.text()
    );
    warned(
        &ran,
        &[
            "field `nan`: 1 value is NaN",
            "field `score`: 1 value is NaN",
        ],
    );
    assert!(
        ran.stderr.contains("column `bytes` is bytes"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_column_that_cannot_come_back_is_refused_by_name() {
    let mut runs = StringRunBuilder::<Int32Type>::new();
    runs.extend(["a", "a", "b"].map(Some));
    let columns = table(vec![("text", texts(3)), ("runs", Arc::new(runs.finish()))]);
    let (case, ran) = run(
        "in.arrow",
        ipc(&columns),
        "result.arrow",
        "  - naive_grouper:\n",
    );
    ran.failed(2, &["`runs`", "do not come back"]);
    assert!(!case.path("work").exists());
    // As JSON it is no matter.
    let (_, ran) = run(
        "in.arrow",
        ipc(&columns),
        "result.jsonl",
        "  - naive_grouper:\n",
    );
    assert_eq!(
        ran.ok().text(),
        "{\"text\": [\"row 0\", \"row 1\", \"row 2\"], \"runs\": [\"a\", \"a\", \"b\"]}\n"
    );
}

#[test]
fn intervals_have_texts() {
    let interval = Arc::new(IntervalMonthDayNanoArray::from(vec![
        IntervalMonthDayNano::new(14, -3, 1_500_000_000),
    ]));
    let columns = table(vec![("text", texts(1)), ("i", interval)]);
    let (_, ran) = run("in.arrow", ipc(&columns), "result.jsonl", FILTER);
    assert_eq!(
        ran.ok().text(),
        "{\"text\":\"row 0\",\"i\":\"P14M-3DT1.5S\"}\n"
    );
    let (case, ran) = run(
        "in.arrow",
        ipc(&columns),
        "result.arrow",
        "  - naive_grouper:\n  - naive_reverse_grouper:\n",
    );
    ran.ok();
    assert_eq!(read(&case.path("out/result.arrow")), columns);
}

#[test]
fn an_operator_that_writes_json_into_a_column_keeps_its_type() {
    let mut mail = ListBuilder::new(StringBuilder::new());
    mail.append_value([Some("write to jo@example.com"), None]);
    mail.append_null();
    let mail: ArrayRef = Arc::new(mail.finish());
    let at: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![
        1_577_840_523_000_456,
        7,
    ]));
    let price: ArrayRef = Arc::new(
        Decimal128Array::from(vec![12_340, 5])
            .with_precision_and_scale(20, 3)
            .unwrap(),
    );
    let fields: Vec<(&str, ArrayRef)> = vec![("mail", mail), ("at", at), ("price", price)];
    let fields: Vec<_> = fields
        .into_iter()
        .map(|(name, column)| {
            (
                Arc::new(Field::new(name, column.data_type().clone(), true)),
                column,
            )
        })
        .collect();
    let columns = table(vec![
        ("text", texts(2)),
        ("meta", Arc::new(StructArray::from(fields))),
    ]);
    for way in ["", "checkpoint: {strategy: every_op}\n"] {
        let process = format!(
            "  - pii_redaction_mapper: {{nested_keys: [meta]}}\n  - document_deduplicator:\n{way}"
        );
        let (case, ran) = run("in.parquet", parquet(&columns), "result.parquet", &process);
        let ran = ran.ok();
        assert!(ran.quarantine.is_empty(), "{:?}", ran.quarantine);
        let found = read(&case.path("out/result.parquet"));
        assert_eq!(found.schema().fields(), columns.schema().fields());
        let (found, given) = (found.column(1).as_struct(), columns.column(1).as_struct());
        let mail = found.column(0).as_list::<i32>().value(0);
        assert_eq!(
            mail.as_string::<i32>().iter().collect::<Vec<_>>(),
            [Some("write to [EMAIL_REDACTED]"), None]
        );
        assert_eq!(
            (found.column(1), found.column(2)),
            (given.column(1), given.column(2))
        );
    }
}
