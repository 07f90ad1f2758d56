//! Non-negative matrix factorisation with two components, as scikit-learn's `NMF` with `init="random"`,
//! `random_state=0` and its default solver, coordinate descent, in single precision.

use super::random::NormalNumbers;
use super::spectrum::{BINS, Spectrum};

/// Components of the factorisation.
const PARTS: usize = 2;
/// It ends when a step moves less than this part of the first one.
const TOLERANCE: f64 = 1e-4;
/// Sums that are kept side by side, in vectors.
const LANES: usize = 8;

/// The spectrum is about the sum over parts of `weights` by frame times `magnitudes` by frequency.
pub(super) struct Factors {
    pub(super) magnitudes: [Vec<f32>; PARTS],
    pub(super) weights: [Vec<f32>; PARTS],
}

/// Factorises in at most `steps` steps.
pub(super) fn factorise(spectrum: &Spectrum, steps: u32) -> Factors {
    let mut factors = start(spectrum);
    let mut first = 0.0;
    for step in 0..steps {
        let products = by_frame(spectrum, &factors.magnitudes);
        let mut moved = descend(&mut factors.weights, &factors.magnitudes, &products);
        let products = by_frequency(spectrum, &factors.weights);
        moved += descend(&mut factors.magnitudes, &factors.weights, &products);
        if step == 0 {
            first = moved;
        }
        if first == 0.0 || moved / first <= TOLERANCE {
            break;
        }
    }
    factors
}

/// Random factors of the size of the spectrum.
fn start(spectrum: &Spectrum) -> Factors {
    let sum: f64 = spectrum
        .blocks()
        .map(|block| block.iter().map(|x| f64::from(*x)).sum::<f64>())
        .sum();
    let mean = sum / (spectrum.frames() * BINS) as f64;
    let scale = (mean as f32 / PARTS as f32).sqrt();
    let mut random = NormalNumbers::new(0);
    let mut next = || (scale * random.next() as f32).abs();
    let magnitudes = std::array::from_fn(|_| (0..BINS).map(|_| next()).collect());
    let mut weights: [Vec<f32>; PARTS] = Default::default();
    for _ in 0..spectrum.frames() {
        weights.iter_mut().for_each(|part| part.push(next()));
    }
    Factors {
        magnitudes,
        weights,
    }
}

/// The product of each frame with each part's magnitudes.
fn by_frame(spectrum: &Spectrum, magnitudes: &[Vec<f32>; PARTS]) -> [Vec<f32>; PARTS] {
    let frames = || spectrum.blocks().flat_map(|block| block.chunks_exact(BINS));
    std::array::from_fn(|part| {
        frames()
            .map(|frame| dot(frame, &magnitudes[part]))
            .collect()
    })
}

/// The product of each frequency's course with each part's weights.
fn by_frequency(spectrum: &Spectrum, weights: &[Vec<f32>; PARTS]) -> [Vec<f32>; PARTS] {
    let mut sums: [Vec<f64>; PARTS] = std::array::from_fn(|_| vec![0.0; BINS]);
    let mut within = vec![0.0f32; BINS];
    for (part, sums) in sums.iter_mut().enumerate() {
        let mut weights = weights[part].iter();
        for block in spectrum.blocks() {
            within.fill(0.0);
            for (frame, weight) in block.chunks_exact(BINS).zip(&mut weights) {
                for (sum, x) in within.iter_mut().zip(frame) {
                    *sum += weight * x;
                }
            }
            for (sum, x) in sums.iter_mut().zip(&within) {
                *sum += f64::from(*x);
            }
        }
    }
    sums.map(|sums| sums.into_iter().map(|sum| sum as f32).collect())
}

/// Moves each value of `factor` to where the error is least, one part after the other, and returns by
/// how much the slopes were off.
fn descend(
    factor: &mut [Vec<f32>; PARTS],
    other: &[Vec<f32>; PARTS],
    products: &[Vec<f32>; PARTS],
) -> f64 {
    let pairs: [[f32; PARTS]; PARTS] =
        std::array::from_fn(|a| std::array::from_fn(|b| dot(&other[a], &other[b])));
    let mut moved = 0.0;
    for part in 0..PARTS {
        let curve = pairs[part][part];
        for at in 0..factor[part].len() {
            let mut slope = -products[part][at];
            for (r, pair) in pairs[part].iter().enumerate() {
                slope += pair * factor[r][at];
            }
            let value = factor[part][at];
            let possible = if value == 0.0 { slope.min(0.0) } else { slope };
            moved += f64::from(possible.abs());
            if curve != 0.0 {
                factor[part][at] = (value - slope / curve).max(0.0);
            }
        }
    }
    moved
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_two_products_is_taken_apart() {
        let shapes = [3usize, 500].map(|center| {
            let bell = move |bin: usize| (-((bin as f32 - center as f32) / 40.0).powi(2)).exp();
            std::array::from_fn::<f32, BINS, _>(bell)
        });
        let frames: Vec<[f32; BINS]> = (0..90)
            .map(|i| {
                let (a, b) = ((i % 7) as f32, ((i * i) % 5) as f32);
                std::array::from_fn(|bin| a * shapes[0][bin] + b * shapes[1][bin])
            })
            .collect();
        let found = factorise(&Spectrum::of(&frames), 500);
        for (i, frame) in frames.iter().enumerate() {
            for (bin, x) in frame.iter().enumerate() {
                let product: f32 = (0..PARTS)
                    .map(|part| found.weights[part][i] * found.magnitudes[part][bin])
                    .sum();
                assert!((product - x).abs() < 0.02, "{i} {bin}: {product} {x}");
            }
        }
    }

    #[test]
    fn silence_has_no_parts() {
        let found = factorise(&Spectrum::of(&[[0.0; BINS]; 3]), 500);
        assert!(found.weights.iter().flatten().all(|x| *x == 0.0));
    }
}
