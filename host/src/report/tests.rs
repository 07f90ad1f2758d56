use super::curve::{Curve, Rows, Values, round_numbers, roundest};
use crate::jobs::Bounds;

/// Numbers that a seed makes.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        xxhash_rust::xxh3::xxh3_64(&self.0.to_le_bytes())
    }

    fn share(&mut self) -> f64 {
        self.next() as f64 / u64::MAX as f64
    }
}

fn curve_of(values: &[f64], most: usize, now: &Bounds) -> Curve {
    let rows = |value: f64| match now.keeps(value) {
        true => Rows {
            kept: 1,
            ..Rows::default()
        },
        false => Rows {
            dropped: 1,
            ..Rows::default()
        },
    };
    let mut all = Values::new(most);
    for (row, value) in values.iter().enumerate() {
        let rank = xxhash_rust::xxh3::xxh3_64(&row.to_le_bytes());
        all.add(*value, rank, rows(*value));
    }
    let mut curve = all.curve(Some(now));
    if curve.is_open() {
        values
            .iter()
            .for_each(|value| curve.count(*value, rows(*value)));
    }
    curve
}

#[test]
fn a_curve_counts_what_bounds_keep_exactly() {
    let mut random = Random(7);
    let values: Vec<f64> = (0..20_000)
        .map(|n| match n % 3 {
            0 => random.share() * 10.0,
            1 => (random.share() * 5.0).round(),
            _ => -random.share().powi(8) * 1000.0,
        })
        .collect();
    let now = Bounds {
        min: Some(0.5),
        max: Some(4.0),
        min_closed: true,
        max_closed: true,
        reversed: false,
    };
    for most in [64, 500, 100_000] {
        let curve = curve_of(&values, most, &now);
        assert_eq!(curve.total(), values.len() as u64);
        assert_eq!(curve.is_open(), most < 100_000);
        assert!(
            curve.stops.len() <= most + 12,
            "{} stops of {most}",
            curve.stops.len()
        );
        for _ in 0..100 {
            // Without all values, bounds are stops.
            let mut pick = || match curve.is_open() {
                true => curve.stops[random.next() as usize % curve.stops.len()],
                false => random.share() * 12.0 - 1.0,
            };
            let (a, b) = (pick(), pick());
            let bounds = Bounds {
                min: (random.next() % 4 > 0).then_some(a.min(b)),
                max: (random.next() % 4 > 0).then_some(a.max(b)),
                min_closed: random.next() % 2 == 0,
                max_closed: random.next() % 2 == 0,
                reversed: random.next() % 4 == 0,
            };
            let wanted = values.iter().filter(|value| bounds.keeps(**value)).count();
            assert_eq!(curve.kept(&bounds), wanted as u64, "{bounds:?}, {most}");
        }
        let histogram = curve.histogram(40, Some(&now));
        let rows: u64 = histogram.kept.iter().chain(&histogram.dropped).sum();
        assert_eq!(rows, values.len() as u64, "{most}");
        assert!(histogram.kept.len() <= 44, "{}", histogram.kept.len());
        assert!(histogram.edges.windows(2).all(|pair| pair[0] < pair[1]));
        let median = curve.percentile(0.5);
        let below = values.iter().filter(|value| **value <= median).count();
        assert!(
            below >= values.len() / 2 && below < values.len() * 6 / 10,
            "{below}"
        );
        for spare in [0, 100, 3000] {
            for closed in [true, false] {
                let bounds = Bounds {
                    min: curve.low_bound(spare, closed),
                    min_closed: closed,
                    ..Bounds::default()
                };
                assert!(
                    values.len() as u64 - curve.kept(&bounds) <= spare,
                    "{spare} {closed} {most}"
                );
                let bounds = Bounds {
                    max: curve.high_bound(spare, closed),
                    max_closed: closed,
                    ..Bounds::default()
                };
                assert!(
                    values.len() as u64 - curve.kept(&bounds) <= spare,
                    "{spare} {closed} {most}"
                );
            }
        }
    }
}

#[test]
fn odd_stats_have_a_curve_and_a_histogram() {
    for values in [
        &[3.0][..],
        &[0.0, -0.0],
        &[-1e300, 1e300],
        &[5.0; 100],
        &[0.1, 0.2, 1e-300],
    ] {
        let now = Bounds {
            min: Some(1.0),
            min_closed: true,
            ..Bounds::default()
        };
        let curve = curve_of(values, 64, &now);
        assert_eq!(curve.total(), values.len() as u64);
        let histogram = curve.histogram(10, Some(&now));
        let rows: u64 = histogram.kept.iter().chain(&histogram.dropped).sum();
        assert_eq!(rows, values.len() as u64, "{values:?}");
        assert!(
            histogram.edges.iter().all(|edge| edge.is_finite()),
            "{values:?}: {histogram:?}"
        );
    }
}

#[test]
fn a_bound_has_few_digits() {
    for (from, below, wanted) in [
        (0.655_169_1, 0.66, 0.656),
        (0.655_169_1, 0.7, 0.66),
        (5722.0, 5723.0, 5722.0),
        (5722.0, 5901.0, 5800.0),
        (-0.37, -0.31, -0.37),
        (-0.371, -0.31, -0.37),
        (0.0, 0.5, 0.0),
        (0.3, 0.300_000_1, 0.3),
        (2.0 / 13.0, 2.0 / 13.0, 2.0 / 13.0),
    ] {
        assert_eq!(roundest(from, below), wanted, "{from} to {below}");
    }
}

#[test]
fn round_numbers_are_round_and_few() {
    assert_eq!(round_numbers(0.05, 0.52, 5), [0.1, 0.2, 0.3, 0.4, 0.5]);
    assert_eq!(
        round_numbers(-12.0, 31.0, 5),
        [-10.0, 0.0, 10.0, 20.0, 30.0]
    );
    assert!(round_numbers(1.0, 1.0, 5).is_empty());
    assert!(round_numbers(0.0, f64::INFINITY, 5).is_empty());
    assert!(round_numbers(0.0, 1e-7, 10).len() <= 12);
}
