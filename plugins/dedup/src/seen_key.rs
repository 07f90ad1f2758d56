//! Keys that the host looks up among those of earlier rows: keys are strings.

/// Characters of a key: six bits each.
pub(crate) const KEY: usize = 11;

/// Appends a hash as text.
pub(crate) fn write(hash: u64, out: &mut String) {
    let digits: [u8; KEY] = std::array::from_fn(|i| b'0' + (hash >> (6 * i) & 63) as u8);
    out.push_str(std::str::from_utf8(&digits).expect("ASCII"));
}
