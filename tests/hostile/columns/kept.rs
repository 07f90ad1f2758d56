//! Native values, types and metadata survive checkpoints and exports.

use super::*;

/// Columns that an operator reads in another type: a step after a checkpoint must write the
/// original column.
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
    // Half a day is not a date.
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
    // Arrow has such a type; such a column becomes a map on the way to Parquet.
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
    // Where other programs look: next to Arrow's schema.
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

/// pyarrow writes seconds as milliseconds, with the zone only in the writer's schema.
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
