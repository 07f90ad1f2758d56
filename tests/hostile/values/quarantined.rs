//! Values of columns that have no text in JSON.

use super::*;

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
