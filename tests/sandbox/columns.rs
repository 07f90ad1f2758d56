//! The columns that contract 0.2 brought (`tests/guests/columns`): bytes, lists of bytes and of whole
//! numbers, and vectors go from Parquet and JSON to an operator and back, and answers that break
//! their rules cost the rows that cause them.

use std::sync::{Arc, OnceLock};

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, FixedSizeListArray, FixedSizeListBuilder,
    Float32Builder, Int64Array, Int64Builder, ListBuilder, RecordBatch, StringArray, StructArray,
};
use arrow::datatypes::{DataType, Field, Float32Type, Int64Type, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::harness::{Case, guest::build};
use crate::sandbox::{guests, quarantined};

fn component() -> &'static [u8] {
    static COMPONENT: OnceLock<Vec<u8>> = OnceLock::new();
    COMPONENT.get_or_init(|| {
        std::fs::read(build("tests/guests/columns", "djhost-test-columns")).unwrap()
    })
}

/// A case with the operator.
fn case() -> Case {
    let mut case = Case::new();
    case.write("plugins/columns.wasm", component());
    case.args = ["--plugins", "plugins"].map(str::to_owned).to_vec();
    case
}

fn recipe(paths: [&str; 2], ty: &str, how: &str) -> String {
    let [input, output] = paths;
    format!(
        "dataset_path: {input}\nexport_path: out/{output}\nmax_quarantine_ratio: 1\nprocess:\n  - column_mapper: {{type: {ty}, how: {how}}}\n"
    )
}

const VALUES: [Option<&[u8]>; 4] = [Some(b"ab\xff"), None, Some(b""), Some(b"\x00\x01")];

fn bytes() -> ArrayRef {
    Arc::new(BinaryArray::from_iter(VALUES))
}

fn bytes_list() -> ArrayRef {
    let mut lists = ListBuilder::new(BinaryBuilder::new());
    lists.append_value([Some(&b"ab"[..]), Some(&b"\xff\xfe"[..])]);
    lists.append_null();
    lists.append_value([None::<&[u8]>; 0]);
    lists.append_value([Some(&b"xyz"[..])]);
    Arc::new(lists.finish())
}

fn s64_list() -> ArrayRef {
    let mut lists = ListBuilder::new(Int64Builder::new());
    lists.append_value([Some(640), Some(-1)]);
    lists.append_null();
    lists.append_value([None::<i64>; 0]);
    lists.append_value([Some(1 << 60)]);
    Arc::new(lists.finish())
}

fn vectors() -> ArrayRef {
    let mut vectors = FixedSizeListBuilder::new(Float32Builder::new(), 3);
    for row in 0..4u8 {
        let first = f32::from(row) + 0.1;
        vectors.values().append_slice(&[first, -1.5, 1e-7]);
        vectors.append(row != 1);
    }
    Arc::new(vectors.finish())
}

/// A Parquet file with the column `given`.
fn parquet(given: &ArrayRef) -> Vec<u8> {
    let rows = given.len();
    let texts = StringArray::from_iter_values((0..rows).map(|row| format!("text {row}")));
    let schema = Schema::new(vec![
        Field::new("text", DataType::Utf8, false),
        Field::new("given", given.data_type().clone(), true),
    ]);
    let columns = vec![Arc::new(texts) as ArrayRef, given.clone()];
    let rows = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
    let mut out = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut out, rows.schema(), None).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
    out
}

/// What the operator makes of `given`, read and written as Parquet.
fn made(given: &ArrayRef, ty: &str) -> ArrayRef {
    let case = case();
    case.write("in.parquet", parquet(given));
    case.run(&recipe(["in.parquet", "made.parquet"], ty, "behave"))
        .ok();
    assert_eq!(
        column(&case, "given").data_type(),
        given.data_type(),
        "what was read stays what it is"
    );
    column(&case, "made")
}

/// A column of the exported Parquet file.
fn column(case: &Case, name: &str) -> ArrayRef {
    let file = std::fs::File::open(case.path("out/made.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let rows: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 1);
    rows[0].column_by_name(name).unwrap().clone()
}

#[test]
fn bytes_come_back_as_binary() {
    let made = self::made(&bytes(), "bytes");
    let got: Vec<_> = made.as_binary::<i32>().iter().collect();
    let expected = [Some(&b"\xffba"[..]), None, Some(b""), Some(b"\x01\x00")];
    assert_eq!(got, expected);
}

#[test]
fn lists_of_bytes_come_back() {
    let made = made(&bytes_list(), "bytes-list");
    let lists = made.as_list::<i32>();
    assert!(lists.is_null(1) && lists.value(2).is_empty());
    let first = lists.value(0);
    let first: Vec<_> = first.as_binary::<i32>().iter().flatten().collect();
    assert_eq!(first, [&b"ba"[..], b"\xfe\xff"]);
}

#[test]
fn lists_of_whole_numbers_come_back() {
    let made = made(&s64_list(), "s64-list");
    let lists = made.as_list::<i32>();
    assert!(lists.is_null(1) && lists.value(2).is_empty());
    assert_eq!(
        lists.value(0).as_primitive::<Int64Type>().values(),
        &[641, 0]
    );
    let last = lists.value(3);
    assert_eq!(last.as_primitive::<Int64Type>().values(), &[(1 << 60) + 1]);
}

/// The vectors of rows 0 and 2, and that row 1 has none.
#[track_caller]
fn check_doubled(made: &ArrayRef) {
    let DataType::FixedSizeList(item, 3) = made.data_type() else {
        panic!("{}", made.data_type());
    };
    assert_eq!(item.data_type(), &DataType::Float32);
    let vectors: &FixedSizeListArray = made.as_fixed_size_list();
    assert!(vectors.is_null(1));
    for row in [0, 2] {
        let vector = vectors.value(row);
        let expected = [(row as f32 + 0.1) * 2.0, -3.0, 2e-7];
        assert_eq!(vector.as_primitive::<Float32Type>().values(), &expected);
    }
}

#[test]
fn vectors_come_back_as_lists_of_fixed_size() {
    check_doubled(&made(&vectors(), "vector"));
}

#[test]
fn lists_of_numbers_are_given_as_vectors() {
    let mut lists = ListBuilder::new(arrow::array::Float64Builder::new());
    for row in 0..3 {
        let first = f64::from(row) + 0.1;
        lists.values().append_slice(&[first, -1.5, 1e-7]);
        lists.append(row != 1);
    }
    // Another number of them.
    lists.append_value([Some(1.0), Some(2.0)]);
    let made = made(&(Arc::new(lists.finish()) as ArrayRef), "vector");
    check_doubled(&made);
    assert!(made.is_null(3));
}

#[test]
fn json_rows_become_columns_of_the_types_that_operators_declare() {
    let case = case();
    let row = |given: &str| format!("{{\"text\": \"a\", \"given\": {given}}}\n");
    let rows = ["[0.1, -1.5, 1e-7]", "null", "[2.1, -1.5, 1e-7]"].map(row);
    case.write("in.jsonl", rows.concat());
    case.run(&recipe(["in.jsonl", "made.parquet"], "vector", "behave"))
        .ok();
    let made = column(&case, "made");
    check_doubled(&made);
    assert!(matches!(
        column(&case, "given").data_type(),
        DataType::List(_)
    ));

    case.write("in.jsonl", ["\"6162\"", "null"].map(row).concat());
    std::fs::remove_dir_all(case.path("work")).unwrap();
    case.run(&recipe(["in.jsonl", "made.parquet"], "bytes", "behave"))
        .ok();
    let made = column(&case, "made");
    let got: Vec<_> = made.as_binary::<i32>().iter().collect();
    assert_eq!(got, [Some(&b"ba"[..]), None]);
}

/// Images as `datasets` of Hugging Face stores them.
fn images() -> StructArray {
    let paths: ArrayRef = Arc::new(StringArray::from(vec![Some("a.png"), None, None, None]));
    let fields = vec![
        Arc::new(Field::new("bytes", DataType::Binary, true)),
        Arc::new(Field::new("path", DataType::Utf8, true)),
    ];
    StructArray::new(fields.into(), vec![bytes(), paths], None)
}

#[test]
fn images_of_hugging_face_are_bytes() {
    let made_alone = made(&(Arc::new(images()) as ArrayRef), "bytes");
    assert_eq!(made_alone.as_binary::<i32>().value(0), b"\xffba");
    let lists = made(&(Arc::new(images()) as ArrayRef), "bytes-list");
    let lists = lists.as_list::<i32>();
    assert_eq!(lists.value(3).as_binary::<i32>().value(0), b"\x01\x00");
    assert!(lists.is_null(1), "a file that is only named has no bytes");
}

#[test]
fn json_rows_have_bytes_as_hexadecimal_digits() {
    let case = case();
    case.write("in.parquet", parquet(&bytes()));
    let ran = case.run(&recipe(["in.parquet", "made.jsonl"], "bytes", "behave"));
    let lines = |case: &Case| -> Vec<Value> {
        let text = std::fs::read_to_string(case.path("out/made.jsonl")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let rows = lines(&case);
    assert_eq!(rows[0]["given"], "6162ff");
    assert_eq!(rows[0]["made"], "ff6261");
    let said = ran.ok().summary["warnings"].to_string();
    assert!(said.contains("`made`"), "a note says so: {said}");
}

#[test]
fn json_rows_give_every_type() {
    for (ty, given, made) in [
        ("bytes", r#""6162FF""#, r#""ff6261""#),
        ("bytes-list", r#"["6162", "00"]"#, r#"["6261", "00"]"#),
        ("s64-list", "[640, 2.0]", "[641, 3]"),
        ("vector", "[0.1, 1, 1e-7]", "[0.2, 2.0, 2e-7]"),
    ] {
        let case = case();
        // What is of another type is null.
        let odd = [r#""zz""#, "[1.5]", "[\"6\"]", "[1, 2]", "{}", "null"];
        let odd = odd.map(|value| format!("{{\"text\": \"a\", \"given\": {value}}}\n"));
        let rows = format!("{{\"text\": \"a\", \"given\": {given}}}\n{}", odd.concat());
        case.write("in.jsonl", &rows);
        let ran = case
            .run(&recipe(["in.jsonl", "made.jsonl"], ty, "behave"))
            .ok();
        assert!(ran.quarantine.is_empty(), "{ty}");
        let text = std::fs::read_to_string(case.path("out/made.jsonl")).unwrap();
        let first = text.lines().next().unwrap();
        let expected = format!("{{\"text\": \"a\", \"given\": {given}, \"made\": {made}}}");
        assert_eq!(first, expected);
        for line in text.lines().skip(1) {
            let row: Value = serde_json::from_str(line).unwrap();
            // Which of these are lists of whole numbers or of bytes, is what they look like.
            let is_of_the_type = match ty {
                "s64-list" => line.contains("[1, 2]"),
                _ => false,
            };
            assert_eq!(
                row.get("made").is_some_and(|v| !v.is_null()),
                is_of_the_type,
                "{ty}: {line}"
            );
        }
    }
}

/// Answers that break the rules of a column cost the row that causes it.
#[test]
fn invalid_columns_are_refused() {
    for (ty, given, how, reason) in [
        (
            "bytes",
            "\"00\"",
            "offsets_beyond",
            "offsets from 0 to 1001 over 1 values",
        ),
        ("bytes", "\"00\"", "offsets_short", "1 offsets for 1 rows"),
        ("bytes", "\"00\"", "offsets_none", "0 offsets for 1 rows"),
        ("bytes", "\"00\"", "offsets_fall", "offsets from"),
        (
            "bytes",
            "\"00\"",
            "data_long",
            "offsets from 0 to 1 over 2 values",
        ),
        (
            "bytes",
            "\"00\"",
            "validity_short",
            "0 bytes of validity for 1 rows",
        ),
        (
            "bytes-list",
            "[\"00\"]",
            "offsets_beyond",
            "offsets from 0 to 1001 over 1 values",
        ),
        (
            "bytes-list",
            "[\"00\"]",
            "validity_short",
            "0 bytes of validity for 1 rows",
        ),
        (
            "bytes-list",
            "[\"00\"]",
            "element_null",
            "a list of bytes has null elements",
        ),
        (
            "bytes-list",
            "[\"00\"]",
            "element_offsets_beyond",
            "offsets from 0 to 1001 over 1 values",
        ),
        (
            "bytes-list",
            "[\"00\"]",
            "element_offsets_none",
            "offsets from 0 to 1 over 0 values",
        ),
        (
            "s64-list",
            "[1]",
            "offsets_beyond",
            "offsets from 0 to 1001 over 1 values",
        ),
        (
            "s64-list",
            "[1]",
            "values_long",
            "offsets from 0 to 1 over 2 values",
        ),
        (
            "s64-list",
            "[1]",
            "validity_short",
            "0 bytes of validity for 1 rows",
        ),
        (
            "vector",
            "[1, 2, 3]",
            "values_short",
            "2 numbers for 1 vectors of width 3",
        ),
        (
            "vector",
            "[1, 2, 3]",
            "values_none",
            "0 numbers for 1 vectors of width 3",
        ),
        (
            "vector",
            "[1, 2, 3]",
            "validity_short",
            "0 bytes of validity for 1 rows",
        ),
        (
            "vector",
            "[1, 2, 3]",
            "other_width",
            "values of type Vector(2) where the signature says Vector(3)",
        ),
        (
            "vector",
            "[1, 2, 3]",
            "zero_width",
            "values of type Vector(0) where the signature says Vector(3)",
        ),
        (
            "vector",
            "[1, 2, 3]",
            "other_type",
            "values of type Bytes where the signature says Vector(3)",
        ),
    ] {
        let case = case();
        let rows: String = (0..50)
            .map(|id| {
                let text = if id == 17 { "GUILTY" } else { "innocent" };
                format!("{{\"id\": {id}, \"text\": \"{text}\", \"given\": {given}}}\n")
            })
            .collect();
        case.write("in.jsonl", rows);
        let ran = case
            .run(&recipe(["in.jsonl", "result.jsonl"], ty, how))
            .ok();
        assert_eq!(quarantined(&ran), [17], "{ty} {how}");
        let said = ran.quarantine[0]["reason"].as_str().unwrap();
        assert!(said.contains(reason), "{ty} {how}: {said}");
        assert_eq!(ran.text().lines().count(), 49, "{ty} {how}");
    }
}

#[test]
fn invalid_signatures_are_refused() {
    for (how, reason) in [
        ("width_zero", "vectors of width 0; 1 to 65536 are allowed"),
        ("width_giant", "vectors of width 4294967295; 1 to 65536"),
    ] {
        let case = case();
        case.write("in.jsonl", "{\"text\": \"a\"}\n");
        case.run(&recipe(["in.jsonl", "result.jsonl"], "vector", how))
            .failed(2, &["column_mapper", reason]);
    }
}

/// What has no effect is no silent mistake.
#[test]
fn descriptions_that_contradict_themselves_are_refused() {
    for (mode, reason) in [
        (
            "old_key",
            "`x-whole-rows` in its parameter schema, as in contract 0.1: in 0.2 that is `whole-rows` in the signature",
        ),
        ("old_media", "in 0.2 that is the need `media`"),
        (
            "trait",
            "has the trait `takes-clusters`, which only a deduplicator by fingerprints can have",
        ),
        ("clusters", "has the trait `takes-clusters`"),
        (
            "needs",
            "has parameters that name files, and does not need `files`",
        ),
    ] {
        let case = case();
        case.write("plugins/columns.wasm", guests::with_mode(component(), mode));
        case.write("in.jsonl", "{\"text\": \"a\"}\n");
        case.run(&recipe(["in.jsonl", "result.jsonl"], "bytes", "behave"))
            .failed(2, &["plugins/columns.wasm", "column_mapper", reason]);
    }
    for (mode, how, reason) in [
        ("hamming", "behave", "no number below 64 as `how`"),
        (
            "filter",
            "whole_rows",
            "it is a filter, and only mappers make whole rows",
        ),
    ] {
        let case = case();
        case.write("plugins/columns.wasm", guests::with_mode(component(), mode));
        case.write("in.jsonl", "{\"text\": \"a\"}\n");
        case.run(&recipe(["in.jsonl", "result.jsonl"], "bytes", how))
            .failed(2, &["column_mapper", reason]);
    }
}

#[test]
fn integers_of_other_widths_are_whole_numbers() {
    let mut lists = ListBuilder::new(arrow::array::Int32Builder::new());
    lists.append_value([Some(1), Some(2)]);
    lists.append_value([Some(1), None]);
    let made = made(&(Arc::new(lists.finish()) as ArrayRef), "s64-list");
    let lists = made.as_list::<i32>();
    let first = lists.value(0);
    let first: &Int64Array = first.as_primitive();
    assert_eq!(first.values(), &[2, 3]);
    assert!(lists.is_null(1), "operators get no null items");
}
