//! `image_deduplicator`

use crate::decode::decode;
use crate::hash::{HashMethod, hash};
use crate::rows::{Modality, paths};
use crate::source::Media;
use djhost_sdk::prelude::*;
use djhost_sdk::text::strip;
use xxhash_rust::xxh3::xxh3_128;

/// Drops rows whose images look the same as those of an earlier row.
///
/// Images look the same if their hashes are equal: small changes of size, quality or format mostly
/// leave them equal, others mostly do not. All images of a row count, in their order. Images may be
/// PNG, JPEG, GIF, WebP and BMP.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("x-reads-media" = true))]
pub struct ImageDeduplicator {
    /// The hash: `phash`, `dhash`, `whash` or `ahash`.
    pub method: HashMethod,
    /// Let rows be duplicates only if their texts are equal as well.
    pub consider_text: bool,
}

impl ImageDeduplicator {
    /// The concatenated hashes of a row's images. An image that a row names twice counts once, as
    /// in Data-Juicer.
    fn hashes(&self, row: Row<'_>) -> Result<Vec<u8>, Reject> {
        let mut hashes = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        for path in paths(row, 0)? {
            if seen.contains(&path) {
                continue;
            }
            let file = Media(&path);
            let pixels = file
                .open()
                .and_then(|mut source| decode(&mut source))
                .map_err(|reason| file.blamed(reason))?;
            hashes.extend_from_slice(&hash(&pixels, self.method).to_be_bytes());
            seen.push(path);
        }
        Ok(hashes)
    }
}

impl Operator for ImageDeduplicator {
    const NAME: &'static str = "image_deduplicator";
    const KIND: Kind = Kind::Deduplicator;
    const COST: Cost = Cost::Heavy;

    fn signature(&self, common: &Common) -> Signature {
        let mut reads = vec![Modality::Images.input(common)];
        if self.consider_text {
            reads.push(Input::required(&common.text_key, ColumnType::Utf8));
        }
        Signature {
            reads,
            ..Signature::default()
        }
    }

    fn process(&mut self, _common: &Common, batch: &Batch) -> Result<Output, OpError> {
        let rows = batch.rows();
        let (mut data, mut valid, mut rejected) = (
            Vec::with_capacity(rows * 16),
            vec![0u8; rows.div_ceil(8)],
            Vec::new(),
        );
        for row in 0..rows {
            let mut print = None;
            match self.hashes(batch.row(row)) {
                // A row without images duplicates no other, unless texts count.
                Ok(hashes) if hashes.is_empty() && !self.consider_text => {}
                Ok(mut hashes) => {
                    if self.consider_text {
                        let text = strip(batch.row(row).text(1).unwrap_or_default());
                        hashes.extend_from_slice(&xxh3_128(text.as_bytes()).to_le_bytes());
                    }
                    print = Some(xxh3_128(&hashes));
                }
                Err(Reject(reason)) => rejected.push(Rejection {
                    row: row as u32,
                    reason,
                }),
            }
            data.extend_from_slice(&print.unwrap_or_default().to_le_bytes());
            valid[row / 8] |= u8::from(print.is_some()) << (row % 8);
        }
        Ok(Output::Fingerprints {
            width: 16,
            per_row: 1,
            data,
            validity: Some(valid),
            rejected,
        })
    }
}
