//! Finds the end of a JSON string.

/// Bytes examined as one block: one bit of a word each.
const BLOCK: usize = 64;

/// The first quote at or after `from` that no backslash escapes, or the length of `bytes`. Text is
/// dense with escapes, so this does not stop at each: it examines 64 bytes at once.
#[inline]
pub(crate) fn closing_quote(bytes: &[u8], mut from: usize) -> usize {
    // Whether the first byte of the next block is escaped.
    let mut escaped = 0;
    while let Some(block) = bytes.get(from..from + BLOCK) {
        let (quotes, slashes) = quotes_and_slashes(block.try_into().expect("a block"));
        let quotes = match slashes | escaped {
            0 => quotes,
            _ => quotes & !escaped_bytes(slashes, &mut escaped),
        };
        if quotes != 0 {
            return from + quotes.trailing_zeros() as usize;
        }
        from += BLOCK;
    }
    from += escaped as usize;
    while from < bytes.len() && bytes[from] != b'"' {
        from += if bytes[from] == b'\\' { 2 } else { 1 };
    }
    // A backslash may be the last byte.
    from.min(bytes.len())
}

/// One bit for each byte of a block that a backslash escapes. `before`: whether one of the block
/// before escapes the first; then the same for the block after. In a run of backslashes every
/// second one is escaped: an addition carries from the start of a run to the byte after it.
#[inline]
fn escaped_bytes(slashes: u64, before: &mut u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let slashes = slashes & !*before;
    let follows = (slashes << 1) | *before;
    let odd_starts = slashes & !EVEN & !follows;
    let (even_runs, carries) = odd_starts.overflowing_add(slashes);
    *before = u64::from(carries);
    (EVEN ^ (even_runs << 1)) & follows
}

/// One bit for each quote, and for each backslash.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn quotes_and_slashes(block: &[u8; BLOCK]) -> (u64, u64) {
    use std::arch::x86_64::*;
    let (mut quotes, mut slashes) = (0, 0);
    for i in 0..BLOCK / 16 {
        // SAFETY: SSE2 is part of x86-64, and the load reads 16 bytes of `block`.
        unsafe {
            let v = _mm_loadu_si128(block.as_ptr().add(16 * i).cast());
            let mask = |byte: u8| {
                let equal = _mm_cmpeq_epi8(v, _mm_set1_epi8(byte as i8));
                u64::from(_mm_movemask_epi8(equal) as u32) << (16 * i)
            };
            quotes |= mask(b'"');
            slashes |= mask(b'\\');
        }
    }
    (quotes, slashes)
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn quotes_and_slashes(block: &[u8; BLOCK]) -> (u64, u64) {
    let mask = |byte: u8| {
        let bits = block.iter().enumerate();
        bits.fold(0, |mask, (i, b)| mask | (u64::from(*b == byte) << i))
    };
    (mask(b'"'), mask(b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn byte_by_byte(bytes: &[u8], mut from: usize) -> usize {
        while from < bytes.len() && bytes[from] != b'"' {
            from += if bytes[from] == b'\\' { 2 } else { 1 };
        }
        from.min(bytes.len())
    }

    proptest! {
        #[test]
        fn as_byte_by_byte(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\\'), Just(b'"'), Just(b'x'), Just(b'\n')], 0..300),
            from in 0usize..80,
        ) {
            let from = from.min(bytes.len());
            prop_assert_eq!(closing_quote(&bytes, from), byte_by_byte(&bytes, from));
        }

        #[test]
        fn long_runs_of_backslashes(before in 0usize..70, run in 0usize..200, after in 0usize..80) {
            let bytes = [vec![b'x'; before], vec![b'\\'; run], vec![b'"'], vec![b'"'; after]].concat();
            prop_assert_eq!(closing_quote(&bytes, 0), byte_by_byte(&bytes, 0));
        }
    }
}
