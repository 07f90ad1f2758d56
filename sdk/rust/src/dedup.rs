//! Deduplicators over rows.

use crate::batch::{Batch, Cost, Input, Kind, OpError, Output, Reject, Rejection, Signature};
use crate::column::ColumnType;
use crate::op::{Entry, Instance, Of, create, descriptor};
use crate::params::{Common, Params};
use crate::traits::Traits;

/// A fingerprint: `u64` or `u128`.
pub trait Fingerprint: Copy {
    /// Bytes: 8 or 16.
    const WIDTH: u32;

    /// Appends its bytes, little-endian.
    fn write(self, out: &mut Vec<u8>);
}

impl Fingerprint for u64 {
    const WIDTH: u32 = 8;

    fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
}

impl Fingerprint for u128 {
    const WIDTH: u32 = 16;

    fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
}

/// A deduplicator: rows with an equal fingerprint at the same place are duplicates, transitively;
/// the host keeps the first of each group.
///
/// ```
/// use djhost_sdk::prelude::*;
///
/// /// Drops texts that begin and end like an earlier one.
/// #[derive(Default, Serialize, Deserialize, JsonSchema)]
/// #[serde(default)]
/// struct EndsDeduplicator {}
///
/// impl Deduplicator for EndsDeduplicator {
///     const NAME: &'static str = "ends_deduplicator";
///     type Print = u64;
///
///     fn fingerprints(&mut self, text: &str, out: &mut Vec<u64>) -> Result<(), Reject> {
///         if let (Some(first), Some(last)) = (text.chars().next(), text.chars().last()) {
///             out.push((first as u64) << 32 | last as u64);
///         }
///         Ok(())
///     }
/// }
///
/// let mut runner = Runner::new(djhost_sdk::operator!(EndsDeduplicator), "{}").unwrap();
/// assert_eq!(runner.deduplicate(&["abc", "axc", "abd", "", ""]), [true, false, true, true, true]);
/// ```
pub trait Deduplicator: Params {
    /// The name that recipes use.
    const NAME: &'static str;
    /// The work per row.
    const COST: Cost = Cost::Medium;
    /// What it can do beyond its kind.
    const TRAITS: Traits = Traits::NONE;
    /// The type of a fingerprint.
    type Print: Fingerprint;

    /// Checks the parameters and builds what does not change from row to row.
    ///
    /// # Errors
    /// A sentence that names the parameter and says what is valid.
    fn prepare(&mut self) -> Result<(), String> {
        Ok(())
    }

    /// Fingerprints per row: 1 for exact deduplication, one per band for locality-sensitive
    /// hashing.
    fn per_row(&self) -> usize {
        1
    }

    /// Pushes the fingerprints of one text: `per_row` of them, or none if the text has no
    /// duplicates.
    ///
    /// # Errors
    /// A text that cannot be judged goes to quarantine with the reason.
    fn fingerprints(&mut self, text: &str, out: &mut Vec<Self::Print>) -> Result<(), Reject>;
}

struct OneText<T: Deduplicator> {
    op: T,
    common: Common,
    prints: Vec<T::Print>,
}

impl<T: Deduplicator> Instance for OneText<T> {
    fn signature(&self) -> Signature {
        Signature {
            reads: vec![Input::required(&self.common.text_key, ColumnType::Utf8)],
            ..Signature::default()
        }
    }

    fn process(&mut self, batch: &Batch) -> Result<Output, OpError> {
        let texts = batch.texts(0)?;
        let (rows, per_row) = (batch.rows(), self.op.per_row());
        let row_bytes = per_row * T::Print::WIDTH as usize;
        let mut data = Vec::with_capacity(rows * row_bytes);
        let mut valid = vec![0u8; rows.div_ceil(8)];
        let mut with_print = 0;
        let mut rejected = Vec::new();
        for row in 0..rows {
            self.prints.clear();
            if let Err(Reject(reason)) = self.op.fingerprints(texts.value(row), &mut self.prints) {
                self.prints.clear();
                rejected.push(Rejection {
                    row: row as u32,
                    reason,
                });
            }
            match self.prints.len() {
                0 => data.resize(data.len() + row_bytes, 0),
                n if n == per_row => {
                    self.prints.iter().for_each(|print| print.write(&mut data));
                    valid[row / 8] |= 1 << (row % 8);
                    with_print += 1;
                }
                n => {
                    return Err(OpError::Failed(format!(
                        "`{}` gave {n} fingerprints instead of {per_row}",
                        T::NAME
                    )));
                }
            }
        }
        let validity = (with_print < rows).then_some(valid);
        Ok(Output::Fingerprints {
            width: T::Print::WIDTH,
            per_row: per_row as u32,
            data,
            validity,
            rejected,
        })
    }
}

/// Makes the [`Entry`] of a [`Deduplicator`].
#[doc(hidden)]
pub trait DeduplicatorEntry {
    fn entry(&self) -> Entry;
}

impl<T: Deduplicator> DeduplicatorEntry for Of<T> {
    fn entry(&self) -> Entry {
        Entry {
            describe: || descriptor::<T>(T::NAME, Kind::Deduplicator, T::COST, T::TRAITS),
            create: |params| {
                create(params, T::prepare, |op, common| OneText {
                    op,
                    common,
                    prints: Vec::new(),
                })
            },
        }
    }
}
