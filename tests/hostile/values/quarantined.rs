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

#[test]
fn maps_with_a_key_twice() {
    let mut names = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    let mut numbers = MapBuilder::new(None, Int32Builder::new(), Int64Builder::new());
    for keys in [&[1, 2, 1][..], &[1, 2], &[]] {
        for key in keys {
            names.keys().append_value(format!("k{key}"));
            names.values().append_value(7);
            numbers.keys().append_value(-key);
            numbers.values().append_value(7);
        }
        names.append(true).unwrap();
        numbers.append(true).unwrap();
    }
    let (names, numbers): (ArrayRef, ArrayRef) =
        (Arc::new(names.finish()), Arc::new(numbers.finish()));
    let list = ListArray::new(
        Arc::new(Field::new_list_field(names.data_type().clone(), true)),
        OffsetBuffer::from_lengths([1, 1, 1]),
        Arc::clone(&names),
        None,
    );
    for map in [names, numbers, Arc::new(list)] {
        let rows = table(vec![("text", texts(3)), ("m", map)]);
        let (kept, ran) = to_table("in.arrow", ipc(&rows));
        assert_eq!((kept.columns(), ran.quarantine.len()), (rows.columns(), 0));
        for process in [
            FILTER,
            "  - naive_grouper:\n",
            "  - document_deduplicator:\n",
        ] {
            let [one, two] = [("in.parquet", parquet(&rows)), ("in.arrow", ipc(&rows))]
                .map(|(name, file)| run(name, file, "result.jsonl", process).1.ok());
            assert_eq!(one.text(), two.text());
            assert!(one.text().contains("row 1") && !one.text().contains("row 0"));
            let [entry] = &one.quarantine[..] else {
                panic!("{:?}", one.quarantine)
            };
            let reason = entry["reason"].as_str().unwrap();
            assert!(
                reason.starts_with("`m` is a map with a key that comes twice of type "),
                "{reason}"
            );
        }
    }
}

#[test]
fn values_that_the_columns_of_the_export_do_not_hold_are_shown() {
    let far = |unit: &str| -> ArrayRef {
        match unit {
            "s" => Arc::new(TimestampSecondArray::from(vec![1 << 62, 0])),
            _ => Arc::new(Date64Array::from(vec![1 << 62, 0])),
        }
    };
    for (column, value) in [
        (far("s"), "4611686018427387904 of type Timestamp(s), which"),
        (far("days"), "4611686018427387904 of type Date64, which"),
    ] {
        let rows = table(vec![("text", texts(2)), ("c", column)]);
        let (_, ran) = run("in.arrow", ipc(&rows), "result.parquet", FILTER);
        let ran = ran.ok();
        let reason = ran.quarantine[0]["reason"].as_str().unwrap();
        assert!(
            reason.contains(value) && !reason.contains("ERROR") && !reason.contains("all files"),
            "{reason}"
        );
    }
    // Two files whose durations differ.
    let case = Case::new();
    let of = |column: ArrayRef| ipc(&table(vec![("text", texts(1)), ("c", column)]));
    case.write(
        "in/a.arrow",
        of(Arc::new(DurationSecondArray::from(vec![1 << 62]))),
    );
    case.write(
        "in/b.arrow",
        of(Arc::new(DurationNanosecondArray::from(vec![1]))),
    );
    let ran = case
        .run(&format!(
            "max_quarantine_ratio: 1\ndataset_path: in\nprocess:\n{FILTER}"
        ))
        .ok();
    let reason = ran.quarantine[0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("PT4611686018427387904S of type Duration(s), which Duration(ns)"),
        "{reason}"
    );
}
