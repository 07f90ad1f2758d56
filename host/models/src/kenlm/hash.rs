//! The hashes by which KenLM finds words and n-grams.

/// `MurmurHash64A` by Austin Appleby, with the seed 0: the hash of a word.
#[inline]
pub(crate) fn of_word(word: &[u8]) -> u64 {
    const MIX: u64 = 0xc6a4_a793_5bd1_e995;
    let mut hash = (word.len() as u64).wrapping_mul(MIX);
    let (blocks, rest) = word.as_chunks::<8>();
    for block in blocks {
        let mut block = u64::from_le_bytes(*block).wrapping_mul(MIX);
        block ^= block >> 47;
        hash = (hash ^ block.wrapping_mul(MIX)).wrapping_mul(MIX);
    }
    if !rest.is_empty() {
        // Byte by byte: a copy of unknown length would be a call.
        let last = rest
            .iter()
            .rev()
            .fold(0, |last, byte| last << 8 | u64::from(*byte));
        hash = (hash ^ last).wrapping_mul(MIX);
    }
    hash = (hash ^ hash >> 47).wrapping_mul(MIX);
    hash ^ hash >> 47
}

/// The hash of an n-gram from that of its last words, and the word before these.
#[inline(always)]
pub(crate) fn extend(hash: u64, word: u32) -> u64 {
    hash.wrapping_mul(8_978_948_897_894_561_157)
        ^ (u64::from(word) + 1).wrapping_mul(17_894_857_484_156_487_943)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the reference implementation returns.
    #[test]
    fn words_have_the_known_hashes() {
        for (word, hash) in super::super::tests::HASHES {
            assert_eq!(of_word(word.as_bytes()), hash, "{word}");
        }
    }
}
