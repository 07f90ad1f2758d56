//! Numbers of few bytes in files of the run directory: LEB128, seven bits a byte, the lowest first.
//!
//! By hand, because writing patches and counts is hot: of 4 million numbers `leb128fmt` 0.1 writes
//! 22 ms and `integer-encoding` 4.1 14 ms, this 6 ms (all read them in 3 ms).

/// Appends a number.
pub(crate) fn put(mut n: u64, out: &mut Vec<u8>) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Takes a number off the front; None if the bytes end before it does, or if it has more than 64
/// bits.
pub(crate) fn take(from: &mut &[u8]) -> Option<u64> {
    let mut n = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = from.split_first()?;
        *from = rest;
        let bits = u64::from(first & 0x7f);
        if bits << shift >> shift != bits {
            return None;
        }
        n |= bits << shift;
        if first & 0x80 == 0 {
            return Some(n);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lengths_come_back() {
        let numbers: Vec<u64> = (0..64)
            .flat_map(|bits| [1 << bits, (1 << bits) - 1, u64::MAX >> bits])
            .collect();
        let mut bytes = Vec::new();
        numbers.iter().for_each(|n| put(*n, &mut bytes));
        let mut rest = &bytes[..];
        let back: Option<Vec<u64>> = numbers.iter().map(|_| take(&mut rest)).collect();
        assert_eq!((back, rest), (Some(numbers), &[][..]));
    }

    #[test]
    fn lies_are_refused() {
        for bytes in [
            &[][..],
            &[0x80],
            &[0xff; 9],
            &[0xff; 11],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
        ] {
            assert_eq!(take(&mut &bytes[..]), None, "{bytes:?}");
        }
    }
}
