//! What is written reads back as the same value.

use super::*;
use DataType::*;

fn text(ty: &DataType, value: &[u8]) -> Result<String, String> {
    let mut out = Vec::new();
    write(ty, value, &mut out).map_err(|u| format!("{} {}", u.value, u.ty))?;
    let text = String::from_utf8(out).unwrap();
    let mut back = Vec::new();
    parse(ty, &text, &mut back).unwrap_or_else(|_| panic!("{text} is not read back as {ty}"));
    assert_eq!(back, value, "{text} as {ty}");
    Ok(text)
}

#[track_caller]
fn long(ty: DataType, value: i64, expected: &str) {
    assert_eq!(text(&ty, &value.to_ne_bytes()).as_deref(), Ok(expected));
}

#[test]
fn texts_read_back_as_the_same_value() {
    use TimeUnit::*;
    let zone = |zone: &str| Some(zone.into());
    long(Int64, i64::MIN, "-9223372036854775808");
    long(
        Timestamp(Microsecond, None),
        1_577_840_523_000_456,
        "\"2020-01-01T01:02:03.000456\"",
    );
    long(Timestamp(Second, None), -1, "\"1969-12-31T23:59:59\"");
    long(
        Timestamp(Nanosecond, zone("UTC")),
        i64::MAX,
        "\"2262-04-11T23:47:16.854775807Z\"",
    );
    long(
        Timestamp(Nanosecond, None),
        i64::MIN,
        "\"1677-09-21T00:12:43.145224192\"",
    );
    long(
        Timestamp(Millisecond, zone("Europe/Berlin")),
        1_714_557_600_000,
        "\"2024-05-01T12:00:00+02:00\"",
    );
    // An offset of 53 minutes and 28 seconds.
    long(
        Timestamp(Second, zone("Europe/Berlin")),
        -3_000_000_000,
        "\"1874-12-07T18:40:00Z\"",
    );
    long(
        Timestamp(Second, zone("-05:30")),
        1_714_557_600,
        "\"2024-05-01T04:30:00-05:30\"",
    );
    long(
        Timestamp(Second, None),
        253_402_300_799,
        "\"9999-12-31T23:59:59\"",
    );
    long(
        Timestamp(Second, None),
        -62_167_219_200,
        "\"0000-01-01T00:00:00\"",
    );
    long(Date64, 951_782_400_000, "\"2000-02-29\"");
    long(Date64, 951_782_400_001, "\"2000-02-29T00:00:00.001\"");
    long(
        Time64(Nanosecond),
        86_399_999_999_999,
        "\"23:59:59.999999999\"",
    );
    long(Duration(Second), i64::MAX, "\"PT9223372036854775807S\"");
    long(
        Duration(Nanosecond),
        i64::MIN,
        "\"-PT9223372036.854775808S\"",
    );
    long(Duration(Millisecond), 1500, "\"PT1.5S\"");
    assert_eq!(
        text(&Date32, &(-1i32).to_ne_bytes()).unwrap(),
        "\"1969-12-31\""
    );
    assert_eq!(
        text(&Time32(Millisecond), &1i32.to_ne_bytes()).unwrap(),
        "\"00:00:00.001\""
    );
    let interval: Vec<u8> = [(-3i32).to_ne_bytes(), 4i32.to_ne_bytes()].concat();
    assert_eq!(
        text(&Interval(IntervalUnit::DayTime), &interval).unwrap(),
        "\"P-3DT0.004S\""
    );
    let interval: Vec<u8> = [
        &1i32.to_ne_bytes()[..],
        &(-2i32).to_ne_bytes(),
        &(-3i64).to_ne_bytes(),
    ]
    .concat();
    assert_eq!(
        text(&Interval(IntervalUnit::MonthDayNano), &interval).unwrap(),
        "\"P1M-2DT-0.000000003S\""
    );
    assert_eq!(
        text(&Interval(IntervalUnit::YearMonth), &14i32.to_ne_bytes()).unwrap(),
        "\"P14M\""
    );
    assert_eq!(text(&FixedSizeBinary(2), &[0, 255]).unwrap(), "\"00ff\"");
    for value in [
        f64::MAX,
        f64::MIN_POSITIVE,
        -0.0,
        0.1,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ] {
        text(&Float64, &value.to_ne_bytes()).unwrap();
    }
    assert_eq!(text(&Float32, &0.1f32.to_ne_bytes()).unwrap(), "0.1");
    assert_eq!(text(&Float16, &0x3c00u16.to_ne_bytes()).unwrap(), "1.0");
}

#[test]
fn decimals_keep_all_digits() {
    let value = |digits: i128| digits.to_ne_bytes();
    assert_eq!(
        text(
            &Decimal128(38, 10),
            &value(-12_345_678_901_234_567_890_123_456)
        )
        .unwrap(),
        "-1234567890123456.7890123456"
    );
    assert_eq!(text(&Decimal128(10, 3), &value(5)).unwrap(), "0.005");
    assert_eq!(text(&Decimal128(10, 3), &value(12_340)).unwrap(), "12.340");
    assert_eq!(text(&Decimal128(10, -2), &value(123)).unwrap(), "12300");
    assert_eq!(text(&Decimal128(10, 0), &value(0)).unwrap(), "0");
    assert_eq!(
        text(&Decimal64(18, 2), &(-1i64).to_ne_bytes()).unwrap(),
        "-0.01"
    );
    let wide = i256::from_string(
        "-12345678901234567890123456789012345678901234567890123456789012345678901234",
    )
    .unwrap();
    assert!(
        text(&Decimal256(76, 2), &wide.to_le_bytes())
            .unwrap()
            .ends_with(".34")
    );
    let fits = |text: &str| parse(&Decimal128(4, 2), text, &mut Vec::new()).is_ok();
    assert!(fits("1.5") && fits("-99.99") && fits("1.5000") && fits("7"));
    assert!(!fits("1.555") && !fits("100.00") && !fits("1e1") && !fits("\"1\"") && !fits(""));
}

#[test]
fn what_has_no_text_is_named() {
    let refused = |ty: DataType, value: i64| text(&ty, &value.to_ne_bytes()).unwrap_err();
    assert_eq!(
        refused(Timestamp(TimeUnit::Microsecond, None), i64::MAX),
        "9223372036854775807 Timestamp(µs)"
    );
    refused(Timestamp(TimeUnit::Second, Some("+01:00".into())), i64::MAX);
    refused(Timestamp(TimeUnit::Second, None), 253_402_300_800);
    refused(Date64, i64::MIN);
    refused(Time64(TimeUnit::Microsecond), -1);
    refused(Time64(TimeUnit::Microsecond), 86_400_000_000);
}

#[test]
fn other_spellings_are_other_values() {
    let odd =
        |ty: DataType, text: &str| assert!(parse(&ty, text, &mut Vec::new()).is_err(), "{text}");
    odd(Date32, "\"2023-02-29\"");
    odd(Date32, "\"2023-2-09\"");
    odd(
        Timestamp(TimeUnit::Second, None),
        "\"2024-05-01T10:00:00Z\"",
    );
    odd(
        Timestamp(TimeUnit::Second, None),
        "\"2024-05-01T10:00:00.5\"",
    );
    odd(
        Timestamp(TimeUnit::Second, Some("UTC".into())),
        "\"2024-05-01T10:00:00\"",
    );
    odd(Int8, "300");
    odd(Int8, "1.0");
    odd(Float64, "inf");
    odd(FixedSizeBinary(2), "\"00\"");
    odd(Duration(TimeUnit::Second), "\"PT-5S\"");
}
