//! Numbers: not finite, out of range, with more digits than their type, spelled otherwise.

use super::*;

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
fn digits_beyond_a_double() {
    let rows = "{\"text\": \"a\", \"f\": 0.12345678901234567890, \"i\": -9223372036854775808, \"mixed\": 9007199254740993}\n{\"text\": \"b\", \"f\": 2, \"i\": 9223372036854775807, \"mixed\": 0.5}\n";
    assert_eq!(run_on("in.jsonl", rows).ok().text(), rows);
    let (found, ran) = to_table("in.jsonl", rows);
    let doubles = found.column_by_name("f").unwrap();
    assert_eq!(
        doubles
            .as_primitive::<arrow::datatypes::Float64Type>()
            .values()[..],
        [0.123_456_789_012_345_68, 2.0]
    );
    let whole = found.column_by_name("i").unwrap();
    assert_eq!(
        whole.as_primitive::<arrow::datatypes::Int64Type>().values()[..],
        [i64::MIN, i64::MAX]
    );
    // A double is not 9007199254740993: the column keeps the digits, and the job says so.
    let mixed = found.column_by_name("mixed").unwrap().as_string::<i32>();
    assert_eq!(
        (mixed.value(0), mixed.value(1)),
        ("9007199254740993", "0.5")
    );
    warned(&ran, &["column `mixed`"]);
    let decimals = Decimal128Array::from(vec![Some(12_340), Some(-5), None])
        .with_precision_and_scale(38, 3)
        .unwrap();
    let ran = to_lines(&table(vec![("text", texts(3)), ("d", Arc::new(decimals))]));
    assert_eq!(
        ran.text(),
        "{\"text\":\"row 0\",\"d\":12.340}\n{\"text\":\"row 1\",\"d\":-0.005}\n{\"text\":\"row 2\",\"d\":null}\n"
    );
    assert!(ran.summary.get("warnings").is_none());
}

#[test]
fn leading_zeros_and_plus_signs() {
    // In JSON they are no numbers: the row is said to be broken.
    let ran = run_on("in.jsonl", "{\"text\": \"a\", \"n\": 007}\n{\"text\": \"b\", \"n\": +1}\n{\"text\": \"c\", \"n\": 1}\n").ok();
    assert_eq!(ran.text(), "{\"text\": \"c\", \"n\": 1}\n");
    assert_eq!(ran.quarantine.len(), 2);
    // In a table they are read as numbers, and counted; beside words they are text.
    let csv = "text,zip,plus,plain,word\na,00501,+7,0,007\nb,10115,-3,0.5,x\nc,,+0.5,-1,+1\n";
    let ran = run_on("in.csv", csv).ok();
    assert_eq!(
        ran.text(),
        "{\"text\":\"a\",\"zip\":501,\"plus\":7.0,\"plain\":0.0,\"word\":\"007\"}\n{\"text\":\"b\",\"zip\":10115,\"plus\":-3.0,\"plain\":0.5,\"word\":\"x\"}\n{\"text\":\"c\",\"zip\":null,\"plus\":0.5,\"plain\":-1.0,\"word\":\"+1\"}\n"
    );
    warned(
        &ran,
        &[
            "field `zip`: 1 number in a table had leading zeros or a plus sign",
            "field `plus`: 2 numbers in a table had",
        ],
    );
    for field in ["`plain`", "`word`"] {
        assert!(!ran.summary["warnings"].to_string().contains(field));
    }
    let (found, ran) = to_table("in.csv", csv);
    let zip = found.column_by_name("zip").unwrap();
    assert_eq!(
        zip.as_primitive::<arrow::datatypes::Int64Type>().values()[..2],
        [501, 10_115]
    );
    warned(&ran, &["field `zip`: 1 number in a table"]);
}
