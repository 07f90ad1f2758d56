//! Files as all kinds of writers make them: codecs, layouts, units, and types that a format lacks.

use super::*;

#[test]
fn all_codecs_and_encodings_of_parquet_are_read() {
    let rows = table(vec![
        text(500),
        column("n", Int64Array::from_iter_values((0..500).map(|n| n * n))),
        column(
            "f",
            Float64Array::from_iter_values((0..500).map(|n| f64::from(n) / 8.0)),
        ),
    ]);
    let (_, ran) = keep(&[("a.parquet", parquet(&rows))], "result.jsonl");
    let expected = ran.ok().text().to_owned();
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ];
    for codec in codecs {
        let (_, ran) = keep(
            &[(
                "a.parquet",
                parquet_of(
                    &rows,
                    WriterProperties::builder().set_compression(codec).build(),
                ),
            )],
            "result.jsonl",
        );
        assert_eq!(ran.ok().text(), expected, "{codec:?}");
    }
    for (of_text, of_n, of_f) in [
        (Encoding::PLAIN, Encoding::PLAIN, Encoding::PLAIN),
        (
            Encoding::DELTA_LENGTH_BYTE_ARRAY,
            Encoding::DELTA_BINARY_PACKED,
            Encoding::BYTE_STREAM_SPLIT,
        ),
        (
            Encoding::DELTA_BYTE_ARRAY,
            Encoding::BYTE_STREAM_SPLIT,
            Encoding::PLAIN,
        ),
    ] {
        let properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_2_0)
            .set_dictionary_enabled(false)
            .set_column_encoding("text".into(), of_text)
            .set_column_encoding("n".into(), of_n)
            .set_column_encoding("f".into(), of_f)
            .build();
        let (_, ran) = keep(
            &[("a.parquet", parquet_of(&rows, properties))],
            "result.jsonl",
        );
        assert_eq!(ran.ok().text(), expected, "{of_text} {of_n} {of_f}");
    }
}

#[test]
fn layouts_widths_and_units_of_shards_unite() {
    let item = || Arc::new(Field::new_list_field(DataType::Int32, true));
    let a = table(vec![
        text(1),
        column(
            "list",
            ListArray::new(
                item(),
                OffsetBuffer::new(vec![0, 2].into()),
                Arc::new(Int32Array::from(vec![1, 2])),
                None,
            ),
        ),
        column("bytes", BinaryArray::from(vec![&b"ab"[..]])),
        column(
            "money",
            Decimal128Array::from(vec![1234])
                .with_precision_and_scale(5, 2)
                .unwrap(),
        ),
        column(
            "at",
            TimestampSecondArray::from(vec![7]).with_timezone("UTC"),
        ),
        column(
            "kind",
            vec!["x"].into_iter().collect::<DictionaryArray<Int8Type>>(),
        ),
    ]);
    let b = table(vec![
        column("kind", StringArray::from(vec!["y"])),
        column(
            "at",
            TimestampMicrosecondArray::from(vec![8]).with_timezone("+00:00"),
        ),
        column(
            "money",
            Decimal128Array::from(vec![50])
                .with_precision_and_scale(20, 1)
                .unwrap(),
        ),
        column("bytes", LargeBinaryArray::from(vec![&b"c"[..]])),
        column(
            "list",
            LargeListArray::new(
                item(),
                OffsetBuffer::new(vec![0, 1].into()),
                Arc::new(Int32Array::from(vec![3])),
                None,
            ),
        ),
        text(1),
    ]);
    let expected = table(vec![
        column("text", StringArray::from(vec!["row 0", "row 0"])),
        column(
            "list",
            LargeListArray::new(
                item(),
                OffsetBuffer::new(vec![0, 2, 3].into()),
                Arc::new(Int32Array::from(vec![1, 2, 3])),
                None,
            ),
        ),
        column("bytes", LargeBinaryArray::from(vec![&b"ab"[..], b"c"])),
        column(
            "money",
            Decimal128Array::from(vec![1234, 500])
                .with_precision_and_scale(21, 2)
                .unwrap(),
        ),
        column(
            "at",
            TimestampMicrosecondArray::from(vec![7_000_000, 8]).with_timezone("UTC"),
        ),
        column("kind", StringArray::from(vec!["x", "y"])),
    ]);
    for write in [parquet, arrow] {
        let suffix = if write(&a).starts_with(b"PAR1") {
            "parquet"
        } else {
            "arrow"
        };
        let files = [
            (format!("a.{suffix}"), write(&a)),
            (format!("b.{suffix}"), write(&b)),
        ];
        let files: Vec<(&str, Vec<u8>)> = files
            .iter()
            .map(|(name, content)| (name.as_str(), content.clone()))
            .collect();
        let (case, ran) = keep(&files, "result.arrow");
        ran.ok();
        assert_eq!(read_arrow(&case), expected, "{suffix}");
        let (case, ran) = keep(&files, "result.parquet");
        ran.ok();
        assert_eq!(read_parquet(&case), expected, "{suffix}");
    }
    // A time that the finer unit cannot express.
    let far = table(vec![
        text(2),
        column("at", TimestampSecondArray::from(vec![1, 1 << 45])),
    ]);
    let near = table(vec![
        text(1),
        column("at", TimestampNanosecondArray::from(vec![5])),
    ]);
    let (_, ran) = keep(
        &[("a.arrow", arrow(&far)), ("b.arrow", arrow(&near))],
        "result.arrow",
    );
    let ran = ran.ok();
    assert_eq!(
        (
            ran.summary["ledger"]["output"].as_u64(),
            ran.quarantine.len()
        ),
        (Some(2), 1)
    );
    // Zones conflict: which one would the column have?
    let berlin = table(vec![
        text(1),
        column(
            "at",
            TimestampSecondArray::from(vec![7]).with_timezone("Europe/Berlin"),
        ),
    ]);
    let (_, ran) = keep(
        &[("a.parquet", parquet(&a)), ("b.arrow", arrow(&berlin))],
        "result.arrow",
    );
    ran.failed(
        2,
        &["b.arrow", "column `at` is", "Europe/Berlin", "a.parquet"],
    );
}

#[test]
fn types_that_parquet_does_not_hold_are_refused_before_the_job() {
    let fields = UnionFields::try_new(
        vec![0, 1],
        vec![
            Field::new("n", DataType::Int32, true),
            Field::new("s", DataType::Utf8, true),
        ],
    )
    .unwrap();
    let children: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(vec![5])),
        Arc::new(StringArray::from(vec!["five"])),
    ];
    let union = UnionArray::try_new(
        fields,
        vec![0, 1].into(),
        Some(ScalarBuffer::from(vec![0, 0])),
        children,
    )
    .unwrap();
    let span = IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(1, 2, 3); 2]);
    let rows = table(vec![text(2), column("u", union), column("span", span)]);
    let (case, ran) = keep(&[("a.arrow", arrow(&rows))], "result.parquet");
    ran.failed(
        2,
        &[
            "column `u` is Union",
            "column `span` is Interval",
            "Parquet has no type for that",
            "export as `.arrow`",
        ],
    );
    assert!(!case.path("work").exists());
    // Arrow and checkpoints hold them, and JSON has the values.
    let (case, ran) = keep(&[("a.arrow", arrow(&rows))], "result.arrow");
    ran.ok();
    assert_eq!(
        read_arrow(&case).column(1).as_ref(),
        rows.column(1).as_ref()
    );
    let (_, ran) = keep(&[("a.arrow", arrow(&rows))], "result.jsonl");
    assert_eq!(
        lines(&ran.ok())
            .iter()
            .map(|row| row["u"].clone())
            .collect::<Vec<_>>(),
        [json!(5), json!("five")]
    );
}

/// As Spark writes them: without Arrow's schema.
#[test]
fn times_of_96_bits_reach_the_year_9999() {
    use parquet::data_type::{ByteArray, ByteArrayType, Int96, Int96Type};
    let schema = "message spark { optional binary text (STRING); optional int96 at; }";
    let schema = Arc::new(parquet::schema::parser::parse_message_type(schema).unwrap());
    let mut writer =
        parquet::file::writer::SerializedFileWriter::new(Vec::new(), schema, Arc::default())
            .unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column
        .typed::<ByteArrayType>()
        .write_batch(
            &[ByteArray::from("a"), ByteArray::from("b")],
            Some(&[1, 1]),
            None,
        )
        .unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    // Nanoseconds of the day, and the Julian day, of which 2,440,588 is 1970-01-01.
    let at = |nanos: u64, day: u32| {
        let mut value = Int96::new();
        value.set_data(nanos as u32, (nanos >> 32) as u32, day);
        value
    };
    column
        .typed::<Int96Type>()
        .write_batch(
            &[at(0, 5_373_484), at(3_600_000_000_000 + 1_000, 2_440_588)],
            Some(&[1, 1]),
            None,
        )
        .unwrap();
    column.close().unwrap();
    group.close().unwrap();
    let (_, ran) = keep(
        &[("a.parquet", writer.into_inner().unwrap())],
        "result.jsonl",
    );
    let at: Vec<Value> = lines(&ran.ok())
        .iter()
        .map(|row| row["at"].clone())
        .collect();
    assert_eq!(
        at,
        [
            json!("9999-12-31T00:00:00"),
            json!("1970-01-01T01:00:00.000001")
        ]
    );
}
