//! Finds a number among sorted ones.

use std::ops::Range;

/// How often the place is guessed from the numbers around, before the rest is halved: numbers that
/// are not spread evenly must not take long.
const GUESSES: u32 = 12;
/// Among so few, halving is faster than a division.
const FEW: u64 = 16;

/// The place of `key` in a range of places with sorted numbers, which are between the two
/// `bounds`. None, too, if one of them is not there (`at` returns None).
#[inline(always)]
pub(crate) fn find(
    range: Range<u64>,
    bounds: (u64, u64),
    key: u64,
    at: impl Fn(u64) -> Option<u64>,
) -> Option<u64> {
    let Range { mut start, mut end } = range;
    let (mut low, mut high) = bounds;
    for _ in 0..GUESSES {
        let width = end.saturating_sub(start);
        if width <= FEW {
            break;
        }
        let share = key.saturating_sub(low) as f64 / (high.saturating_sub(low) as f64 + 1.0);
        let middle = start + ((share * width as f64) as u64).min(width - 1);
        let found = at(middle)?;
        match found.cmp(&key) {
            std::cmp::Ordering::Equal => return Some(middle),
            std::cmp::Ordering::Less => (start, low) = (middle + 1, found),
            std::cmp::Ordering::Greater => (end, high) = (middle, found),
        }
    }
    // No branch on the numbers, which no processor can foretell.
    let mut width = end.checked_sub(start).filter(|width| *width > 0)?;
    while width > 1 {
        let half = width / 2;
        start += half * u64::from(at(start + half)? <= key);
        width -= half;
    }
    (at(start)? == key).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_numbers_are_found_and_no_others() {
        let spread: Vec<Vec<u64>> = vec![
            vec![],
            vec![7],
            (0..1000).map(|n| 3 * n + 1).collect(),
            (0..60).map(|n| 1 << n).collect(),
            (0..200).map(|n| u64::MAX - 2 * n).rev().collect(),
            vec![0, 1, 2, u64::MAX - 1, u64::MAX],
        ];
        for numbers in spread {
            let at = |place: u64| numbers.get(place as usize).copied();
            let all = 0..numbers.len() as u64;
            for near in numbers
                .iter()
                .flat_map(|n| [n.wrapping_sub(1), *n, n.wrapping_add(1)])
            {
                let expected = numbers.binary_search(&near).ok().map(|place| place as u64);
                assert_eq!(
                    find(all.clone(), (0, u64::MAX), near, at),
                    expected,
                    "{near}"
                );
            }
        }
    }
}
