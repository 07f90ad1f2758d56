//! Bytes, surrogates, and what becomes text: dates, times, durations.

use super::*;

#[test]
fn durations_and_times_are_texts_by_the_standards() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("text", texts(2)),
        (
            "d",
            Arc::new(DurationSecondArray::from(vec![Some(i64::MAX), Some(-5)])),
        ),
        (
            "us",
            Arc::new(DurationMicrosecondArray::from(vec![Some(1_500_000), None])),
        ),
        ("date", Arc::new(Date32Array::from(vec![19_844, -1]))),
        (
            "time",
            Arc::new(Time64NanosecondArray::from(vec![1, 86_399_999_999_999])),
        ),
        (
            "utc",
            Arc::new(
                TimestampMillisecondArray::from(vec![0, 1_714_557_600_123]).with_timezone("UTC"),
            ),
        ),
        (
            "there",
            Arc::new(
                TimestampSecondArray::from(vec![0, 1_714_557_600]).with_timezone("Europe/Berlin"),
            ),
        ),
    ];
    let ran = to_lines(&table(columns));
    assert_eq!(
        ran.text().lines().collect::<Vec<_>>(),
        [
            r#"{"text":"row 0","d":"PT9223372036854775807S","us":"PT1.5S","date":"2024-05-01","time":"00:00:00.000000001","utc":"1970-01-01T00:00:00Z","there":"1970-01-01T01:00:00+01:00"}"#,
            r#"{"text":"row 1","d":"-PT5S","us":null,"date":"1969-12-31","time":"23:59:59.999999999","utc":"2024-05-01T10:00:00.123Z","there":"2024-05-01T12:00:00+02:00"}"#,
        ]
    );
    assert!(ran.quarantine.is_empty());
}

#[test]
fn bytes_and_surrogates() {
    let bytes = |value: Vec<Option<&[u8]>>| Arc::new(BinaryArray::from(value)) as ArrayRef;
    let columns = table(vec![
        ("text", texts(3)),
        ("b", bytes(vec![Some(&b"\x00\xffz"[..]), Some(b""), None])),
        (
            "h",
            Arc::new(
                FixedSizeBinaryArray::try_from_iter([[1u8, 2], [3, 4], [5, 6]].iter()).unwrap(),
            ),
        ),
    ]);
    let ran = to_lines(&columns);
    assert_eq!(
        ran.text(),
        "{\"text\":\"row 0\",\"b\":\"00ff7a\",\"h\":\"0102\"}\n{\"text\":\"row 1\",\"b\":\"\",\"h\":\"0304\"}\n{\"text\":\"row 2\",\"b\":null,\"h\":\"0506\"}\n"
    );
    warned(
        &ran,
        &[
            "field `b`: 2 values of bytes are written to JSON as hexadecimal digits",
            "field `h`: 3 values of bytes",
        ],
    );
    assert_eq!(to_table("in.parquet", parquet(&columns)).0, columns);
    let rows = "{\"text\": \"a\", \"s\": \"x\\ud800y\", \"o\": {\"k\": [\"\\udc00\"]}}\n{\"text\": \"b\", \"s\": \"\\ud83d\\ude00\"}\n";
    assert_eq!(run_on("in.jsonl", rows).ok().text(), rows);
    let (found, ran) = to_table("in.jsonl", rows);
    let s = found.column_by_name("s").unwrap().as_string::<i32>();
    assert_eq!((s.value(0), s.value(1)), ("x\u{fffd}y", "\u{1f600}"));
    warned(
        &ran,
        &[
            "field `s`: 1 value holds a lone surrogate",
            "field `o.k[]`: 1 value holds a lone surrogate",
        ],
    );
}

#[test]
fn intervals_have_texts() {
    let interval = Arc::new(IntervalMonthDayNanoArray::from(vec![
        IntervalMonthDayNano::new(14, -3, 1_500_000_000),
    ]));
    let columns = table(vec![("text", texts(1)), ("i", interval)]);
    let (_, ran) = run("in.arrow", ipc(&columns), "result.jsonl", FILTER);
    assert_eq!(
        ran.ok().text(),
        "{\"text\":\"row 0\",\"i\":\"P14M-3DT1.5S\"}\n"
    );
    let (case, ran) = run(
        "in.arrow",
        ipc(&columns),
        "result.arrow",
        "  - naive_grouper:\n  - naive_reverse_grouper:\n",
    );
    ran.ok();
    assert_eq!(read(&case.path("out/result.arrow")), columns);
}

#[test]
fn a_lone_surrogate_in_a_key_that_nobody_reads_stays() {
    let rows = "{\"text\":\"b\",\"\\ud800\":1}\n{\"text\":\"c\",\"m\":{\"\\udc00x\":\"\\ud800\"},\"\\ud800y\":{\"text\":1}}\n";
    let ran = run_on("in.jsonl", rows).ok();
    assert!(ran.quarantine.is_empty(), "{:?}", ran.quarantine);
    assert_eq!(ran.text(), rows);
    // Also where an op changes the row.
    let (_, ran) = run(
        "in.jsonl",
        rows.replace('b', "a@b.co"),
        "result.jsonl",
        "  - clean_email_mapper: {repl: b}\n",
    );
    assert_eq!(ran.ok().text(), rows);
}

#[test]
fn a_lone_surrogate_that_an_operator_reads_is_refused() {
    let rows = "{\"text\": \"x\\ud800\"}\n{\"text\": \"y\", \"o\": \"\\udc00\"}\n";
    let ran = run_on("in.jsonl", rows).ok();
    assert_eq!(ran.text(), "{\"text\": \"y\", \"o\": \"\\udc00\"}\n");
    assert_eq!(ran.quarantine[0]["reason"], "`text` holds a lone surrogate");
}

#[test]
fn strings_stay_strings_whatever_they_say() {
    let rows = "{\"text\": \"a\", \"day\": \"2024-05-01\", \"at\": \"2024-05-01T12:00:00Z\", \"n\": \"007\", \"yes\": \"true\"}\n";
    let (found, ran) = to_table("in.jsonl", rows);
    let all: Vec<&str> = (0..5)
        .map(|i| found.column(i).as_string::<i32>().value(0))
        .collect();
    assert_eq!(
        all,
        ["a", "2024-05-01", "2024-05-01T12:00:00Z", "007", "true"]
    );
    assert!(ran.summary.get("warnings").is_none());
    let ran = run_on("in.csv", "text,day,at\na,2024-05-01,12:30\n").ok();
    assert_eq!(
        ran.text(),
        "{\"text\":\"a\",\"day\":\"2024-05-01\",\"at\":\"12:30\"}\n"
    );
}

#[test]
fn rows_of_tables_that_are_not_utf_8_go_to_quarantine() {
    let ran = run_on("in.csv", b"text,x\na,1\nb\xff,2\nc,3\n").ok();
    assert_eq!(
        ran.text(),
        "{\"text\":\"a\",\"x\":1}\n{\"text\":\"c\",\"x\":3}\n"
    );
    let [entry] = &ran.quarantine[..] else {
        panic!("{:?}", ran.quarantine)
    };
    assert!(
        entry["reason"].as_str().unwrap().contains("UTF-8"),
        "{entry}"
    );
    assert_eq!(entry["line"], json!(3));
}

#[test]
fn a_lone_surrogate_in_a_key_that_nobody_reads_is_no_matter() {
    let rows = "{\"text\": \"a\", \"\\ud800\": 1}\n{\"\\udc00\\ud83d\\ude00\\\\\": [2], \"text\": \"b\", \"o\": {\"\\ud800\": {}}}\n";
    let ran = run_on("in.jsonl", rows).ok();
    assert_eq!((ran.text(), ran.quarantine.len()), (rows, 0));
}

/// A column has room for one value of each name.
#[test]
fn keys_that_come_twice_or_become_one() {
    let rows = "{\"text\": \"a\", \"o\": {\"\\ud800\": 1, \"\\ud801\": 2}, \"l\": [{\"k\": 1, \"k\": 2, \"\\u006b\": 3}]}\n\
        {\"l\": [], \"text\": \"x\", \"text\": \"b\", \"o\": {\"\\ud800\": 1}}\n";
    let (found, ran) = to_table("in.jsonl", rows);
    let lost = "1 value stands before another one of the same key in its object";
    warned(
        &ran,
        &[
            &format!("field `o.\u{fffd}`: {lost}"),
            "field `l[].k`: 2 values stand before",
            &format!("field `text`: {lost}"),
        ],
    );
    assert_eq!(
        to_lines(&found).text().lines().next().unwrap(),
        "{\"text\":\"a\",\"o\":{\"\u{fffd}\":2},\"l\":[{\"k\":3}]}"
    );
    // Names that come in another order do so once, and text keeps all.
    let rows = "{\"text\": \"a\", \"b\": 1}\n{\"b\": {\"k\": 1, \"k\": 2}, \"text\": \"b\"}\n";
    let (_, ran) = to_table("in.jsonl", rows);
    assert!(
        !ran.summary["warnings"]
            .to_string()
            .contains("of the same key")
    );
}
