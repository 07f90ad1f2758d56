//! Perceptual hashes of images, the same as imagededup's.

use crate::cosine::cosines;
use crate::pixels::Pixels;
use crate::resample::{Filter, grey, resized};
use djhost_sdk::prelude::*;

/// How images are hashed, each to 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HashMethod {
    /// By the lowest frequencies of its brightness.
    #[default]
    Phash,
    /// By where brightness rises from left to right.
    Dhash,
    /// By the coarsest part of a wavelet transform.
    Whash,
    /// By where it is brighter than on average.
    Ahash,
}

/// The hash of an image.
pub(crate) fn hash(pixels: &Pixels, method: HashMethod) -> u64 {
    let small = |width, height| grey(&resized(pixels, width, height, Filter::Lanczos));
    match method {
        HashMethod::Phash => phash(&small(32, 32)),
        HashMethod::Dhash => bits(
            small(9, 8)
                .chunks_exact(9)
                .flat_map(|row| row.windows(2).map(|w| w[1] > w[0]).collect::<Vec<_>>()),
        ),
        HashMethod::Whash => whash(&small(256, 256)),
        HashMethod::Ahash => {
            let small = small(8, 8);
            let sum: u32 = small.iter().map(|v| u32::from(*v)).sum();
            bits(small.iter().map(|v| u32::from(*v) * 64 >= sum))
        }
    }
}

/// Packs bits, highest first.
fn bits(flags: impl Iterator<Item = bool>) -> u64 {
    flags.fold(0, |bits, flag| bits << 1 | u64::from(flag))
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        (sorted[middle - 1] + sorted[middle]) / 2.0
    }
}

/// Hashes 32 × 32 values.
fn phash(small: &[u8]) -> u64 {
    // Down, then across. Only eight columns of the result are used, but the second pass needs all.
    let mut down = vec![[0.0; 32]; 32];
    for x in 0..32 {
        let mut column: [f64; 32] = std::array::from_fn(|y| small[y * 32 + x].into());
        cosines(&mut column);
        (0..32).for_each(|y| down[y][x] = column[y]);
    }
    let mut low = Vec::with_capacity(64);
    for row in down.iter_mut().take(8) {
        cosines(row);
        low.extend_from_slice(&row[..8]);
    }
    // Without the first, which is the overall brightness.
    let median = median(&low[1..]);
    bits(low.iter().map(|v| *v >= median))
}

/// Hashes 256 × 256 values: five steps of Haar's transform leave 8 × 8.
fn whash(small: &[u8]) -> u64 {
    const HALF: f64 = std::f64::consts::FRAC_1_SQRT_2;
    let mut values: Vec<f64> = small.iter().map(|v| f64::from(*v) / 255.0).collect();
    let mut side = 256;
    while side > 8 {
        let half = side / 2;
        // Down, then across; the sums in the order of PyWavelets.
        let down: Vec<f64> = (0..half * side)
            .map(|i| {
                let (y, x) = (i / side, i % side);
                HALF * values[(2 * y + 1) * side + x] + HALF * values[2 * y * side + x]
            })
            .collect();
        values = (0..half * half)
            .map(|i| {
                let (y, x) = (i / half, i % half);
                HALF * down[y * side + 2 * x + 1] + HALF * down[y * side + 2 * x]
            })
            .collect();
        side = half;
    }
    let median = median(&values);
    bits(values.iter().map(|v| *v >= median))
}
