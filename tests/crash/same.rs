//! The bytes of the export do not depend on how the work is cut and stored.

use proptest::prelude::*;

use super::bench::{Bench, Result};

fn expected() -> &'static Result {
    static EXPECTED: std::sync::OnceLock<Result> = std::sync::OnceLock::new();
    EXPECTED.get_or_init(|| {
        Bench::new(700)
            .with("partition", "{mode: manual, num_of_partitions: 1}")
            .with("np", "1")
            .undisturbed()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_export_is_the_same(
        np in 1..5_u32,
        partition in prop_oneof![
            (1..40_u32).prop_map(|n| format!("{{mode: manual, num_of_partitions: {n}}}")),
            (1..900_u32).prop_map(|n| format!("{{mode: manual, size: {n}}}")),
            Just("{mode: auto}".to_owned()),
        ],
        batch_kb in prop_oneof![Just(16_u32), Just(64), Just(512), Just(2048)],
        strategy in prop_oneof![Just("every_op"), Just("every_n_ops"), Just("manual"), Just("disabled"), Just("adaptive")],
        format in prop_oneof![Just("parquet"), Just("arrow"), Just("jsonl")],
        storage in prop_oneof![Just(""), Just(", whole_rows: true")],
        compression in prop_oneof![Just("snappy"), Just("gzip"), Just("none"), Just("zstd"), Just("lz4")],
    ) {
        // Arrow knows two kinds of compression.
        let compression = if format == "arrow" && !["zstd", "lz4", "none"].contains(&compression) { "zstd" } else { compression };
        let bench = Bench::new(700)
            .with("np", &np.to_string())
            .with("partition", &partition)
            .with("batch_size_kb", &batch_kb.to_string())
            .with("strategy", strategy)
            .with("format", format)
            .with("compression", compression)
            .with("storage", storage);
        bench.ok(&[]);
        prop_assert_eq!(&bench.result(), expected());
    }
}

/// Checkpoints leave out what the input has, and files store rows in many ways.
#[test]
fn rows_of_any_shape_are_found_again() {
    let filler = |n: usize| "Some words to fill a row with. ".repeat(n);
    let mut data = b"\xef\xbb\xbf".to_vec();
    for i in 0..120 {
        let text = match i % 6 {
            // Larger than one read.
            0 if i % 30 == 0 => filler(40_000),
            0 => format!("  {}", filler(30)),
            1 => format!("{}\u{a0}and\u{a0}more of it\u{2003}", filler(i)),
            2 => format!(
                "mail somebody@example.com and https://example.com/{i} now {}",
                filler(i)
            ),
            3 => "one of these rows is there many times".to_owned(),
            _ => format!("an ordinary row {i} {}", filler(i % 7)),
        };
        data.extend_from_slice([&b""[..], b" ", b"\t"][i % 3]);
        data.extend(serde_json::to_vec(&serde_json::json!({ "text": text, "n": i })).unwrap());
        data.extend_from_slice([&b"\n"[..], b"\r\n", b" \n\n", b"\n \r\n"][i % 4]);
    }
    data.extend_from_slice(br#"{"text": "the last row has no line end, and is not cleaned"}"#);
    let bench = |storage: &str, format: &str| {
        let bench = Bench::new(1)
            .with("storage", storage)
            .with("format", format)
            .with("partition", "{mode: manual, num_of_partitions: 3}");
        std::fs::write(bench.path("data.jsonl"), &data).unwrap();
        bench
    };
    let expected = bench("", "parquet")
        .with("strategy", "disabled")
        .undisturbed();
    for format in ["parquet", "arrow", "jsonl"] {
        for storage in ["", ", whole_rows: true"] {
            let bench = bench(storage, format).with("compression", "none");
            // Every step reads what the previous one stored; the second half in another process.
            let output = bench.run_with_fault("kill@event:checkpoint_save:9");
            assert!(
                super::bench::killed(&output),
                "{}",
                super::bench::text(&output.stderr)
            );
            bench.ok(&[]);
            assert_eq!(bench.result(), expected, "{format} {storage}");
        }
    }
}

/// Records of web archives are unpacked again, each by itself.
#[test]
fn rows_of_web_archives_are_found_again() {
    let gz = |content: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, content).unwrap();
        encoder.finish().unwrap()
    };
    let mut packed = Vec::new();
    for i in 0..150 {
        let text = match i % 5 {
            0 => format!("  {}\u{a0}and\u{a0}more", "Some words. ".repeat(i)),
            1 => format!("mail somebody@example.com and https://example.com/{i} now"),
            2 => "one of these rows is there many times".to_owned(),
            _ => format!("an ordinary page {i}"),
        };
        let record = format!(
            "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: http://example.org/{i}\r\nContent-Length: {}\r\n\r\n{text}\r\n\r\n",
            text.len()
        );
        let mut member = gz(record.as_bytes());
        if i % 50 == 7 {
            let half = member.len() / 2;
            member[half] ^= 0x5a;
        }
        packed.extend(member);
    }
    let bench = |strategy: &str| {
        let bench = Bench::new(1)
            .with("strategy", strategy)
            .with("dataset_path", "data.wet.gz");
        std::fs::write(bench.path("data.wet.gz"), &packed).unwrap();
        bench
    };
    let expected = bench("disabled")
        .with("partition", "{mode: manual, num_of_partitions: 1}")
        .undisturbed();
    assert_eq!(expected.quarantine.len(), 3);
    let bench = bench("every_op");
    let output = bench.run_with_fault("kill@event:checkpoint_save:9");
    assert!(
        super::bench::killed(&output),
        "{}",
        super::bench::text(&output.stderr)
    );
    bench.ok(&[]);
    assert_eq!(bench.result(), expected);
}

/// Unchanged rows are not stored: that makes checkpoints cheap.
#[test]
fn checkpoints_of_filters_hold_no_rows() {
    let size = |storage: &str| {
        let mut bench = Bench::new(700)
            .with("storage", storage)
            .with("compression", "none");
        bench.ops = ["text_length_filter:", "words_num_filter:"]
            .map(str::to_owned)
            .to_vec();
        bench.ok(&[]);
        let files = std::fs::read_dir(bench.run_dir().join("checkpoints")).unwrap();
        files
            .map(|f| f.unwrap())
            .filter(|f| f.path().extension().is_some_and(|e| e == "parquet"))
            .map(|f| f.metadata().unwrap().len())
            .sum::<u64>()
    };
    assert!(2 * size("") < size(", whole_rows: true"));
}
