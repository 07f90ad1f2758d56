//! Operators that choose, compare or group by values see each value as it is.

use super::*;

/// The rows that stay of these values in the field `v`, by their numbers.
#[track_caller]
fn kept(values: &[&str], op: &str) -> Vec<usize> {
    let rows: String = values
        .iter()
        .enumerate()
        .map(|(i, value)| format!("{{\"text\": \"{i}\", \"v\": {value}}}\n"))
        .collect();
    let (_, ran) = run("in.jsonl", &rows, "result.jsonl", &format!("  - {op}\n"));
    let ran = ran.ok();
    assert!(ran.quarantine.is_empty(), "{:?}", ran.quarantine);
    numbers(&ran)
}

/// The same of a column, from Parquet.
#[track_caller]
fn kept_of_column(column: ArrayRef, op: &str) -> Vec<usize> {
    let names = (0..column.len()).map(|i| i.to_string());
    let text: ArrayRef = Arc::new(StringArray::from_iter_values(names));
    let rows = parquet(&table(vec![("text", text), ("v", column)]));
    let (_, ran) = run("in.parquet", rows, "result.jsonl", &format!("  - {op}\n"));
    let ran = ran.ok();
    assert!(ran.quarantine.is_empty(), "{:?}", ran.quarantine);
    numbers(&ran)
}

fn numbers(ran: &Ran) -> Vec<usize> {
    let text = |line: &str| {
        let rest = line.split_once("\"text\":").unwrap().1.trim_start();
        rest[1..].split('"').next().unwrap().parse().unwrap()
    };
    ran.text().lines().map(text).collect()
}

fn decimals(digits: &[i128], precision: u8, scale: i8) -> ArrayRef {
    Arc::new(
        Decimal128Array::from(digits.to_vec())
            .with_precision_and_scale(precision, scale)
            .unwrap(),
    )
}

const TOP: &str = "topk_specified_field_selector: {field_key: v, topk: 1}";
const LOW: &str = "topk_specified_field_selector: {field_key: v, topk: 1, reverse: false}";

#[test]
fn the_greatest_value_is_the_greatest() {
    for (values, greatest, least) in [
        (&["Infinity", "1.0", "-Infinity"][..], 0, 2),
        (&["1.0", "1e400", "5", "\"inf\"", "Infinity"], 3, 0),
        (&["NaN", "2", "null"], 1, 1),
        (
            &["0.1234567890123456789012", "0.1234567890123456789013"],
            1,
            0,
        ),
        (&["1e400", "1e401", "-1e400", "-1e401"], 1, 3),
    ] {
        assert_eq!(kept(values, TOP), [greatest], "{values:?}");
        assert_eq!(kept(values, LOW), [least], "{values:?}");
    }
    let cents = [12_345_678_901_234_567_811, 12_345_678_901_234_567_812];
    assert_eq!(kept_of_column(decimals(&cents, 20, 2), TOP), [1]);
    let seconds: ArrayRef = Arc::new(DurationSecondArray::from(vec![9, 100, 5]));
    assert_eq!(kept_of_column(seconds, TOP), [1]);
    let millis: ArrayRef = Arc::new(DurationMillisecondArray::from(vec![-9_000, -100_000, 1]));
    assert_eq!(kept_of_column(millis, LOW), [1]);
    let doubles: ArrayRef = Arc::new(Float64Array::from(vec![1.0, f64::INFINITY, f64::NAN]));
    assert_eq!(kept_of_column(doubles, TOP), [1]);
    let op = "range_specified_field_selector: {field_key: v, lower_rank: 1, upper_rank: 2}";
    assert_eq!(kept(&["Infinity", "1e400", "1"], op), [1]);
}

#[test]
fn a_range_is_what_it_says() {
    let op = |bounds: &str| format!("specified_numeric_field_filter: {{field_key: v, {bounds}}}");
    let values = [
        "Infinity",
        "-Infinity",
        "NaN",
        "1e400",
        "18446744073709551615",
        "5",
        "null",
        "-5",
    ];
    assert_eq!(
        kept(&values, &op("min_value: 0, max_value: null")),
        [0, 3, 4, 5]
    );
    assert_eq!(kept(&values, &op("min_value: 0")), [5]);
    let halves = [900_719_925_474_099_250, 900_719_925_474_099_200];
    let bound = op("max_value: 9007199254740992");
    assert_eq!(kept_of_column(decimals(&halves, 20, 2), &bound), [1]);
    let unsigned: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX, u64::MAX - 1]));
    let bound = op("min_value: 18446744073709551615, max_value: null");
    assert_eq!(kept_of_column(unsigned, &bound), [0]);
    let doubles: ArrayRef = Arc::new(Float64Array::from(vec![
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        0.5,
    ]));
    let condition = "general_field_filter: {filter_condition: v > 0}";
    assert_eq!(kept_of_column(doubles, condition), [0, 3]);
    let nothing = "specified_field_filter: {field_key: v, target_value: [null]}";
    assert_eq!(kept(&["NaN", "Infinity", "null", "1e400"], nothing), [2]);
}

/// The groups of the rows by `v`.
fn grouped(ran: Ran) -> Vec<Value> {
    let ran = ran.ok();
    assert!(ran.quarantine.is_empty(), "{:?}", ran.quarantine);
    let row = |line: &str| {
        let line = line.replace("-Infinity", "0").replace("Infinity", "0");
        let line = line.replace("NaN", "0").replace("1e400", "0");
        serde_json::from_str::<Value>(&line).unwrap()["text"].take()
    };
    ran.text().lines().map(row).collect()
}

#[test]
fn groups_have_one_value() {
    let group = "  - key_value_grouper: {group_by_keys: [v]}\n";
    let rows = r#"{"text":0,"v":null}
{"text":1,"v":NaN}
{"text":2,"v":Infinity}
{"text":3,"v":[-Infinity]}
{"text":4,"v":1e400}
{"text":5,"v":{"a":1,"b":2}}
{"text":6,"v":{"b":2,"a":1}}
{"text":7,"v":NaN}
{"text":8,"v":[null]}
"#;
    let (_, ran) = run("in.jsonl", rows, "result.jsonl", group);
    assert_eq!(
        grouped(ran),
        [
            json!([0]),
            json!([1, 7]),
            json!([2]),
            json!([3]),
            json!([4]),
            json!([5, 6]),
            json!([8])
        ]
    );
    let cents = [12_345_678_901_234_567_811, 12_345_678_901_234_567_812];
    let columns = table(vec![("text", texts(2)), ("v", decimals(&cents, 20, 2))]);
    let (_, ran) = run("in.parquet", parquet(&columns), "result.jsonl", group);
    assert_eq!(grouped(ran), [json!(["row 0"]), json!(["row 1"])]);
    let doubles: ArrayRef = Arc::new(Float64Array::from(vec![
        Some(f64::NAN),
        None,
        Some(f64::INFINITY),
        Some(f64::NAN),
    ]));
    let columns = table(vec![("text", texts(4)), ("v", doubles)]);
    let (_, ran) = run("in.parquet", parquet(&columns), "result.jsonl", group);
    assert_eq!(
        grouped(ran),
        [
            json!(["row 0", "row 3"]),
            json!(["row 1"]),
            json!(["row 2"])
        ]
    );
    // As deep as a row may be.
    let deep = format!("{}1e400{}", "[".repeat(500), "]".repeat(500));
    let rows = format!("{{\"text\":0,\"v\":{deep}}}\n{{\"text\":1,\"v\":{deep}}}\n");
    let (_, ran) = run("in.jsonl", &rows, "result.jsonl", group);
    assert!(ran.ok().text().starts_with("{\"text\": [0, 1]"));
    let most = "frequency_specified_field_selector: {field_key: v, topk: 1}";
    assert_eq!(
        kept(&["null", "NaN", "Infinity", "NaN", "-Infinity"], most),
        [1, 3]
    );
    assert_eq!(
        kept(
            &[
                "0.11",
                "123456789012345678.11",
                "123456789012345678.12",
                "0.110"
            ],
            most
        ),
        [0, 3]
    );
}
