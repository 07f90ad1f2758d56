//! How much memory a call may take.

use super::value::count;

/// What one call may hold at once, in bytes, beside the weights: a batch of 64 texts of 512 tokens
/// in a model of BERT's size takes half of it.
const MOST: usize = 1 << 30;

/// The memory that is left to a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    left: usize,
}

impl Room {
    /// The room beside values that take `used` bytes.
    pub(super) fn beside(used: usize) -> Self {
        Self {
            left: MOST.saturating_sub(used),
        }
    }

    /// The number of numbers of `size` bytes that a shape has, if there is room for them.
    ///
    /// # Errors
    /// When there is none: the shape is in the message.
    pub(super) fn of(self, shape: &[usize], size: usize) -> Result<usize, String> {
        let count = count(shape)?;
        match count.checked_mul(size) {
            Some(bytes) if bytes <= self.left => Ok(count),
            _ => Err(format!(
                "a value of the shape {shape:?} would take the call beyond {} MB: give it fewer or smaller rows",
                MOST >> 20
            )),
        }
    }
}
