//! Groupers and operators on whole rows: columns through JSON and back.

use super::*;

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

#[test]
fn bytes_are_counted_behind_groupers() {
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![&b"a"[..], b"bc"]));
    let words: ArrayRef = Arc::new(StringArray::from(vec!["61", "62"]));
    let member = StructArray::from(vec![
        (
            Arc::new(Field::new("b", DataType::Binary, true)),
            Arc::clone(&bytes),
        ),
        (Arc::new(Field::new("s", DataType::Utf8, true)), words),
    ]);
    let rows = table(vec![
        ("text", texts(2)),
        ("b", bytes),
        ("o", Arc::new(member)),
    ]);
    for process in [
        "  - naive_grouper:\n",
        "  - naive_grouper:\n  - naive_reverse_grouper:\n",
        "  - naive_grouper:\n  - naive_reverse_grouper:\n  - document_deduplicator:\n",
    ] {
        for (name, file) in [("in.parquet", parquet(&rows)), ("in.arrow", ipc(&rows))] {
            let ran = run(name, file, "result.jsonl", process).1.ok();
            warned(
                &ran,
                &[
                    "field `b`: 2 values of bytes are written to JSON as hexadecimal digits",
                    "field `o`: 2 values of bytes",
                ],
            );
            assert!(!ran.summary["warnings"].to_string().contains("`text`"));
        }
    }
    // In columns they are bytes again.
    let (_, ran) = run(
        "in.parquet",
        parquet(&rows),
        "result.parquet",
        "  - naive_grouper:\n",
    );
    assert!(!ran.ok().summary["warnings"].to_string().contains("bytes"));
}
