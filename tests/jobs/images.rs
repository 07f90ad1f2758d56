//! Operators on images take those that are inside of rows: in a column of bytes, a list of such, or as
//! Hugging Face's `datasets` stores images.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BinaryArray, BinaryBuilder, ListBuilder, RecordBatch, StringArray,
    StructArray,
};
use arrow::datatypes::{DataType, Field, Int64Type};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use crate::harness::Case;

fn file(name: &str) -> Vec<u8> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/examples/files");
    std::fs::read(dir.join(name)).unwrap()
}

/// Width and height of a PNG, from its header.
fn shape(png: &[u8]) -> [i64; 2] {
    [16, 20].map(|at| i64::from(u32::from_be_bytes(png[at..at + 4].try_into().unwrap())))
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let rows = RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, column)| (name, column, true)),
    )
    .unwrap();
    let mut out = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut out, rows.schema(), None).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
    out
}

fn texts(rows: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(
        (0..rows).map(|row| format!("row {row}")),
    ))
}

/// As `datasets` stores images.
fn stored(images: &[Option<&[u8]>]) -> ArrayRef {
    let paths: ArrayRef = Arc::new(StringArray::from(vec![Some("not/there.png"); images.len()]));
    let bytes: ArrayRef = Arc::new(BinaryArray::from_iter(images.iter().copied()));
    let fields = [
        Field::new("bytes", DataType::Binary, true),
        Field::new("path", DataType::Utf8, true),
    ];
    Arc::new(StructArray::new(
        fields.to_vec().into(),
        vec![bytes, paths],
        None,
    ))
}

#[test]
fn images_of_hugging_face_are_measured_and_stay_as_they_are() {
    let [garden, icon] = ["garden.png", "icon.png"].map(file);
    let images = stored(&[Some(&garden), Some(b"no image"), Some(&icon)]);
    let case = Case::new();
    case.write(
        "in.parquet",
        parquet(vec![("text", texts(3)), ("image", images)]),
    );
    let recipe = "dataset_path: in.parquet\nexport_path: out/result.parquet\nimage_bytes_key: image\nkeep_stats_in_res_ds: true\n\
                  max_quarantine_ratio: 1\nprocess:\n  - image_shape_filter:\n  - image_size_filter:\n";
    let ran = case.run(recipe).ok();
    assert_eq!(ran.quarantine.len(), 1);
    let why = ran.quarantine[0]["reason"].as_str().unwrap();
    assert!(why.starts_with("file 0 in `image`: "), "{why}");

    let result = std::fs::File::open(case.path("out/result.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(result).unwrap();
    let rows: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
    let stored = rows[0].column_by_name("image").unwrap().as_struct();
    let bytes = stored.column_by_name("bytes").unwrap();
    assert_eq!(bytes.as_binary::<i32>().value(1), icon);
    let stats = rows[0].column_by_name("__dj__stats__").unwrap().as_struct();
    let numbers = |key: &str, row: usize| {
        let lists = stats.column_by_name(key).unwrap().as_list::<i32>();
        let list = lists.value(row);
        list.as_primitive::<Int64Type>().values().to_vec()
    };
    for (row, image) in [&garden, &icon].into_iter().enumerate() {
        let found = [numbers("image_width", row), numbers("image_height", row)];
        assert_eq!(found, shape(image).map(|side| vec![side]));
        assert_eq!(numbers("image_sizes", row), [image.len() as i64]);
    }
}

/// Bytes take the place of the files that the list names; those beyond it count, too.
#[test]
fn bytes_go_before_paths() {
    let [garden, icon] = ["garden.png", "icon.png"].map(file);
    let mut lists = ListBuilder::new(BinaryBuilder::new());
    lists.append_value([Some(&garden), Some(&icon)]);
    lists.append_null();
    lists.append_value([Some(&icon)]);
    let mut paths = ListBuilder::new(arrow::array::StringBuilder::new());
    paths.append_null();
    paths.append_value([Some("here.png")]);
    paths.append_value([Some("gone.png"), Some("here.png")]);
    let case = Case::new();
    case.write("here.png", &garden);
    case.write(
        "in.parquet",
        parquet(vec![
            ("text", texts(3)),
            ("images", Arc::new(paths.finish()) as ArrayRef),
            ("image_bytes", Arc::new(lists.finish()) as ArrayRef),
        ]),
    );
    let recipe = "dataset_path: in.parquet\nexport_path: out/result.jsonl\nkeep_stats_in_res_ds: true\nprocess:\n  - image_shape_filter:\n";
    let ran = case.run(recipe).ok();
    let widths: Vec<Value> = ran
        .text()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|row| row["__dj__stats__"]["image_width"].clone())
        .collect();
    let [garden, icon] = [garden, icon].map(|image| shape(&image)[0]);
    assert_eq!(
        widths,
        [
            json!([garden, icon]),
            json!([garden]),
            json!([icon, garden])
        ]
    );
}

/// A schema in which the column of images is the list that operators read is no conflict.
#[test]
fn one_field_can_be_both() {
    let icon = file("icon.png");
    let images = stored(&[Some(&icon), Some(&icon), None]);
    let case = Case::new();
    case.write(
        "in.parquet",
        parquet(vec![("text", texts(3)), ("images", images)]),
    );
    let recipe = "dataset_path: in.parquet\nexport_path: out/result.jsonl\nimage_bytes_key: images\nmax_quarantine_ratio: 1\n\
                  process:\n  - image_size_filter:\n  - image_deduplicator:\n";
    let ran = case.run(recipe).ok();
    assert_eq!(
        ran.text().lines().count(),
        1,
        "the second one looks the same"
    );
    assert_eq!(ran.quarantine.len(), 1, "an image that is only named");
}
