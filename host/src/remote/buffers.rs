//! Memory for pieces of files, which is used again: each piece is fetched by another thread, for each of
//! which the allocator would keep memory of its own, three times what is in use.

use bytes::Bytes;
use std::sync::{Mutex, PoisonError};

/// The size of a buffer: that of the largest piece (`ahead.rs`).
const SIZE: usize = 2 << 20;
/// Smaller bodies are not worth one.
const LEAST: usize = 512 << 10;
/// Buffers that are kept.
const MOST: usize = 16;

static FREE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// An empty buffer with room for `length` bytes.
pub(super) fn take(length: usize) -> Vec<u8> {
    if !(LEAST..=SIZE).contains(&length) {
        return Vec::with_capacity(length);
    }
    let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    free.unwrap_or_else(|| Vec::with_capacity(SIZE))
}

/// The bytes of a buffer, which is free again once nobody has them.
pub(super) fn lend(buffer: Vec<u8>) -> Bytes {
    match buffer.capacity() {
        SIZE => Bytes::from_owner(Lent(buffer)),
        _ => buffer.into(),
    }
}

struct Lent(Vec<u8>);

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < MOST {
            self.0.clear();
            free.push(std::mem::take(&mut self.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_and_holds_what_was_put_into_it_last() {
        let mut first = take(SIZE);
        first.extend_from_slice(b"first");
        let lent = lend(first);
        let part = lent.slice(1..3);
        drop(lent);
        let mut second = take(LEAST);
        second.extend_from_slice(b"second");
        assert_eq!(&*part, b"ir");
        drop(part);
        assert_eq!(&*lend(second), b"second");
        assert!(take(SIZE).is_empty());
        assert!(take(SIZE + 1).capacity() > SIZE);
    }
}
