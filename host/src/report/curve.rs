//! How many rows have which value of a stat: a step function that says for each pair of bounds how
//! many rows are in between.
//!
//! Up to a number of distinct values it has all of them and is exact everywhere. Beyond that it has
//! *stops*: quantiles of a sample, the bounds of the recipe, and round numbers. The rows at each
//! stop and between two stops are counted, so it is exact for bounds that are stops, and the page
//! offers no others. A sample alone, or bins, would be exact nowhere.

use std::collections::{BinaryHeap, HashMap};

use serde::Serialize;

use crate::jobs::Bounds;

/// Values in the sample from which stops are chosen.
const SAMPLE: usize = 4096;

/// Rows that came to a filter, by what became of them there and later.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rows {
    /// The filter kept them.
    pub(super) kept: u64,
    /// It dropped them because of this stat: with other bounds they would stay.
    pub(super) dropped: u64,
    /// It dropped them for another reason, too.
    pub(super) other: u64,
    /// It kept them, and they are in the result.
    pub(super) result: u64,
}

impl Rows {
    pub(super) fn add(&mut self, more: Self) {
        self.kept += more.kept;
        self.dropped += more.dropped;
        self.other += more.other;
        self.result += more.result;
    }

    /// All of them.
    pub(super) fn all(self) -> u64 {
        self.kept + self.dropped + self.other
    }
}

/// Collects values: first all that differ, then a sample.
pub(super) struct Values {
    most: usize,
    /// By the bits of the value; None: there are too many.
    all: Option<HashMap<u64, Rows>>,
    /// Those with the lowest ranks.
    sample: BinaryHeap<(u64, u64)>,
    /// Sums over all values.
    pub(super) sums: Sums,
}

/// Count, sum, sum of squares from the first value on, least and greatest.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    pub(super) rows: Rows,
    mean: f64,
    squares: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Sums {
    pub(super) fn add(&mut self, value: f64, rows: Rows) {
        let is_first = self.rows.all() == 0;
        self.rows.add(rows);
        // Welford: the difference of two large sums would lose the deviation.
        let difference = value - self.mean;
        self.mean += difference / self.rows.all() as f64;
        self.squares += difference * (value - self.mean);
        self.min = if is_first { value } else { self.min.min(value) };
        self.max = if is_first { value } else { self.max.max(value) };
    }

    /// Adds the sums of other rows.
    pub(super) fn merge(&mut self, more: Self) {
        let (mine, its) = (self.rows.all() as f64, more.rows.all() as f64);
        if its == 0.0 {
            return;
        }
        if mine == 0.0 {
            *self = more;
            return;
        }
        let (all, difference) = (mine + its, more.mean - self.mean);
        self.rows.add(more.rows);
        self.mean += difference * its / all;
        self.squares += more.squares + difference * difference * mine * its / all;
        self.min = self.min.min(more.min);
        self.max = self.max.max(more.max);
    }

    /// The mean of all rows.
    pub(super) fn mean(&self) -> f64 {
        rounded(self.mean)
    }

    /// The standard deviation of all rows.
    pub(super) fn deviation(&self) -> f64 {
        rounded((self.squares / (self.rows.all() as f64).max(1.0)).sqrt())
    }
}

/// The number with twelve digits: the last ones of a sum depend on the order of its parts, which are
/// in files of any order.
fn rounded(number: f64) -> f64 {
    format!("{number:.11e}").parse().unwrap_or(number)
}

impl Values {
    /// Collects up to `most` different values.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            all: Some(HashMap::new()),
            sample: BinaryHeap::new(),
            sums: Sums::default(),
        }
    }

    /// Adds the value of one row. `rank` decides whether it is in the sample: a hash of the row.
    pub(super) fn add(&mut self, value: f64, rank: u64, rows: Rows) {
        // Minus zero is zero.
        let value = value + 0.0;
        self.sums.add(value, rows);
        if self.sample.len() < SAMPLE {
            self.sample.push((rank, value.to_bits()));
        } else if self.sample.peek().is_some_and(|(last, _)| rank < *last) {
            self.sample.pop();
            self.sample.push((rank, value.to_bits()));
        }
        if let Some(all) = &mut self.all {
            all.entry(value.to_bits()).or_default().add(rows);
            if all.len() > self.most {
                self.all = None;
            }
        }
    }

    /// The sample, ascending.
    pub(super) fn sampled(&self) -> Vec<f64> {
        let values = self.sample.iter().map(|(_, bits)| f64::from_bits(*bits));
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        values
    }

    /// The curve if all values are known; else one that must be filled ([`Curve::count`]).
    pub(super) fn curve(mut self, bounds: Option<&Bounds>) -> Curve {
        if let Some(all) = self.all.take() {
            let mut all: Vec<(f64, Rows)> = all
                .into_iter()
                .map(|(bits, rows)| (f64::from_bits(bits), rows))
                .collect();
            all.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (stops, at) = all.into_iter().unzip();
            let between = Vec::new();
            return Curve { stops, at, between };
        }
        let sample = self.sampled();
        let place = |share: f64| sample[((sample.len() - 1) as f64 * share) as usize];
        let quantiles = self.most / 2;
        let raw: Vec<f64> = (0..=quantiles)
            .map(|at| place(at as f64 / quantiles as f64))
            .collect();
        // Bounds are for recipes: few digits.
        let mut stops: Vec<f64> = raw
            .windows(2)
            .map(|pair| roundest(pair[0], pair[0] + (pair[1] - pair[0]) / 2.0))
            .collect();
        stops.extend([self.sums.min, self.sums.max]);
        stops.extend(round_numbers(place(0.005), place(0.995), self.most / 4));
        if let Some(bounds) = bounds {
            stops.extend([bounds.min, bounds.max].into_iter().flatten());
        }
        stops.sort_by(f64::total_cmp);
        stops.dedup();
        Curve {
            at: vec![Rows::default(); stops.len()],
            between: vec![Rows::default(); stops.len() + 1],
            stops,
        }
    }
}

/// At most `most` numbers in a range, each a multiple of 1, 2 or 5 times a power of ten.
pub(super) fn round_numbers(low: f64, high: f64, most: usize) -> Vec<f64> {
    let range = high - low;
    if !(range.is_finite() && range > 0.0 && most > 0) {
        return Vec::new();
    }
    let rough = range / most as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|step| *step >= rough)
        .unwrap_or(10.0 * power);
    // Divided by the whole number that the step is a part of, 0.3 is 0.3 and not 0.30000000000000004.
    let scale = (1.0 / step).round();
    let number = |n: f64| match step < 1.0 {
        true => n / scale,
        false => n * step,
    };
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (first..=last)
        .take(most + 2)
        .map(|n| number(n as f64))
        .collect()
}

/// The number with the fewest digits that is at least `from` and less than `below`.
pub(super) fn roundest(from: f64, below: f64) -> f64 {
    for digits in -9..=16 {
        // Multiplied or divided by a whole number, so that 0.3 is 0.3.
        let unit = 10f64.powi(i32::abs(digits));
        let number = match digits < 0 {
            true => (from / unit).ceil() * unit,
            false => (from * unit).ceil() / unit,
        };
        if number >= from && number < below && number.is_finite() {
            return number + 0.0;
        }
    }
    from
}

/// Rows that would stay if the stat were in the bounds.
fn stays(rows: &Rows) -> u64 {
    rows.kept + rows.dropped
}

/// The step function.
#[derive(Debug, Clone, Default)]
pub(super) struct Curve {
    /// Ascending.
    pub(super) stops: Vec<f64>,
    /// Rows with just this value, by stop.
    pub(super) at: Vec<Rows>,
    /// Rows between the stop before and this one, and behind the last; empty if the stops are all
    /// values.
    pub(super) between: Vec<Rows>,
}

impl Curve {
    /// Whether rows have to be counted yet.
    pub(super) fn is_open(&self) -> bool {
        !self.between.is_empty()
    }

    /// Counts a row.
    pub(super) fn count(&mut self, value: f64, rows: Rows) {
        match self
            .stops
            .binary_search_by(|stop| stop.total_cmp(&(value + 0.0)))
        {
            Ok(stop) => self.at[stop].add(rows),
            Err(stop) => self.between[stop].add(rows),
        }
    }

    /// The value below which a `share` of the rows is, among all rows: the first stop that has it.
    pub(super) fn percentile(&self, share: f64) -> f64 {
        let wanted = share * self.total() as f64;
        let mut sum = 0;
        for (stop, value) in self.stops.iter().enumerate() {
            sum += self.at[stop].all() + self.between.get(stop).map_or(0, |rows| rows.all());
            if sum as f64 >= wanted {
                return *value;
            }
        }
        self.stops.last().copied().unwrap_or(0.0)
    }

    /// Number of all rows.
    pub(super) fn total(&self) -> u64 {
        self.at
            .iter()
            .chain(&self.between)
            .map(|rows| rows.all())
            .sum()
    }

    /// What other bounds keep: rows that stay at the filter. Exact for bounds that are stops.
    pub(super) fn kept(&self, bounds: &Bounds) -> u64 {
        let at = self.stops.iter().zip(&self.at);
        let mut sum: u64 = at
            .filter(|(value, _)| bounds.keeps(**value))
            .map(|(_, rows)| stays(rows))
            .sum();
        for (stop, rows) in self.between.iter().enumerate() {
            let (low, high) = (
                stop.checked_sub(1).map(|before| self.stops[before]),
                self.stops.get(stop).copied(),
            );
            let inside = match (low, high) {
                (Some(low), Some(high)) => low + (high - low) / 2.0,
                (Some(low), None) => low + 1.0,
                (None, Some(high)) => high - 1.0,
                (None, None) => 0.0,
            };
            if bounds.keeps(inside) {
                sum += stays(rows);
            }
        }
        sum
    }

    /// The greatest stop below which are at most `spare` rows that could stay: a lower bound that
    /// keeps the others. `closed`: rows at the bound stay. None: there is no such stop.
    pub(super) fn low_bound(&self, spare: u64, closed: bool) -> Option<f64> {
        let mut below = 0;
        let mut found = None;
        for (stop, value) in self.stops.iter().enumerate() {
            below += self.between.get(stop).map_or(0, stays);
            let lost = below + if closed { 0 } else { stays(&self.at[stop]) };
            if lost > spare {
                break;
            }
            found = Some(match (closed && !self.is_open(), stop.checked_sub(1)) {
                (true, Some(before)) => -roundest(-value, -self.stops[before]),
                _ => *value,
            });
            below += stays(&self.at[stop]);
        }
        found
    }

    /// The least stop above which are at most `spare` rows that could stay.
    pub(super) fn high_bound(&self, spare: u64, closed: bool) -> Option<f64> {
        let mut above = 0;
        let mut found = None;
        for (stop, value) in self.stops.iter().enumerate().rev() {
            above += self.between.get(stop + 1).map_or(0, stays);
            let lost = above + if closed { 0 } else { stays(&self.at[stop]) };
            if lost > spare {
                break;
            }
            found = Some(
                match (closed && !self.is_open(), self.stops.get(stop + 1)) {
                    (true, Some(next)) => roundest(*value, *next),
                    _ => *value,
                },
            );
            above += stays(&self.at[stop]);
        }
        found
    }

    /// A histogram of up to `most` bins over nearly all rows; the first and last also have what is
    /// beyond.
    pub(super) fn histogram(&self, most: usize, bounds: Option<&Bounds>) -> Histogram {
        let (mut low, mut high) = (self.percentile(0.005), self.percentile(0.995));
        for bound in bounds.into_iter().flat_map(|b| [b.min, b.max]).flatten() {
            // A threshold far from all rows would press them into one bin.
            let near = (high - low).abs().max(f64::MIN_POSITIVE);
            if bound >= low - near && bound <= high + near {
                (low, high) = (low.min(bound), high.max(bound));
            }
        }
        let whole = self.stops.iter().all(|stop| stop.fract() == 0.0);
        let mut edges: Vec<f64> = match whole && high - low < most as f64 {
            // A bin for each whole number.
            true => {
                let (first, last) = (low as i64, high as i64);
                (first..=last + 1).map(|n| n as f64).collect()
            }
            false => round_numbers(low, high, most),
        };
        let step = edges.get(1).map_or(1.0, |second| second - edges[0]);
        if edges.is_empty() {
            edges = vec![low, low + step];
        }
        if edges[0] > low {
            edges.insert(0, edges[0] - step);
        }
        let last = edges[edges.len() - 1];
        if last <= high || edges.len() < 2 {
            edges.push(last + step);
        }
        let bins = edges.len() - 1;
        let (mut kept, mut dropped) = (vec![0; bins], vec![0; bins]);
        let mut add = |value: f64, rows: &Rows| {
            let bin = edges.partition_point(|edge| *edge <= value);
            let bin = bin.clamp(1, bins) - 1;
            kept[bin] += rows.kept;
            dropped[bin] += rows.dropped + rows.other;
        };
        for (value, rows) in self.stops.iter().zip(&self.at) {
            add(*value, rows);
        }
        for (stop, rows) in self.between.iter().enumerate() {
            let high = self.stops.get(stop).or(self.stops.last()).copied();
            let low = stop
                .checked_sub(1)
                .map(|before| self.stops[before])
                .or(high);
            let (low, high) = (low.unwrap_or(0.0), high.unwrap_or(0.0));
            add(low + (high - low) / 2.0, rows);
        }
        Histogram {
            edges,
            kept,
            dropped,
        }
    }
}

/// Rows by value.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Histogram {
    /// One more than there are bins. A bin has its left edge; the first and last have what is beyond.
    pub edges: Vec<f64>,
    /// Rows that the filter kept.
    pub kept: Vec<u64>,
    /// Rows that it dropped.
    pub dropped: Vec<u64>,
}
