//! Clusters of numbers that differ in few bits.

/// For each of `prints`, whether it is the first of its cluster: equal numbers, and those that differ in at most `distance` of their 64
/// bits, belong together, transitively. `distance` must be below 64.
pub(crate) fn firsts(prints: &[u64], distance: u32) -> Vec<bool> {
    let mut order: Vec<u32> = (0..prints.len() as u32).collect();
    order.sort_unstable_by_key(|&i| (prints[i as usize], i));
    // Distinct numbers, and where each stands first.
    let mut distinct: Vec<(u64, u32)> = order.iter().map(|&i| (prints[i as usize], i)).collect();
    drop(order);
    distinct.dedup_by_key(|&mut (print, _)| print);
    let mut group: Vec<u32> = (0..distinct.len() as u32).collect();
    let blocks = block_count(distinct.len(), distance);
    let mut table: Vec<(u64, u32)> = Vec::with_capacity(distinct.len());
    for mask in masks(blocks, blocks - distance as usize) {
        table.clear();
        table.extend(distinct.iter().enumerate().map(|(i, &(print, _))| (print & mask, i as u32)));
        table.sort_unstable();
        for bucket in table.chunk_by(|a, b| a.0 == b.0) {
            for (at, &(_, a)) in bucket.iter().enumerate() {
                for &(_, b) in &bucket[at + 1..] {
                    if (distinct[a as usize].0 ^ distinct[b as usize].0).count_ones() <= distance {
                        unite(&mut group, a, b);
                    }
                }
            }
        }
    }
    // The first row of each group.
    let mut first = vec![u32::MAX; distinct.len()];
    for (i, &(_, row)) in distinct.iter().enumerate() {
        let root = find(&mut group, i as u32) as usize;
        first[root] = first[root].min(row);
    }
    let mut keep = vec![false; prints.len()];
    first.iter().filter(|&&row| row != u32::MAX).for_each(|&row| keep[row as usize] = true);
    keep
}

/// Into how many blocks the bits are best cut: of two numbers within the distance, all but `distance` blocks are equal. More blocks make
/// larger keys, hence smaller buckets, but more tables.
fn block_count(numbers: usize, distance: u32) -> usize {
    let cost = |blocks: usize| {
        let equal = blocks - distance as usize;
        let tables = (0..equal).fold(1.0, |c, i| c * (blocks - i) as f64 / (i + 1) as f64);
        let numbers = numbers as f64;
        // Sorting a number costs about as much as thirty comparisons.
        tables * numbers * (30.0 + numbers / 2.0 / 2f64.powf(64.0 * equal as f64 / blocks as f64))
    };
    let first = distance as usize + 1;
    (first..=(first + 4).min(64)).min_by(|&a, &b| cost(a).total_cmp(&cost(b))).unwrap_or(first)
}

/// The masks of all choices of `chosen` out of `blocks` blocks of bits.
fn masks(blocks: usize, chosen: usize) -> Vec<u64> {
    let block = |i: usize| {
        let (low, high) = (64 * i / blocks, 64 * (i + 1) / blocks);
        (low..high).fold(0u64, |mask, bit| mask | 1 << bit)
    };
    let mut found = vec![(0u64, 0usize)];
    for taken in 0..chosen {
        // What is still to come must fit behind.
        let last = blocks - (chosen - taken);
        found = found.iter().flat_map(|&(mask, next)| (next..=last).map(move |i| (mask | block(i), i + 1))).collect();
    }
    found.into_iter().map(|(mask, _)| mask).collect()
}

fn find(group: &mut [u32], mut i: u32) -> u32 {
    while group[i as usize] != i {
        let above = group[group[i as usize] as usize];
        group[i as usize] = above;
        i = above;
    }
    i
}

fn unite(group: &mut [u32], a: u32, b: u32) {
    let (a, b) = (find(group, a), find(group, b));
    group[a.max(b) as usize] = a.min(b);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_all_choices() {
        assert_eq!(masks(6, 2).len(), 15);
        assert_eq!(masks(5, 1).iter().fold(0, |all, mask| all ^ mask), u64::MAX);
        assert_eq!(masks(1, 1), [u64::MAX]);
        assert!(masks(6, 2).iter().all(|mask| (20..=22).contains(&mask.count_ones())));
    }

    #[test]
    fn clusters_are_those_that_all_pairs_give() {
        let mut state = 7u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state ^ state >> 29
        };
        for distance in [1, 3, 4, 6, 9] {
            let mut prints: Vec<u64> = Vec::new();
            for i in 0..400 {
                let base = if i < 40 { random() } else { prints[random() as usize % prints.len()] };
                let flips = random() % 12;
                prints.push((0..flips).fold(base, |print, _| print ^ 1 << (random() >> 32 & 63)));
            }
            let mut group: Vec<u32> = (0..400).collect();
            for a in 0..400u32 {
                for b in a + 1..400 {
                    if (prints[a as usize] ^ prints[b as usize]).count_ones() <= distance {
                        unite(&mut group, a, b);
                    }
                }
            }
            let expected: Vec<bool> = (0..400).map(|i| find(&mut group, i) == i).collect();
            assert!(expected.iter().filter(|first| !**first).count() > 20, "too few duplicates at {distance}");
            assert_eq!(firsts(&prints, distance), expected, "{distance}");
        }
        assert_eq!(firsts(&[], 4), [false; 0]);
        assert_eq!(firsts(&[5, 5], 4), [true, false]);
    }

    #[test]
    fn more_numbers_make_larger_keys() {
        assert!(block_count(1000, 4) < block_count(10_000_000, 4));
    }
}
