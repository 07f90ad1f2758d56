//! A mapper from bytes to a vector, over the columns of a batch.

use djhost_sdk::Vectors;
use djhost_sdk::prelude::*;

const QUARTERS: usize = 4;

/// Puts the share of each quarter of byte values into a vector.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct HistogramMapper {}

impl Operator for HistogramMapper {
    const NAME: &'static str = "rust_histogram_mapper";
    const KIND: Kind = Kind::Mapper;

    fn signature(&self, _common: &Common) -> Signature {
        Signature {
            reads: vec![Input::optional("file", ColumnType::Bytes)],
            writes: vec![Computed::new(
                "histogram",
                ColumnType::Vector(QUARTERS as u32),
            )],
            ..Signature::default()
        }
    }

    fn process(&mut self, _common: &Common, batch: &Batch) -> Result<Output, OpError> {
        let (mut rows, mut values) = (Vec::new(), Vec::new());
        for index in 0..batch.rows() {
            let row = batch.row(index);
            let Some(file) = row.bytes(0) else {
                continue;
            };
            let mut shares = [0.0; QUARTERS];
            for byte in file {
                shares[usize::from(byte / 64)] += 1.0 / file.len() as f32;
            }
            rows.push(index as u32);
            values.extend(shares);
        }
        let values = Vectors::new(QUARTERS as u32, values, None).map_err(OpError::Failed)?;
        Ok(Output::Updated {
            updates: vec![Update {
                path: "histogram".into(),
                rows: Some(rows),
                values: Column::Vector(values),
            }],
            rejected: Vec::new(),
        })
    }
}
