//! Numbers stay exact or are refused, wherever they are.

use super::*;

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
    // The footer of a Parquet file reveals it in advance.
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
    // Otherwise each value is checked.
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
