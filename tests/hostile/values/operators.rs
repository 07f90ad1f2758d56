//! What operators write into the columns of a table: in the columns' types, or not at all.

use super::*;
use arrow::array::types::Int8Type;

/// A member and a list of it, in every layout of strings, with an e-mail address.
fn with_mail() -> RecordBatch {
    let mail = "mail a@b.co \"q\"\n";
    let member: ArrayRef = Arc::new(LargeStringArray::from(vec![mail, "plain"]));
    let number: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let meta = StructArray::from(vec![
        (
            Arc::new(Field::new("lang", DataType::LargeUtf8, true)),
            member,
        ),
        (Arc::new(Field::new("n", DataType::Int64, true)), number),
    ]);
    let words: DictionaryArray<Int8Type> = [mail, "plain"].into_iter().collect();
    table(vec![
        ("text", texts(2)),
        (
            "query",
            Arc::new(StringArray::from(vec![Some(mail), Some("plain")])),
        ),
        (
            "response",
            Arc::new(StringViewArray::from(vec![mail, "plain"])),
        ),
        ("word", Arc::new(words)),
        ("meta", Arc::new(meta)),
    ])
}

#[test]
fn strings_go_into_columns_of_strings_without_their_quotes() {
    let redact = "  - pii_redaction_mapper: {redact_keys: [query, response, word, meta.lang]}\n";
    let mail = "mail [EMAIL_REDACTED] \"q\"\n";
    let wanted = json!({
        "text": "row 0", "query": mail, "response": mail, "word": mail, "meta": {"lang": mail, "n": 1}
    });
    let plain = json!({
        "text": "row 1", "query": "plain", "response": "plain", "word": "plain", "meta": {"lang": "plain", "n": 2}
    });
    for (name, file) in [
        ("in.parquet", parquet(&with_mail())),
        ("in.arrow", ipc(&with_mail())),
    ] {
        for output in ["result.parquet", "result.arrow", "result.jsonl"] {
            for more in [
                "",
                "checkpoint: {strategy: every_op}\n",
                "  - document_deduplicator:\n",
                "  - naive_grouper:\n  - naive_reverse_grouper:\n",
            ] {
                let (case, ran) = run(name, &file, output, &format!("{redact}{more}"));
                let ran = ran.ok();
                let lines = if output == "result.jsonl" {
                    ran.text().to_owned()
                } else {
                    let found = read(&case.path("out").join(output));
                    let ty = |name: &str| found.column_by_name(name).unwrap().data_type().clone();
                    assert_eq!(ty("query"), DataType::Utf8, "{output} {more}");
                    to_lines(&found).text().to_owned()
                };
                let rows: Vec<Value> = lines
                    .lines()
                    .map(|line| serde_json::from_str(line).unwrap())
                    .collect();
                assert_eq!(
                    rows,
                    [wanted.clone(), plain.clone()],
                    "{name} {output} {more}"
                );
            }
        }
    }
}

#[test]
fn what_is_no_string_does_not_go_into_a_column_of_strings() {
    let mine: ArrayRef = Arc::new(StringArray::from(vec![Some("mine"), None]));
    let meta = StructArray::from(vec![(
        Arc::new(Field::new("html_tables", DataType::Utf8, true)),
        mine,
    )]);
    let pages = table(vec![
        (
            "text",
            Arc::new(StringArray::from(vec!["<table><tr><td>1", "none"])),
        ),
        ("__dj__meta__", Arc::new(meta)),
    ]);
    let process = "  - extract_tables_from_html_mapper:\n";
    for (name, file) in [("in.parquet", parquet(&pages)), ("in.arrow", ipc(&pages))] {
        let (_, ran) = run(name, file, "result.parquet", process);
        let ran = ran.ok();
        let reasons: Vec<&str> = ran
            .quarantine
            .iter()
            .map(|entry| entry["reason"].as_str().unwrap())
            .collect();
        assert!(
            !reasons.is_empty() && reasons.iter().all(|why| why.contains("in JSON, which is no value of the column's type Utf8")),
            "{reasons:?}"
        );
    }
}
