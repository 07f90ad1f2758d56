//! The normal numbers of NumPy's `RandomState`: pairs by Marsaglia's polar method.

use crate::twister::Mt19937;

pub(super) struct NormalNumbers {
    bits: Mt19937,
    /// The other one of a pair.
    kept: Option<f64>,
}

impl NormalNumbers {
    pub(super) fn new(seed: u32) -> Self {
        Self {
            bits: Mt19937::new(seed),
            kept: None,
        }
    }

    pub(super) fn next(&mut self) -> f64 {
        if let Some(kept) = self.kept.take() {
            return kept;
        }
        loop {
            let (x, y) = (2.0 * self.unit() - 1.0, 2.0 * self.unit() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square != 0.0 {
                let scale = (-2.0 * square.ln() / square).sqrt();
                self.kept = Some(scale * x);
                return scale * y;
            }
        }
    }

    /// A number from 0 up to 1, of 53 bits.
    fn unit(&mut self) -> f64 {
        let (high, low) = (self.bits.next_u32() >> 5, self.bits.next_u32() >> 6);
        (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_that_numpy_draws() {
        // `numpy.random.RandomState(0).standard_normal(5)`
        let expected = [
            1.764_052_345_967_664,
            0.400_157_208_367_223_3,
            0.978_737_984_105_739_2,
            2.240_893_199_201_458,
            1.867_557_990_149_967_5,
        ];
        let mut random = NormalNumbers::new(0);
        for expected in expected {
            let found = random.next();
            assert!((found - expected).abs() < 1e-15, "{found} {expected}");
        }
    }
}
