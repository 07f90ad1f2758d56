//! What Parquet has and Arrow has not, or in halves: times of 96 bits, intervals, UUIDs, JSON, ENUMs,
//! times of UTC.

use super::*;
use arrow::datatypes::{IntervalUnit, TimeUnit};
use parquet::basic::LogicalType;
use parquet::data_type::{
    ByteArray, ByteArrayType, DataType as Physical, FixedLenByteArray, FixedLenByteArrayType,
    Int96, Int96Type,
};
use parquet::file::writer::SerializedFileWriter;

const DAY: u64 = 86_400_000_000_000;
/// The Julian day of 1970-01-01, and of 9999-12-31.
const EPOCH: u32 = 2_440_588;
const LAST: u32 = 5_373_484;

/// A time, as nanoseconds of the day and Julian day.
fn at(nanos: u64, day: u32) -> Int96 {
    let mut value = Int96::new();
    value.set_data(nanos as u32, (nanos >> 32) as u32, day);
    value
}

fn interval(months: u32, days: u32, millis: u32) -> FixedLenByteArray {
    let bytes = [months, days, millis].map(u32::to_le_bytes).concat();
    FixedLenByteArray::from(ByteArray::from(bytes))
}

/// Rows of a text and of `values`, once for each leaf of `columns`; as Spark and DuckDB write them,
/// without Arrow's schema.
fn file<T: Physical>(columns: &str, leaves: &[bool], values: &[T::T]) -> Vec<u8> {
    let schema = format!("message rows {{ required binary text (STRING); {columns} }}");
    let schema = Arc::new(parquet::schema::parser::parse_message_type(&schema).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let texts: Vec<ByteArray> = (0..values.len())
        .map(|i| ByteArray::from(&*format!("row {i}")))
        .collect();
    let typed = column.typed::<ByteArrayType>();
    typed.write_batch(&texts, None, None).unwrap();
    column.close().unwrap();
    let (here, first) = (vec![1; values.len()], vec![0; values.len()]);
    for in_list in leaves {
        let mut column = group.next_column().unwrap().unwrap();
        let levels = in_list.then_some((&here[..], &first[..])).unzip();
        let typed = column.typed::<T>();
        typed.write_batch(values, levels.0, levels.1).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.into_inner().unwrap()
}

const TIMES: &str = "required int96 at; required group l (LIST) { repeated group list { required int96 element; } } \
    required group o { required int96 at; }";

fn times(values: &[Int96]) -> Vec<u8> {
    file::<Int96Type>(TIMES, &[false, true, false], values)
}

fn rows(ran: &Ran) -> Vec<Value> {
    ran.text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn nanoseconds_of_96_bits_stay() {
    let values: Vec<Int96> = (0..5)
        .map(|i| at(123_456_789 + i * DAY / 5, EPOCH))
        .collect();
    let unit = |ran: &RecordBatch| ran.column(1).data_type().clone();
    let (found, ran) = to_table("in.parquet", times(&values));
    assert_eq!(
        unit(&found),
        DataType::Timestamp(TimeUnit::Nanosecond, None)
    );
    assert!(ran.quarantine.is_empty());
    for more in ["", "partition: {mode: manual, num_of_partitions: 3}\n"] {
        let process = format!("{FILTER}checkpoint: {{strategy: every_op}}\n{more}");
        let ran = run("in.parquet", times(&values), "result.jsonl", &process)
            .1
            .ok();
        for (i, row) in rows(&ran).iter().enumerate() {
            let hours = i * 24 * 60 / 5;
            let at = format!(
                "1970-01-01T{:02}:{:02}:00.123456789",
                hours / 60,
                hours % 60
            );
            let wanted = json!({"text": format!("row {i}"), "at": at, "l": [at], "o": {"at": at}});
            assert_eq!(*row, wanted);
        }
    }
    // Microseconds reach further.
    let far = [at(0, LAST), at(1_000, EPOCH), at(0, 0)];
    let (found, ran) = to_table("in.parquet", times(&far));
    assert_eq!(
        unit(&found),
        DataType::Timestamp(TimeUnit::Microsecond, None)
    );
    assert_eq!((found.num_rows(), ran.quarantine.len()), (3, 0));
}

#[test]
fn a_time_that_the_unit_of_its_column_does_not_hold() {
    let reason = |ran: &Ran| match &ran.quarantine[..] {
        [entry] => entry["reason"].as_str().unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    for (values, wanted) in [
        (
            [at(1, EPOCH), at(0, LAST), at(2, EPOCH)],
            "`at` is 9999-12-31T00:00:00 of 96 bits, which Timestamp(ns) does not hold exactly",
        ),
        (
            [at(0, LAST), at(1_001, EPOCH), at(0, LAST)],
            "`at` is 1970-01-01T00:00:00.000001 and 1 ns of 96 bits, which Timestamp(µs) does not hold exactly",
        ),
        (
            [at(0, EPOCH), at(DAY - 1, LAST), at(0, EPOCH)],
            "`at` is 9999-12-31T23:59:59.999999 and 999 ns of 96 bits, which Timestamp(",
        ),
    ] {
        for output in ["result.jsonl", "result.parquet", "result.arrow"] {
            let (_, ran) = run("in.parquet", times(&values), output, FILTER);
            let ran = ran.ok();
            assert!(reason(&ran).starts_with(wanted), "{}", reason(&ran));
        }
    }
    let inner = "required group o { required group l (LIST) { repeated group list { required int96 element; } } }";
    let values = [at(0, LAST), at(0, LAST), at(7, EPOCH)];
    let nested = file::<Int96Type>(inner, &[true], &values);
    let (_, ran) = run("in.parquet", nested, "result.jsonl", FILTER);
    let ran = ran.ok();
    assert!(reason(&ran).starts_with("`o` is 1970-01-01T00:00:00 and 7 ns"));
    assert_eq!(ran.quarantine[0]["line"], 3);
}

#[test]
fn intervals_keep_months_days_and_milliseconds() {
    let column = "required fixed_len_byte_array(12) span (INTERVAL); \
        required group o { required fixed_len_byte_array(12) span (INTERVAL); }";
    let spans = |values: &[FixedLenByteArray]| {
        file::<FixedLenByteArrayType>(column, &[false, false], values)
    };
    let values = [
        interval(14, 3, 1_500),
        interval(0, 0, 3_000_000_000),
        interval(1, 1 << 31, 0),
    ];
    let ran = run("in.parquet", spans(&values), "result.jsonl", FILTER)
        .1
        .ok();
    let found: Vec<Value> = rows(&ran).iter().map(|row| row["span"].clone()).collect();
    assert_eq!(found, ["P14M3DT1.5S", "P0M0DT3000000S"]);
    assert_eq!(rows(&ran)[0]["o"]["span"], "P14M3DT1.5S");
    let reason = ran.quarantine[0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("`span` is P1M2147483648D"), "{reason}");
    let (case, ran) = run("in.parquet", spans(&values[..2]), "result.arrow", FILTER);
    ran.ok();
    let found = read(&case.path("out/result.arrow"));
    let spans_found = found
        .column(1)
        .as_primitive::<arrow::datatypes::IntervalMonthDayNanoType>();
    assert_eq!(
        spans_found.values(),
        &[
            IntervalMonthDayNano::new(14, 3, 1_500_000_000),
            IntervalMonthDayNano::new(0, 0, 3_000_000_000_000_000)
        ]
    );
    let (_, ran) = run("in.parquet", spans(&values), "result.parquet", FILTER);
    ran.failed(2, &["column `span` is Interval", "export as `.arrow`"]);
    // Those of Arrow's schema have one half.
    let of_days: ArrayRef = Arc::new(IntervalDayTimeArray::from(vec![
        arrow::datatypes::IntervalDayTime::new(-3, 7),
    ]));
    let (found, _) = to_table(
        "in.parquet",
        parquet(&table(vec![("text", texts(1)), ("span", of_days)])),
    );
    assert_eq!(
        found.column(1).data_type(),
        &DataType::Interval(IntervalUnit::DayTime)
    );
}

/// What a file says of its leaves.
fn said(path: &Path) -> Vec<String> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let file = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let schema = file.metadata().file_metadata().schema_descr();
    let leaves = schema.columns().iter().skip(1);
    leaves
        .map(|leaf| match leaf.logical_type_ref().unwrap() {
            LogicalType::Time(time) => format!("Time, UTC: {}", time.is_adjusted_to_u_t_c),
            other => format!("{other:?}"),
        })
        .collect()
}

#[test]
fn what_parquet_says_of_leaves_stays() {
    let nested = |ty: &str, mark: &str| {
        format!(
            "required {ty} a ({mark}); required group l (LIST) {{ repeated group list {{ required {ty} element ({mark}); }} }} \
             required group o {{ required {ty} a ({mark}); }}"
        )
    };
    let leaves = [false, true, false];
    let bytes = |len: usize| FixedLenByteArray::from(ByteArray::from(vec![b'a'; len]));
    let texts = [ByteArray::from("{\"k\": 1}"), ByteArray::from("2")];
    let uuids = file::<FixedLenByteArrayType>(
        &nested("fixed_len_byte_array(16)", "UUID"),
        &leaves,
        &[bytes(16), bytes(16)],
    );
    let json = file::<ByteArrayType>(&nested("binary", "JSON"), &leaves, &texts);
    let enums = file::<ByteArrayType>(&nested("binary", "ENUM"), &leaves, &texts);
    let times = file::<parquet::data_type::Int64Type>(
        &nested("int64", "TIME(MICROS,true)"),
        &leaves,
        &[1, 2],
    );
    for (written, mark) in [
        (uuids, "Uuid"),
        (json, "Json"),
        (enums, "Enum"),
        (times, "Time, UTC: true"),
    ] {
        for process in [FILTER, "  - document_deduplicator:\n"] {
            let (case, ran) = run("in.parquet", &written, "result.parquet", process);
            ran.ok();
            let path = case.path("out/result.parquet");
            assert_eq!(said(&path), [mark; 3], "{process}");
            let (arrow, ran) = run("in.parquet", &written, "result.arrow", process);
            ran.ok();
            let back = arrow.path("out/result.arrow");
            assert_eq!(read(&back).columns(), read(&path).columns());
            // From Arrow to Parquet it stays, too.
            let (case, ran) = run(
                "in.arrow",
                std::fs::read(back).unwrap(),
                "result.parquet",
                process,
            );
            ran.ok();
            assert_eq!(said(&case.path("out/result.parquet")), [mark; 3]);
        }
    }
}

/// Rows of a text and of `column`, whose leaves hold a value for each row, whatever it is.
fn of_type(column: parquet::schema::types::Type) -> Vec<u8> {
    use parquet::basic::{Repetition, Type as Physical};
    use parquet::schema::types::Type;
    let text = Type::primitive_type_builder("text", Physical::BYTE_ARRAY)
        .with_repetition(Repetition::REQUIRED)
        .with_logical_type(Some(LogicalType::String))
        .build()
        .unwrap();
    let root = Type::group_type_builder("rows")
        .with_fields(vec![Arc::new(text), Arc::new(column)])
        .build()
        .unwrap();
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(root), Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    while let Some(mut column) = group.next_column().unwrap() {
        let values = [ByteArray::from("one"), ByteArray::from("two")];
        let typed = column.typed::<ByteArrayType>();
        typed.write_batch(&values, None, None).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.into_inner().unwrap()
}

fn leaf(name: &str, is: Option<LogicalType>) -> parquet::schema::types::Type {
    parquet::schema::types::Type::primitive_type_builder(name, parquet::basic::Type::BYTE_ARRAY)
        .with_repetition(parquet::basic::Repetition::REQUIRED)
        .with_logical_type(is)
        .build()
        .unwrap()
}

fn group(
    name: &str,
    members: Vec<parquet::schema::types::Type>,
    is: Option<LogicalType>,
) -> parquet::schema::types::Type {
    parquet::schema::types::Type::group_type_builder(name)
        .with_repetition(parquet::basic::Repetition::REQUIRED)
        .with_fields(members.into_iter().map(Arc::new).collect())
        .with_logical_type(is)
        .build()
        .unwrap()
}

/// The logical types of the second column and of what is in it.
fn said_of_second(path: &Path) -> Vec<Option<LogicalType>> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    fn walk(ty: &parquet::schema::types::Type, all: &mut Vec<Option<LogicalType>>) {
        all.push(ty.get_basic_info().logical_type_ref().cloned());
        if ty.is_group() {
            ty.get_fields().iter().for_each(|member| walk(member, all));
        }
    }
    let file = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let mut all = Vec::new();
    let root = file.metadata().file_metadata().schema();
    walk(&root.get_fields()[1], &mut all);
    all
}

#[test]
fn geometries_and_variants_stay() {
    use parquet::basic::EdgeInterpolationAlgorithm::VINCENTY;
    let crs = Some(r#"{"id": {"authority": "EPSG", "code": 3857}}"#.to_owned());
    let plane = LogicalType::geometry(None);
    let globe = LogicalType::geography(crs.clone(), Some(VINCENTY));
    let variant = || {
        let members = vec![leaf("metadata", None), leaf("value", None)];
        group("v", members, Some(LogicalType::variant(Some(1))))
    };
    let cases = [
        leaf("g", Some(plane.clone())),
        leaf("g", Some(LogicalType::geometry(crs))),
        leaf("g", Some(LogicalType::geography(None, None))),
        group(
            "o",
            vec![
                leaf("a", Some(globe)),
                leaf("b", None),
                leaf("c", Some(plane)),
            ],
            None,
        ),
        variant(),
        group("o", vec![variant(), leaf("after", None)], None),
        group("o", vec![leaf("before", None), variant()], None),
    ];
    for column in cases {
        let written = of_type(column);
        let case = Case::new();
        case.write("in.parquet", &written);
        let wanted = said_of_second(&case.path("in.parquet"));
        for process in [FILTER, "  - document_deduplicator:\n"] {
            let (case, ran) = run("in.parquet", &written, "result.parquet", process);
            ran.ok();
            assert_eq!(said_of_second(&case.path("out/result.parquet")), wanted);
            let again = std::fs::read(case.path("out/result.parquet")).unwrap();
            let (arrow, ran) = run("in.parquet", &again, "result.arrow", process);
            ran.ok();
            let back = std::fs::read(arrow.path("out/result.arrow")).unwrap();
            let (case, ran) = run("in.arrow", back, "result.parquet", process);
            ran.ok();
            assert_eq!(said_of_second(&case.path("out/result.parquet")), wanted);
        }
    }
    // Arrow's libraries know GeoArrow's words.
    let written = of_type(leaf("g", Some(LogicalType::geography(None, None))));
    let found = to_table("in.parquet", written).0;
    let metadata = found.schema().field(1).metadata().clone();
    assert_eq!(metadata["ARROW:extension:name"], "geoarrow.wkb");
    assert_eq!(
        metadata["ARROW:extension:metadata"],
        r#"{"crs":"OGC:CRS84","edges":"spherical"}"#
    );
}

/// A column of which only some files say what its values are.
#[test]
fn what_only_some_files_say_of_a_column_is_not_lost_in_silence() {
    let times = |utc: bool| {
        file::<parquet::data_type::Int64Type>(
            &format!("required int64 at (TIME(MICROS,{utc}));"),
            &[false],
            &[1, 2],
        )
    };
    let json = of_type(leaf("at", Some(LogicalType::Json)));
    let texts = of_type(leaf("at", Some(LogicalType::String)));
    for (one, two, note) in [
        (times(true), times(false), "is a time of UTC in"),
        (json, texts, "is `arrow.json` in"),
    ] {
        for (order, output) in [
            (["a", "b"], "out/r.parquet"),
            (["b", "a"], "out/r.parquet"),
            (["b", "a"], "out/r.arrow"),
        ] {
            let case = Case::new();
            case.write(&format!("in/{}.parquet", order[0]), &one);
            let recipe = format!("dataset_path: in\nexport_path: {output}\nprocess:\n{FILTER}");
            let alone = case.run(&recipe).ok();
            assert!(!alone.stderr.contains("`at` "), "{}", alone.stderr);
            case.write(&format!("in/{}.parquet", order[1]), &two);
            let ran = case.run(&recipe).ok();
            let said = format!("column `at` {note} `");
            assert!(ran.stderr.contains(&said), "{}", ran.stderr);
            assert!(ran.stderr.contains(&format!("{}.parquet`", order[0])));
        }
    }
}

/// The decoder takes files whose maps have keys that may be null; what has one is written by no one.
#[test]
fn a_map_with_null_for_a_key() {
    let schema = "message rows { required binary text (STRING); required group m (MAP) { \
        repeated group key_value { optional binary key (STRING); optional int32 value; } } }";
    let schema = Arc::new(parquet::schema::parser::parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
    let mut rows = writer.next_row_group().unwrap();
    let mut column = rows.next_column().unwrap().unwrap();
    let texts = ["one", "two"].map(ByteArray::from);
    column
        .typed::<ByteArrayType>()
        .write_batch(&texts, None, None)
        .unwrap();
    column.close().unwrap();
    let mut column = rows.next_column().unwrap().unwrap();
    let keys = [ByteArray::from("k")];
    column
        .typed::<ByteArrayType>()
        .write_batch(&keys, Some(&[2, 1]), Some(&[0, 0]))
        .unwrap();
    column.close().unwrap();
    let mut column = rows.next_column().unwrap().unwrap();
    column
        .typed::<parquet::data_type::Int32Type>()
        .write_batch(&[1, 2], Some(&[2, 2]), Some(&[0, 0]))
        .unwrap();
    column.close().unwrap();
    rows.close().unwrap();
    let written = writer.into_inner().unwrap();
    for output in ["result.jsonl", "result.parquet", "result.arrow"] {
        let process = format!("{FILTER}checkpoint: {{strategy: every_op}}\n");
        let (_, ran) = run("in.parquet", &written, output, &process);
        let ran = ran.ok();
        let [entry] = &ran.quarantine[..] else {
            panic!("{:?}", ran.quarantine);
        };
        let reason = entry["reason"].as_str().unwrap();
        let says = reason.starts_with("`m` ") && reason.contains("a key");
        assert!(says, "{reason}");
        assert_eq!(entry["line"], 2);
        assert!(ran.stderr.contains("1 written"), "{}", ran.stderr);
    }
}
