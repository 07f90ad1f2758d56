//! Redaction changes what is redacted and nothing else, and never passes over anything.

use super::*;

const REDACT: &str = "  - pii_redaction_mapper:\n";

#[test]
fn every_other_byte_of_a_json_row_stays() {
    let rows = r#"{"text":"x", "messages" : [ {"id":123456789012345678901,"k":1,"k":2,"content":"mail a@b.co \"q\""} ],"n":1}
{"text":"x","messages":[{"f":[0.10,1e5,1e400,NaN,-Infinity],"\u00e9":"\ud800 \/","content":["a@b.co",{"text":"a@b.co"}]},null]}
{"text":"x","query":"a@b.co","response":["a@b.co",NaN],"dialog_history":[["a@b.co","b","a@b.co"],[]],"path":{"file":"/home/x","n":1.50}}
{"text":"x","messages":[{"content":"nothing","n":0.10}],"query":NaN,"response":null}
"#;
    let expected = rows
        .replace("a@b.co", "[EMAIL_REDACTED]")
        .replace("/home/x", "[PATH_REDACTED]");
    for way in ["", "checkpoint: {strategy: every_op}\n"] {
        let (_, ran) = run("in.jsonl", rows, "result.jsonl", &format!("{REDACT}{way}"));
        let ran = ran.ok();
        assert!(ran.quarantine.is_empty(), "{:?}", ran.quarantine);
        assert_eq!(ran.text(), expected);
    }
}

#[test]
fn every_other_value_of_a_column_stays() {
    let price: ArrayRef = Arc::new(
        Decimal128Array::from(vec![12_345_678_901_123_456_789])
            .with_precision_and_scale(30, 9)
            .unwrap(),
    );
    let fields: Vec<(&str, ArrayRef)> = vec![
        ("path", Arc::new(StringArray::from(vec!["/home/x"]))),
        ("price", price),
        ("nan", Arc::new(Float64Array::from(vec![f64::NAN]))),
        ("far", Arc::new(Float32Array::from(vec![f32::INFINITY]))),
        ("big", Arc::new(UInt64Array::from(vec![u64::MAX]))),
    ];
    let fields: Vec<_> = fields
        .into_iter()
        .map(|(name, column)| {
            let field = Field::new(name, column.data_type().clone(), true);
            (Arc::new(field), column)
        })
        .collect();
    let columns = table(vec![
        ("text", texts(1)),
        ("meta", Arc::new(StructArray::from(fields))),
    ]);
    let process = "  - pii_redaction_mapper: {nested_keys: [meta]}\n";
    for output in ["result.parquet", "result.arrow"] {
        let (case, ran) = run("in.parquet", parquet(&columns), output, process);
        let ran = ran.ok();
        assert!(ran.quarantine.is_empty(), "{:?}", ran.quarantine);
        let found = read(&case.path("out").join(output));
        assert_eq!(found.schema().fields(), columns.schema().fields());
        let (found, given) = (found.column(1).as_struct(), columns.column(1).as_struct());
        assert_eq!(
            found.column(0).as_string::<i32>().value(0),
            "[PATH_REDACTED]"
        );
        for i in 1..given.num_columns() {
            assert!(
                found.column(i).to_data() == given.column(i).to_data(),
                "{output}: {:?}",
                found.column(i)
            );
        }
    }
}

#[test]
fn nothing_is_passed_over() {
    let rows = r#"{"text":"x","query":"a@b.co \ud800"}
{"text":"x","messages":[{"content":"a@b.co","n":1e400}]}
{"text":"x","messages":[{"content":"\udc00 a@b.co"}]}
{"text":"x","messages":[{"content":"a@b.co","content":"b@c.de"}]}
"#;
    let (_, ran) = run("in.jsonl", rows, "result.jsonl", REDACT);
    let ran = ran.ok();
    assert!(!ran.text().contains('@'), "{}", ran.text());
    assert_eq!(
        ran.text(),
        r#"{"text":"x","messages":[{"content":"[EMAIL_REDACTED]","n":1e400}]}
{"text":"x","messages":[{"content":"[EMAIL_REDACTED]","content":"[EMAIL_REDACTED]"}]}
"#
    );
    let mut reasons: Vec<String> = ran
        .quarantine
        .iter()
        .map(|q| q["reason"].to_string())
        .collect();
    reasons.sort();
    assert_eq!(
        reasons,
        [
            "\"`messages` holds a lone surrogate\"",
            "\"`query` holds a lone surrogate\""
        ]
    );
}
