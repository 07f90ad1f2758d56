//! Properties that must hold for any bytes in a WARC file; `tests/fuzz` searches for bytes that break
//! them.

use std::collections::HashSet;

use serde::de::IgnoredAny;

use crate::data::batch::split_id;
use crate::data::input::unpack::materialise;
use crate::data::{Compression, Dataset, Partition, ReadOptions, Refetched, Slice, read};
use crate::rundir::Storage;

/// Reads `data` as a WARC file, as a whole and in pieces.
pub fn pages(data: &[u8]) {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("in.warc"), data).expect("a file");
    let Ok(dataset) = Dataset::open(&["in.warc".to_owned()], dir.path()) else {
        return;
    };
    let Ok(dataset) = materialise(&dataset, &dir.path().join("unpacked"), &Storage::new()) else {
        return;
    };
    if !dataset.is_pages() {
        return;
    }
    let file = &dataset.files[0];
    let all = rows(&dataset, &[(0, file.bytes)]);
    let ids: HashSet<u64> = all.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids.len(), all.len(), "each row has its own id");
    let mut again = Refetched::new(&dataset, 0);
    for (id, row) in &all {
        assert!(split_id(*id).1 < file.bytes, "ids are places in the file");
        if let Some(row) = row {
            serde_json::from_slice::<IgnoredAny>(row).expect("rows are JSON");
            let found = again.row(split_id(*id).1).expect("a row is found again");
            assert_eq!(&found, row, "a row stays the same");
        }
    }
    // A member can be made so that parts of it look like others.
    if file.compression == Compression::None {
        let half = super::next_start(file, file.bytes / 2, 1 << 27).expect("the file can be cut");
        let pieces = rows(&dataset, &[(0, half), (half, file.bytes)]);
        assert!(pieces == all, "the rows do not depend on the cuts");
    }
}

/// The rows between these positions, in order; None for those in quarantine.
fn rows(dataset: &Dataset, pieces: &[(u64, u64)]) -> Vec<(u64, Option<Vec<u8>>)> {
    let mut all = Vec::new();
    let mut options = ReadOptions::new(Vec::new());
    options.max_row_bytes = 1 << 20;
    for (start, end) in pieces.iter().copied().filter(|(start, end)| start < end) {
        let slices = vec![Slice {
            file: 0,
            start,
            end,
        }];
        let piece = Partition { id: 0, slices };
        for block in read(dataset, &piece, &options).expect("it can be read") {
            let block = block.expect("it can be read");
            all.extend(block.bad.into_iter().map(|bad| (bad.id, None)));
            let texts = block.batch.raw.iter().flat_map(|raw| raw.iter().flatten());
            let texts: Vec<Vec<u8>> = texts.map(<[u8]>::to_vec).collect();
            all.extend(
                block
                    .batch
                    .ids
                    .values()
                    .iter()
                    .copied()
                    .zip(texts.into_iter().map(Some)),
            );
        }
    }
    all.sort();
    all
}
