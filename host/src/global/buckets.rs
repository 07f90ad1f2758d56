//! Fingerprints and the rows that have them, in buckets by the hash of the fingerprint.
//!
//! The table of a bucket stays in the processor's second-level cache, where one of all rows would miss
//! every cache at each look: that took four times as long, with 5 million rows. Entries lie side by
//! side, so they also take less than half of the memory of a hash table.

/// Entries of a bucket in the mean. Its table takes some 200 KB.
const ENTRIES: usize = 4096;

/// Entries for which a bucket takes room at a time.
const CHUNK: usize = 64;

/// At most so many buckets for one set of fingerprints: with more, each writes to a page of its own.
const MOST: usize = 1 << 14;

/// How many buckets `entries` entries need; a power of two.
pub(super) fn count(entries: usize) -> usize {
    (entries / ENTRIES).next_power_of_two().min(MOST)
}

/// Entries in buckets, those of a bucket in the order in which they came.
pub(super) struct Buckets<T> {
    /// Chunks of all buckets.
    entries: Vec<T>,
    buckets: Vec<Bucket>,
}

#[derive(Clone, Default)]
struct Bucket {
    /// Where its chunks begin in the entries.
    chunks: Vec<usize>,
    /// The place of its next entry, and how many its last chunk has room for.
    next: usize,
    room: usize,
}

impl<T: Copy + Default> Buckets<T> {
    /// `buckets` buckets without entries, with room for `entries` in all.
    pub(super) fn new(buckets: usize, entries: usize) -> Self {
        Self {
            entries: Vec::with_capacity(entries + buckets * CHUNK),
            buckets: vec![Bucket::default(); buckets],
        }
    }

    pub(super) fn push(&mut self, bucket: usize, entry: T) {
        let bucket = &mut self.buckets[bucket];
        if bucket.room == 0 {
            bucket.next = self.entries.len();
            bucket.chunks.push(bucket.next);
            bucket.room = CHUNK;
            self.entries.resize(bucket.next + CHUNK, T::default());
        }
        self.entries[bucket.next] = entry;
        bucket.next += 1;
        bucket.room -= 1;
    }

    /// The entries of a bucket.
    pub(super) fn bucket(&self, bucket: usize) -> impl Iterator<Item = T> + '_ {
        let bucket = &self.buckets[bucket];
        let last = bucket.chunks.len().saturating_sub(1);
        let chunks = bucket.chunks.iter().enumerate();
        chunks.flat_map(move |(i, &start)| {
            let end = if i == last {
                bucket.next
            } else {
                start + CHUNK
            };
            self.entries[start..end].iter().copied()
        })
    }

    /// The bytes of all entries, and of the room for more.
    pub(super) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<T>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_has_its_entries_in_order() {
        let mut buckets = Buckets::new(3, 0);
        for n in 0..1000u32 {
            buckets.push(usize::from(n % 5 == 0), n);
        }
        let all = [0, 1, 2].map(|bucket| buckets.bucket(bucket).collect::<Vec<u32>>());
        let (fifth, others): (Vec<_>, Vec<_>) = (0..1000).partition(|n| n % 5 == 0);
        assert_eq!(all, [others, fifth, Vec::new()]);
    }

    #[test]
    fn there_are_as_many_buckets_as_entries_need() {
        assert_eq!([0, 1, ENTRIES, 3 * ENTRIES].map(count), [1, 1, 1, 4]);
        assert_eq!(count(usize::MAX / 2), MOST);
    }
}
