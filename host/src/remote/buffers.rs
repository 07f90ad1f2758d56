//! Memory for pieces of files, which is used again: each piece is fetched by another thread, for each of
//! which the allocator would keep memory of its own, several times what is in use. Pages of their own and
//! not of the allocator, for the same reason; new ones for each piece would cost a third of the time of
//! reading.

use bytes::Bytes;
use memmap2::MmapMut;
use std::sync::{Mutex, PoisonError};

/// The size of a buffer: that of the largest piece (`ahead.rs`).
const SIZE: u64 = 2 << 20;
/// Smaller bodies are not worth one.
const LEAST: u64 = 512 << 10;
/// Buffers that are kept.
const MOST: usize = 16;

static FREE: Mutex<Vec<MmapMut>> = Mutex::new(Vec::new());

/// A buffer with room for `length` bytes, and with anything in it; None for other lengths than those of
/// pieces, or if there is no memory.
pub(super) fn take(length: u64) -> Option<MmapMut> {
    if !(LEAST..=SIZE).contains(&length) {
        return None;
    }
    let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    free.or_else(|| MmapMut::map_anon(SIZE as usize).ok())
}

/// The first bytes of a buffer, which is free again once nobody has them.
pub(super) fn lend(buffer: MmapMut, length: usize) -> Bytes {
    Bytes::from_owner(Lent(Some(buffer))).slice(..length)
}

struct Lent(Option<MmapMut>);

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < MOST {
            free.extend(self.0.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_when_nobody_has_its_bytes() {
        let mut first = take(SIZE).unwrap();
        first[..5].copy_from_slice(b"first");
        let lent = lend(first, 5);
        let part = lent.slice(1..3);
        drop(lent);
        let mut second = take(LEAST).unwrap();
        second[..6].copy_from_slice(b"second");
        assert_eq!(&*part, b"ir");
        drop(part);
        assert_eq!(&*lend(second, 6), b"second");
        assert!(take(SIZE + 1).is_none() && take(LEAST - 1).is_none());
    }
}
