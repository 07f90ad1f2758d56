//! Buffers that calls use again.

use std::sync::{Mutex, PoisonError};

/// Buffers for calls from any number of threads: as many as ever worked at once.
#[derive(Debug, Default)]
pub(crate) struct Pool<T>(Mutex<Vec<T>>);

impl<T: Default> Pool<T> {
    /// Calls `work` with a buffer. It is kept for later calls if `keep` says so afterwards: one that
    /// has grown for a huge text is not.
    pub(crate) fn with<R>(
        &self,
        keep: impl FnOnce(&T) -> bool,
        work: impl FnOnce(&mut T) -> R,
    ) -> R {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffer = kept.unwrap_or_default();
        let result = work(&mut buffer);
        if keep(&buffer) {
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(buffer);
        }
        result
    }
}
