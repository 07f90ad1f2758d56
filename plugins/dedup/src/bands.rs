//! Chooses the number of bands, and of rows per band, for a threshold.
//!
//! Two documents with Jaccard similarity s agree in one of b bands of r rows with the probability
//! `1 - (1 - s^r)^b`. The best b and r minimise the sum of two integrals: of this below the
//! threshold (false positives) and of the rest above it (false negatives), as in datasketch and
//! Data-Juicer.

/// Bands and rows for `threshold`, with at most `permutations` values in all.
pub(crate) fn optimal(threshold: f64, permutations: usize) -> (usize, usize) {
    // The integrands are polynomials of a degree of at most `permutations`; this many points
    // integrate them exactly.
    let points = gauss_legendre((permutations / 2 + 1).min(200));
    let scaled = |low: f64, high: f64| -> Vec<(f64, f64)> {
        points
            .iter()
            .map(|&(x, weight)| {
                (
                    low + (high - low) * (x + 1.0) / 2.0,
                    weight * (high - low) / 2.0,
                )
            })
            .collect()
    };
    let below = scaled(0.0, threshold);
    let above = scaled(threshold, 1.0);
    let mut best = (f64::INFINITY, 0, 0);
    let mut below_rows = vec![1.0; below.len()];
    let mut above_rows = vec![1.0; above.len()];
    for rows in 1..=permutations {
        // s^r, then (1 - s^r)^b, one factor at a time.
        below_rows
            .iter_mut()
            .zip(&below)
            .for_each(|(power, (s, _))| *power *= s);
        above_rows
            .iter_mut()
            .zip(&above)
            .for_each(|(power, (s, _))| *power *= s);
        let mut missed_below = vec![1.0; below.len()];
        let mut missed_above = vec![1.0; above.len()];
        for bands in 1..=permutations / rows {
            let mut error = 0.0;
            for ((missed, power), (_, weight)) in
                missed_below.iter_mut().zip(&below_rows).zip(&below)
            {
                *missed *= 1.0 - power;
                error += weight * (1.0 - *missed);
            }
            for ((missed, power), (_, weight)) in
                missed_above.iter_mut().zip(&above_rows).zip(&above)
            {
                *missed *= 1.0 - power;
                error += weight * *missed;
            }
            if (error, bands, rows) < best {
                best = (error, bands, rows);
            }
        }
    }
    (best.1, best.2)
}

/// The points and weights of Gauss-Legendre quadrature on -1..1, by Newton's method.
fn gauss_legendre(n: usize) -> Vec<(f64, f64)> {
    let mut points = Vec::with_capacity(n);
    for i in 0..n {
        let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..8 {
            let (mut value, mut before) = (1.0, 0.0);
            for k in 0..n {
                let k = k as f64;
                (value, before) = (
                    ((2.0 * k + 1.0) * x * value - k * before) / (k + 1.0),
                    value,
                );
            }
            slope = n as f64 * (x * value - before) / (x * x - 1.0);
            x -= value / slope;
        }
        points.push((x, 2.0 / ((1.0 - x * x) * slope * slope)));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::optimal;

    #[test]
    fn chooses_what_data_juicer_chooses() {
        // Expected: data_juicer.ops.deduplicator.document_minhash_deduplicator.optimal_param.
        let cases = [
            (0.7, 256, (25, 10)),
            (0.5, 256, (42, 6)),
            (0.8, 128, (9, 13)),
            (0.9, 64, (3, 21)),
            (0.3, 100, (33, 3)),
            (0.75, 200, (16, 12)),
            (0.95, 256, (5, 51)),
            (0.6, 10, (3, 3)),
            (0.7, 1, (1, 1)),
        ];
        for (threshold, permutations, expected) in cases {
            assert_eq!(
                optimal(threshold, permutations),
                expected,
                "{threshold} {permutations}"
            );
        }
    }
}
