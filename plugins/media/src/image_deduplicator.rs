//! `image_deduplicator`

use crate::decode::decode;
use crate::hash::{HashMethod, hash};
use djhost_media_files::{Modality, files};
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
pub struct ImageDeduplicator {
    /// The hash: `phash`, `dhash`, `whash` or `ahash`.
    pub method: HashMethod,
    /// Let rows be duplicates only if their texts are equal as well.
    pub consider_text: bool,
}

impl ImageDeduplicator {
    /// The concatenated hashes of a row's images. An image that a row names twice counts once, as
    /// in Data-Juicer.
    fn hashes(&self, row: Row<'_>, inputs: usize) -> Result<Vec<u8>, Reject> {
        let mut hashes = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        for file in files(row, inputs)? {
            if file
                .path()
                .is_some_and(|path| seen.iter().any(|s| s == path))
            {
                continue;
            }
            let pixels = file
                .open()
                .and_then(|mut source| decode(&mut source))
                .map_err(|reason| file.blamed(reason))?;
            hashes.extend_from_slice(&hash(&pixels, self.method).to_be_bytes());
            seen.extend(file.path().map(str::to_owned));
        }
        Ok(hashes)
    }
}

impl Operator for ImageDeduplicator {
    const NAME: &'static str = "image_deduplicator";
    const TRAITS: Traits = Traits::NONE.reads_media();
    const KIND: Kind = Kind::Deduplicator;
    const COST: Cost = Cost::Heavy;

    fn signature(&self, common: &Common) -> Signature {
        let mut reads = Modality::Images.inputs(common);
        if self.consider_text {
            reads.push(Input::required(&common.text_key, ColumnType::Utf8));
        }
        Signature {
            reads,
            ..Signature::default()
        }
    }

    fn process(&mut self, common: &Common, batch: &Batch) -> Result<Output, OpError> {
        let rows = batch.rows();
        let inputs = Modality::Images.inputs(common).len();
        let (mut data, mut valid, mut rejected) = (
            Vec::with_capacity(rows * 16),
            vec![0u8; rows.div_ceil(8)],
            Vec::new(),
        );
        for row in 0..rows {
            let mut print = None;
            match self.hashes(batch.row(row), inputs) {
                // A row without images duplicates no other, unless texts count.
                Ok(hashes) if hashes.is_empty() && !self.consider_text => {}
                Ok(mut hashes) => {
                    if self.consider_text {
                        let text = strip(batch.row(row).text(inputs).unwrap_or_default());
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
