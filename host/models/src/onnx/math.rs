//! Functions of floats, written so that the compiler computes several at a time: without calls and
//! branches. They are as exact as floats allow, within some units of the last place, and the same on
//! all machines.

/// Adding it rounds to whole numbers, which then are the low bits.
const ROUND: f32 = 12_582_912.0;
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// `e` to the power of `x`; 0 where that is less than the least normal float.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    let within = if x > 88.8 { 88.8 } else { x };
    let within = if within < -87.4 { -87.4 } else { within };
    let shifted = within * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let rest = within - whole * LN_2_HIGH - whole * LN_2_LOW;
    // The series of the exponential function: |rest| is at most half of ln 2.
    let series = 1.0 / 5040.0;
    let series = series * rest + 1.0 / 720.0;
    let series = series * rest + 1.0 / 120.0;
    let series = series * rest + 1.0 / 24.0;
    let series = series * rest + 1.0 / 6.0;
    let series = series * rest + 0.5;
    let series = series * rest + 1.0;
    let series = series * rest + 1.0;
    // In two halves, as the power itself may be beyond the largest one that a float has.
    let power = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    let half = power >> 1;
    let two_to = |power: i32| f32::from_bits((power.wrapping_add(127) << 23) as u32);
    let result = series * two_to(half) * two_to(power.wrapping_sub(half));
    let result = if x < -87.336_54 { 0.0 } else { result };
    if x > 88.722_84 { f32::INFINITY } else { result }
}

/// The error function.
#[inline(always)]
pub(super) fn erf(x: f32) -> f32 {
    let size = x.abs();
    let square = x * x;
    // Near 0 its series, elsewhere the approximation 7.1.26 of Abramowitz and Stegun.
    let series = -1.0 / 1320.0;
    let series = series * square + 1.0 / 216.0;
    let series = series * square - 1.0 / 42.0;
    let series = series * square + 1.0 / 10.0;
    let series = series * square - 1.0 / 3.0;
    let near = x * std::f32::consts::FRAC_2_SQRT_PI * (series * square + 1.0);
    let t = 1.0 / (1.0 + 0.327_591_1 * size);
    let tail = 1.061_405_4;
    let tail = tail * t - 1.453_152;
    let tail = tail * t + 1.421_413_7;
    let tail = tail * t - 0.284_496_74;
    let tail = tail * t + 0.254_829_6;
    let far = (1.0 - tail * t * exp(-square)).copysign(x);
    if size < 0.5 { near } else { far }
}

/// The hyperbolic tangent.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    let square = x * x;
    let series = 62.0 / 2835.0;
    let series = series * square - 17.0 / 315.0;
    let series = series * square + 2.0 / 15.0;
    let series = series * square - 1.0 / 3.0;
    let near = x * (series * square + 1.0);
    let far = (1.0 - 2.0 / (exp(2.0 * x.abs()) + 1.0)).copysign(x);
    if x.abs() < 0.3 { near } else { far }
}

/// The logistic function.
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The sum of numbers, in eight parts. Zeros at the end do not change it, so a row that is padded
/// has the sum of one that is not.
#[inline(always)]
pub(super) fn sum(values: &[f32]) -> f32 {
    let (eights, rest) = values.as_chunks::<8>();
    let mut sums = [0f32; 8];
    for eight in eights {
        for (sum, value) in sums.iter_mut().zip(eight) {
            *sum += value;
        }
    }
    for (sum, value) in sums.iter_mut().zip(rest) {
        *sum += value;
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_near_the_exact_ones() {
        let near = |got: f32, exact: f64, what: &str| {
            let error = (f64::from(got) - exact).abs();
            assert!(
                error <= 4e-7 * exact.abs().max(0.05),
                "{what}: {got}, not {exact}"
            );
        };
        for step in -4000..4000 {
            let x = step as f32 / 100.0;
            let exact = f64::from(x);
            near(exp(x) / (exact.exp() as f32), 1.0, &format!("exp {x}"));
            near(tanh(x), exact.tanh(), &format!("tanh {x}"));
            near(
                sigmoid(x),
                1.0 / (1.0 + (-exact).exp()),
                &format!("sigmoid {x}"),
            );
        }
        for (x, exact) in [
            (0.0, 0.0),
            (0.1, 0.112_462_916),
            (0.49, 0.511_668_26),
            (0.51, 0.529_243_62),
            (-1.0, -0.842_700_79),
            (2.0, 0.995_322_27),
            (6.0, 1.0),
        ] {
            near(erf(x), exact, &format!("erf {x}"));
        }
    }

    #[test]
    fn the_ends_of_the_range_are_kept() {
        assert_eq!(exp(-200.0), 0.0);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(89.0), f32::INFINITY);
        assert!((f64::from(exp(88.7)) / f64::from(88.7f32).exp() - 1.0).abs() < 1e-6);
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f32::NAN).is_nan() && erf(f32::NAN).is_nan() && tanh(f32::NAN).is_nan());
        assert_eq!(tanh(100.0), 1.0);
        assert_eq!(tanh(-100.0), -1.0);
    }

    #[test]
    fn zeros_at_the_end_do_not_change_a_sum() {
        let values: Vec<f32> = (0..37).map(|i| 1.0 / (i as f32 + 0.7)).collect();
        for zeros in 1..20 {
            let mut padded = values.clone();
            padded.resize(values.len() + zeros, 0.0);
            assert_eq!(sum(&padded).to_bits(), sum(&values).to_bits());
        }
    }
}
