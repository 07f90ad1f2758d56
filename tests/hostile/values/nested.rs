//! Maps, objects without members, dictionaries, runs, and fields of several types or none.

use super::*;

/// Pairs of a map.
fn map(keys: ArrayRef, values: ArrayRef, ends: Vec<i32>) -> ArrayRef {
    let fields: Fields = vec![
        Field::new("key", keys.data_type().clone(), false),
        Field::new("value", values.data_type().clone(), true),
    ]
    .into();
    let entries = StructArray::new(fields.clone(), vec![keys, values], None);
    Arc::new(MapArray::new(
        Arc::new(Field::new("entries", DataType::Struct(fields), false)),
        OffsetBuffer::new(ends.into()),
        entries,
        None,
        false,
    ))
}

#[test]
fn keys_of_maps() {
    let by_number = map(
        Arc::new(Int32Array::from(vec![7, -1])),
        Arc::new(StringArray::from(vec!["seven", "less"])),
        vec![0, 1, 2],
    );
    let by_flag = map(
        Arc::new(BooleanArray::from(vec![true, false])),
        Arc::new(Int64Array::from(vec![1, 0])),
        vec![0, 0, 2],
    );
    let ran = to_lines(&table(vec![
        ("text", texts(2)),
        ("n", by_number),
        ("b", by_flag),
    ]));
    assert_eq!(
        ran.text(),
        "{\"text\":\"row 0\",\"n\":{\"7\":\"seven\"},\"b\":{}}\n{\"text\":\"row 1\",\"n\":{\"-1\":\"less\"},\"b\":{\"true\":1,\"false\":0}}\n"
    );
}

#[test]
fn objects_become_structs_and_come_back() {
    let rows = "{\"text\": \"a\", \"o\": {\"k\": 1, \"l\": [true, null]}}\n{\"text\": \"b\", \"o\": {\"m\": \"x\"}}\n";
    let (found, _) = to_table("in.jsonl", rows);
    let object = found.column_by_name("o").unwrap().as_struct();
    assert_eq!(object.column_names(), ["k", "l", "m"]);
    assert_eq!(
        to_lines(&found).text(),
        "{\"text\":\"a\",\"o\":{\"k\":1,\"l\":[true,null],\"m\":null}}\n{\"text\":\"b\",\"o\":{\"k\":null,\"l\":null,\"m\":\"x\"}}\n"
    );
}

#[test]
fn objects_without_members() {
    let rows = "{\"text\": \"a\", \"e\": {}}\n{\"text\": \"b\", \"e\": null}\n";
    assert_eq!(run_on("in.jsonl", rows).ok().text(), rows);
    let ends = ["result.arrow", "result.parquet"].map(|output| {
        let (case, ran) = run("in.jsonl", rows, output, FILTER);
        let ran = ran.ok();
        (read(&case.path("out").join(output)), ran)
    });
    let [(arrow, _), (in_parquet, said)] = ends;
    assert_eq!(
        arrow.column(1).data_type(),
        &DataType::Struct(Fields::empty())
    );
    assert!(matches!(
        in_parquet.column(1).data_type(),
        DataType::Map(..)
    ));
    warned(&said, &["`e`"]);
    for (name, file) in [
        ("in.arrow", ipc(&arrow)),
        ("in.parquet", parquet(&in_parquet)),
    ] {
        let (_, ran) = run(name, file, "result.jsonl", FILTER);
        assert_eq!(
            ran.ok().text(),
            "{\"text\":\"a\",\"e\":{}}\n{\"text\":\"b\",\"e\":null}\n",
            "{name}"
        );
    }
}

#[test]
fn dictionaries_and_runs_are_their_values() {
    let kinds: DictionaryArray<Int32Type> = [Some("web"), None, Some("web")].into_iter().collect();
    let mut runs = StringRunBuilder::<Int32Type>::new();
    runs.extend([Some("a"), Some("a"), None]);
    let columns = table(vec![
        ("text", texts(3)),
        ("kind", Arc::new(kinds)),
        ("run", Arc::new(runs.finish())),
    ]);
    let (_, ran) = run("in.arrow", ipc(&columns), "result.jsonl", FILTER);
    assert_eq!(
        ran.ok().text(),
        "{\"text\":\"row 0\",\"kind\":\"web\",\"run\":\"a\"}\n{\"text\":\"row 1\",\"kind\":null,\"run\":\"a\"}\n{\"text\":\"row 2\",\"kind\":\"web\",\"run\":null}\n"
    );
}

#[test]
fn lists_that_an_operator_makes_beside_columns_are_text_and_said() {
    let html = "<table><tr><td>1</td></tr></table>";
    let columns = table(vec![(
        "text",
        Arc::new(StringArray::from(vec![html, "none"])),
    )]);
    let tables = "  - extract_tables_from_html_mapper:\n";
    for way in ["", "  - document_deduplicator:\n"] {
        let process = format!("{tables}{way}");
        let (case, ran) = run("in.parquet", parquet(&columns), "result.parquet", &process);
        let ran = ran.ok();
        let found = read(&case.path("out/result.parquet"));
        let meta = found.column_by_name("__dj__meta__").unwrap().as_struct();
        let made = meta.column_by_name("html_tables").unwrap();
        assert_eq!(made.as_string::<i32>().value(0), r#"[[["1"]]]"#);
        warned(
            &ran,
            &["field `__dj__meta__.html_tables`: 2 JSON values of an operator are written as text"],
        );
    }
    // From rows they are lists, and a column that is there keeps its type.
    let rows = json!({"text": html}).to_string() + "\n";
    let (case, ran) = run("in.jsonl", rows, "result.parquet", tables);
    assert!(ran.ok().summary.get("warnings").is_none());
    let found = read(&case.path("out/result.parquet"));
    let (_, ran) = run("in.parquet", parquet(&found), "result.parquet", tables);
    assert!(ran.ok().summary.get("warnings").is_none());
}

#[test]
fn several_types_in_one_field_and_absent_ones() {
    let rows = "{\"text\": \"a\", \"v\": \"1\"}\n{\"text\": \"b\", \"v\": 1.50}\n{\"text\": \"c\", \"v\": {\"k\": [1, 2]}}\n{\"text\": \"d\"}\n";
    assert_eq!(run_on("in.jsonl", rows).ok().text(), rows);
    let (found, ran) = to_table("in.jsonl", rows);
    let values = found.column_by_name("v").unwrap().as_string::<i32>();
    assert_eq!(
        values.iter().collect::<Vec<_>>(),
        [Some("1"), Some("1.50"), Some("{\"k\": [1, 2]}"), None]
    );
    warned(&ran, &["column `v`"]);
    let lines = to_lines(&found);
    assert!(lines.text().ends_with("{\"text\":\"d\",\"v\":null}\n"));
    let ran = run_on("in.csv", "text,v\na,1\nb,true\nc,x\nd,\n").ok();
    assert_eq!(
        ran.text(),
        "{\"text\":\"a\",\"v\":\"1\"}\n{\"text\":\"b\",\"v\":\"true\"}\n{\"text\":\"c\",\"v\":\"x\"}\n{\"text\":\"d\",\"v\":null}\n"
    );
}

/// A field and what lies in it are columns of their own: an op that uses the one sees what an
/// earlier one did to the other, and nobody's work is lost.
#[test]
fn a_field_and_what_lies_in_it_change_one_after_the_other() {
    let note = "write to jo@example.com or see https://a.org now";
    let rows = json!({"text": "a", "meta": {"path": note, "n": 1}}).to_string()
        + "\n"
        + &json!({"text": "b", "meta": {"path": "plain", "n": 2}}).to_string()
        + "\n"
        + &json!({"text": "c", "meta": null}).to_string()
        + "\n";
    let (columns, _) = to_table("in.jsonl", &rows);
    let clean = "  - clean_links_mapper: {text_key: meta.path}\n";
    let redact = "  - pii_redaction_mapper: {nested_keys: [meta]}\n";
    let sees = |note: &str| {
        let n = note.len();
        format!("  - text_length_filter: {{text_key: meta.path, min_len: {n}, max_len: {n}}}\n")
    };
    let is_short = "  - text_length_filter: {text_key: meta.path, max_len: 39}\n";
    let both = "write to [EMAIL_REDACTED] or see  now";
    let no_link = "write to jo@example.com or see  now";
    let recipes = [
        format!("{clean}{redact}{}", sees(both)),
        format!("{redact}{clean}{}", sees(both)),
        format!("{clean}{}{redact}", sees(no_link)),
        format!("{redact}{clean}{is_short}{redact}{}", sees(both)),
        format!(
            "{clean}  - document_deduplicator: {{text_key: meta.path}}\n{redact}{is_short}{}",
            sees(both)
        ),
    ];
    for recipe in recipes {
        for way in ["", "checkpoint: {strategy: every_op}\n"] {
            let process = format!("{recipe}on_error: quarantine\n{way}");
            let of_rows = run("in.jsonl", &rows, "result.jsonl", &process).1.ok();
            let of_columns = run("in.parquet", parquet(&columns), "result.jsonl", &process)
                .1
                .ok();
            for ran in [of_rows, of_columns] {
                let [line] = &ran.text().lines().collect::<Vec<_>>()[..] else {
                    panic!("{process}: {}", ran.text())
                };
                let row: Value = serde_json::from_str(line).unwrap();
                assert_eq!(row["meta"], json!({"path": both, "n": 1}), "{process}");
            }
        }
    }
}

/// Parquet has no struct without members.
#[test]
fn columns_without_members_become_maps_and_that_is_said() {
    let empty = || Arc::new(StructArray::new_empty_fields(2, None)) as ArrayRef;
    let inner = Fields::from(vec![Field::new(
        "e",
        DataType::Struct(Fields::empty()),
        true,
    )]);
    let outer = StructArray::new(inner, vec![empty()], None);
    let rows = table(vec![
        ("text", texts(2)),
        ("meta", empty()),
        ("o", Arc::new(outer)),
    ]);
    for (output, is_said) in [("r.parquet", true), ("r.arrow", false), ("r.jsonl", false)] {
        for process in [FILTER, "  - naive_grouper:\n  - naive_reverse_grouper:\n"] {
            let (case, ran) = run("in.arrow", ipc(&rows), output, process);
            let ran = ran.ok();
            let said = |name: &str| {
                ran.stderr
                    .matches(&format!("column `{name}` has objects without members"))
                    .count()
            };
            let wanted = usize::from(is_said);
            assert_eq!(
                [said("meta"), said("o")],
                [wanted; 2],
                "{process}{}",
                ran.stderr
            );
            if is_said {
                let found = read(&case.path("out/r.parquet"));
                let (line, _) = run("in.parquet", parquet(&found), "back.jsonl", FILTER);
                let line = std::fs::read_to_string(line.path("out/back.jsonl")).unwrap();
                let first = line.lines().next().unwrap();
                assert_eq!(first, r#"{"text":"row 0","meta":{},"o":{"e":{}}}"#);
            }
        }
    }
}
