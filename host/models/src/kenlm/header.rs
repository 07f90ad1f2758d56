//! The head of a binary.

use crate::error::damaged;
use crate::numbers::{f32_at, u32_at, u64_at};

const MAGIC: &[u8] = b"mmap lm http://kheafield.com/code format version 5\n\0";
const ANY_VERSION: &[u8] = b"mmap lm http://kheafield.com/code";
const INCOMPLETE: &[u8] = b"mmap lm http://kheafield.com/code incomplete";
/// The magic bytes, and numbers that show how the machine that wrote it writes numbers.
const SANITY: usize = 88;
/// Longer n-grams are of no use; a file that claims so would only take time.
pub(crate) const MOST_WORDS: usize = 16;

/// What the head says.
#[derive(Debug)]
pub(crate) struct Header {
    /// How many slots a hash table has for each entry.
    pub multiplier: f32,
    /// 0: probing, 1: probing with rest costs, 2 to 5: tries.
    pub kind: u32,
    /// Whether the words follow the tables.
    pub has_words: bool,
    /// The number of n-grams of each length.
    pub counts: Vec<u64>,
    /// Its own size in bytes.
    pub size: usize,
}

/// Whether a file begins as a binary does.
pub(crate) fn is_binary(start: &[u8]) -> bool {
    start.starts_with(ANY_VERSION)
}

impl Header {
    pub(crate) fn read(file: &[u8]) -> Result<Self, String> {
        let wrong = || damaged("head");
        if file.starts_with(INCOMPLETE) {
            return Err("the program that wrote it was stopped: build it again".into());
        }
        if !file.starts_with(MAGIC) {
            return Err("the version of the file is not 5: build the binary from its ARPA file again, with KenLM's `build_binary`".into());
        }
        let known = [0.0, 1.0, -0.5].map(f32::to_bits);
        let tests = [known[0], known[1], known[2], 1, u32::MAX, 0, 1, 0];
        for (at, expected) in (56..).step_by(4).zip(tests) {
            if u32_at(file, at).ok_or_else(wrong)? != expected {
                return Err("it was written on a machine that writes numbers in another way: build the binary from its ARPA file again".into());
            }
        }
        let order = usize::from(*file.get(SANITY).ok_or_else(wrong)?);
        let multiplier = f32_at(file, SANITY + 4).ok_or_else(wrong)?;
        let kind = u32_at(file, SANITY + 8).ok_or_else(wrong)?;
        let has_words = *file.get(SANITY + 12).ok_or_else(wrong)?;
        let version = u32_at(file, SANITY + 16).ok_or_else(wrong)?;
        if !(2..=MOST_WORDS).contains(&order) {
            return Err(format!(
                "its n-grams have up to {order} words: it must be from 2 to {MOST_WORDS}"
            ));
        }
        if !(1.0..1e6).contains(&multiplier) || has_words > 1 || kind > 5 {
            return Err(wrong());
        }
        if version != u32::from(kind >= 2) {
            return Err(format!(
                "the version of its tables is {version}: build the binary from its ARPA file again, with a newer KenLM"
            ));
        }
        let counts: Vec<u64> = (0..order)
            .map(|n| u64_at(file, SANITY + 20 + 8 * n).ok_or_else(wrong))
            .collect::<Result<_, _>>()?;
        // Each takes at least a bit; so no sum of sizes overflows.
        let most = 8 * file.len() as u64;
        if counts.iter().any(|count| *count > most) || counts[0] >= u64::from(u32::MAX) {
            return Err(wrong());
        }
        Ok(Self {
            multiplier,
            kind,
            has_words: has_words == 1,
            size: (SANITY + 20 + 8 * order).next_multiple_of(8),
            counts,
        })
    }
}
