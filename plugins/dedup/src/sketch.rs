//! MinHash with one hash per shingle instead of one per shingle and permutation: fast similarity
//! sketching (Dahlgaard, Knudsen and Thorup, 2017).
//!
//! In each round every shingle falls into one place of the sketch, and a place keeps the least of
//! its shingles. Rounds follow until no place is empty, mostly one or two; an earlier round goes
//! before a later one. So two sets agree at a place with the probability of their Jaccard
//! similarity, as with permutations, for small sets, too.

/// Computes sketches. Reuses its buffer from set to set.
#[derive(Debug, Default)]
pub(crate) struct Sketch {
    /// The round in the upper half, the value in the lower one.
    places: Vec<u64>,
}

const EMPTY: u64 = u64::MAX;

impl Sketch {
    /// A sketch of `count` values of a set of hashes; all ones without hashes.
    pub(crate) fn minima(&mut self, hashes: &[u64], count: usize, out: &mut Vec<u32>) {
        self.places.clear();
        self.places.resize(count, EMPTY);
        let mut empty = if hashes.is_empty() { 0 } else { count };
        for round in 0..2 * count {
            if empty == 0 {
                break;
            }
            for &hash in hashes {
                let mixed = mix(hash, round as u64);
                // After so many rounds each of the last ones fills one place.
                let place = match round.checked_sub(count) {
                    None => (((mixed >> 32) * count as u64) >> 32) as usize,
                    Some(place) => place,
                };
                let old = &mut self.places[place];
                empty -= usize::from(*old == EMPTY);
                *old = (*old).min((round as u64) << 32 | mixed & 0xffff_ffff);
            }
        }
        out.clear();
        out.extend(self.places.iter().map(|&place| place as u32));
    }
}

/// A hash function for each round (SplitMix64).
#[inline(always)]
fn mix(hash: u64, round: u64) -> u64 {
    let mut x = hash.wrapping_add((round + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::Sketch;

    fn sketch(hashes: &[u64], count: usize) -> Vec<u32> {
        let mut out = Vec::new();
        Sketch::default().minima(hashes, count, &mut out);
        out
    }

    #[test]
    fn places_agree_as_often_as_the_sets_do() {
        // Small sets and large ones; the mean over many pairs is the Jaccard similarity.
        for size in [1u64, 2, 10, 100, 1000, 5000] {
            for shared in [0, size / 2, size * 9 / 10, size] {
                let (pairs, count) = (40, 112);
                let agree: usize = (0..pairs)
                    .map(|pair| {
                        let set = |own: u64| -> Vec<u64> {
                            let item = |i| pair << 40 | i | if i < shared { 0 } else { own << 32 };
                            (0..size).map(item).collect()
                        };
                        let (a, b) = (sketch(&set(1), count), sketch(&set(2), count));
                        a.iter().zip(&b).filter(|(a, b)| a == b).count()
                    })
                    .sum();
                let found = agree as f64 / (pairs as usize * count) as f64;
                let jaccard = shared as f64 / (2 * size - shared) as f64;
                assert!(
                    (found - jaccard).abs() < 0.04,
                    "{size} {shared}: {found:.3} {jaccard:.3}"
                );
            }
        }
    }

    #[test]
    fn order_and_repetition_do_not_matter() {
        for count in [1, 7, 112] {
            assert_eq!(sketch(&[], count), vec![u32::MAX; count]);
            let once = sketch(&[3, 5, 8], count);
            assert_eq!(once.len(), count);
            assert_eq!(once, sketch(&[8, 5, 3, 5, 5], count));
        }
        assert_ne!(sketch(&[3, 5, 8], 112), sketch(&[3, 5], 112));
    }
}
