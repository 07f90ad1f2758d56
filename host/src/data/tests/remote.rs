//! What is fetched of a remote file.

use super::columns::write_parquet;
use super::*;
use crate::data::input::parquet_file;
use crate::testing::web::Web;
use arrow::array::{Array, ArrayRef, StringArray};
use arrow::record_batch::RecordBatch;
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::sync::Arc;

/// Text that does not compress, the same each time.
fn noise(seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..40)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            char::from(b'!' + ((state >> 33) % 90) as u8)
        })
        .collect()
}

#[test]
fn one_column_of_many_is_fetched_alone() {
    const COLUMNS: u64 = 40;
    const ROWS: u64 = 5_000;
    let group = |first: u64| {
        let column = |c: u64| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(
                (first..first + ROWS).map(|row| noise(row * COLUMNS + c)),
            ))
        };
        RecordBatch::try_from_iter((0..COLUMNS).map(|c| (format!("c{c}"), column(c)))).unwrap()
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wide.parquet");
    write_parquet(&path, &[group(0), group(ROWS)]);
    let bytes = fs::read(&path).unwrap();
    let footer = SerializedFileReader::new(fs::File::open(&path).unwrap()).unwrap();
    let groups = footer.metadata().row_groups().iter();
    let column: u64 = groups
        .map(|group| group.column(7).compressed_size() as u64)
        .sum();

    let web = Web::new();
    web.put("/wide.parquet", &*bytes);
    let dataset = Dataset::open(&[web.url("/wide.parquet")], dir.path()).unwrap();
    let read = |only: Option<&[String]>| {
        let before = web.sent();
        let read = parquet_file::rows(&dataset.files[0], 0..2 * ROWS, 1 << 20, only).unwrap();
        let read: Vec<RecordBatch> = read.collect::<Result<_>>().unwrap();
        assert_eq!(
            read.iter().map(RecordBatch::num_rows).sum::<usize>() as u64,
            2 * ROWS
        );
        let texts = read[0]
            .column(0)
            .as_any()
            .downcast_ref::<StringArray>()
            .unwrap();
        (texts.value(3).to_owned(), web.sent() - before)
    };
    let (text, fetched) = read(Some(&["c7".to_owned()]));
    assert_eq!(text, noise(3 * COLUMNS + 7));
    // The footer was read before.
    assert!(
        fetched >= column && fetched < column + 100_000,
        "{fetched} of {column}"
    );
    let (_, fetched) = read(None);
    let all = bytes.len() as u64;
    assert!(
        fetched < all + 100_000 && fetched > all - 200_000,
        "{fetched} of {all}"
    );
}
