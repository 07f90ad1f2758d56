//! JSON strings: find the end of a run of plain bytes, undo escapes, write escapes. Works on 16
//! bytes at a time where the target has SSE2.

/// The first byte at or after `from` that is a quote, a backslash or a control character, or the
/// length of `bytes`.
#[inline]
pub(crate) fn find_special(bytes: &[u8], mut from: usize) -> usize {
    while let Some(chunk) = bytes.get(from..from + 16) {
        let mask = special_mask(chunk.try_into().expect("16 bytes"));
        if mask != 0 {
            return from + mask.trailing_zeros() as usize;
        }
        from += 16;
    }
    while from < bytes.len() && !is_special(bytes[from]) {
        from += 1;
    }
    from
}

#[inline]
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// One bit per byte, set if it is special.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn special_mask(chunk: &[u8; 16]) -> u32 {
    use std::arch::x86_64::*;
    // SAFETY: SSE2 is part of x86-64, and the load reads the 16 bytes of `chunk`.
    unsafe {
        let v = _mm_loadu_si128(chunk.as_ptr().cast());
        let control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
        let quote = _mm_cmpeq_epi8(v, _mm_set1_epi8(b'"' as i8));
        let backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8(b'\\' as i8));
        _mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash))) as u32
    }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn special_mask(chunk: &[u8; 16]) -> u32 {
    chunk
        .iter()
        .enumerate()
        .fold(0, |mask, (i, &b)| mask | (u32::from(is_special(b)) << i))
}

/// The four hex digits at `at`, or None.
#[inline]
pub(crate) fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    let digits: &[u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    let d = digits.map(|b| HEX[b as usize]);
    ((d[0] | d[1] | d[2] | d[3]) < 16).then(|| {
        (u32::from(d[0]) << 12) | (u32::from(d[1]) << 8) | (u32::from(d[2]) << 4) | u32::from(d[3])
    })
}

/// The value of a hex digit, 255 for any other byte.
static HEX: [u8; 256] = {
    let mut table = [255; 256];
    let mut i = 0;
    while i < 10 {
        table[b'0' as usize + i] = i as u8;
        i += 1;
    }
    i = 0;
    while i < 6 {
        table[b'a' as usize + i] = 10 + i as u8;
        table[b'A' as usize + i] = 10 + i as u8;
        i += 1;
    }
    table
};

/// What a backslash and this byte mean; 0 where the pair is not a two-byte escape.
pub(crate) static ESCAPE: [u8; 256] = {
    let mut table = [0; 256];
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[b'/' as usize] = b'/';
    table[b'b' as usize] = 8;
    table[b'f' as usize] = 12;
    table[b'n' as usize] = b'\n';
    table[b'r' as usize] = b'\r';
    table[b't' as usize] = b'\t';
    table
};

/// The string cannot be unescaped. The lenient path finds the reason.
pub(crate) struct BadString;

/// Bytes examined as one block: one bit of a word each.
const BLOCK: usize = 64;

/// Undoes the escapes of the string that starts at `start` and has its first escape at `at`;
/// appends the text to `out` and returns the position of the closing quote. `bytes` may continue
/// after the row. Bytes read from there may not be UTF-8, but then the quote lies after the row,
/// too, and the caller discards `out`.
pub(crate) fn unescape(
    bytes: &[u8],
    start: usize,
    at: usize,
    out: &mut Vec<u8>,
) -> Result<usize, BadString> {
    out.extend_from_slice(&bytes[start..at]);
    let mut p = at;
    loop {
        p = match bytes.get(p..p + 2 * BLOCK) {
            Some(blocks) => match unescape_block(blocks.try_into().expect("two blocks"), out)? {
                Step::On(by) => p + by,
                Step::Quote(at) => return Ok(p + at),
                Step::Unicode(at) => unescape_one(bytes, p + at, out)?,
            },
            None => {
                let end = find_special(bytes, p);
                out.extend_from_slice(&bytes[p..end]);
                match bytes.get(end) {
                    Some(b'"') => return Ok(end),
                    Some(b'\\') => unescape_one(bytes, end, out)?,
                    _ => return Err(BadString),
                }
            }
        }
    }
}

/// How far a block was unescaped.
enum Step {
    /// This many bytes, maybe one more than the block.
    On(usize),
    /// Up to an unescaped quote.
    Quote(usize),
    /// Up to an escape longer than two bytes.
    Unicode(usize),
}

/// Unescapes the first of two blocks; the second is only read ahead. Text is dense with line feeds
/// and quotes, so the cost of an escape decides: this finds all escapes of a block at once, and
/// copies what lies between two in steps of 16 bytes, mostly too many.
#[inline]
fn unescape_block(bytes: &[u8; 2 * BLOCK], out: &mut Vec<u8>) -> Result<Step, BadString> {
    out.reserve(2 * BLOCK);
    let mut mask = 0;
    for i in 0..BLOCK / 16 {
        mask |= u64::from(special_mask(
            bytes[16 * i..16 * i + 16].try_into().expect("16 bytes"),
        )) << (16 * i);
    }
    let from = bytes.as_ptr();
    let mut at = 0;
    // SAFETY: at most `BLOCK` bytes are appended in all, each copy starts at or before that and
    // writes at most `BLOCK` bytes, and `reserve` made room for twice as many. Each copy reads at
    // most `BLOCK` bytes from `at <= BLOCK`. `set_len` covers only bytes that were written.
    unsafe {
        let mut to = out.as_mut_ptr().add(out.len());
        let step = loop {
            if mask == 0 {
                std::ptr::copy_nonoverlapping(from.add(at), to, BLOCK);
                to = to.add(BLOCK - at);
                break Step::On(BLOCK);
            }
            let special = mask.trailing_zeros() as usize;
            std::ptr::copy_nonoverlapping(from.add(at), to, 16);
            if special - at > 16 {
                std::ptr::copy_nonoverlapping(from.add(at + 16), to.add(16), BLOCK - 16);
            }
            to = to.add(special - at);
            match *from.add(special) {
                b'\\' => {
                    let plain = ESCAPE[*from.add(special + 1) as usize];
                    if plain == 0 {
                        break Step::Unicode(special);
                    }
                    *to = plain;
                    to = to.add(1);
                    at = special + 2;
                    if at >= BLOCK {
                        break Step::On(at);
                    }
                    mask &= !(3 << special);
                }
                b'"' => break Step::Quote(special),
                _ => return Err(BadString),
            }
        };
        let len = to.offset_from(out.as_ptr()) as usize;
        out.set_len(len);
        Ok(step)
    }
}

/// Undoes the escape at `p` (a backslash) and any that follow directly; returns the position after
/// them.
#[inline]
fn unescape_one(bytes: &[u8], mut p: usize, out: &mut Vec<u8>) -> Result<usize, BadString> {
    loop {
        let kind = *bytes.get(p + 1).ok_or(BadString)?;
        let plain = ESCAPE[kind as usize];
        if plain != 0 {
            out.push(plain);
            p += 2;
        } else if kind == b'u' {
            let (c, next) = unicode_escape(bytes, p)?;
            let mut utf8 = [0; 4];
            out.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
            p = next;
        } else {
            return Err(BadString);
        }
        if bytes.get(p) != Some(&b'\\') {
            return Ok(p);
        }
    }
}

/// The character of the `\uXXXX` (or surrogate pair) at `p`, and the position after it. Fails for a
/// lone surrogate.
#[inline]
fn unicode_escape(bytes: &[u8], p: usize) -> Result<(char, usize), BadString> {
    let first = hex4(bytes, p + 2).ok_or(BadString)?;
    if let Some(c) = char::from_u32(first) {
        return Ok((c, p + 6));
    }
    if first >= 0xdc00 || bytes.get(p + 6..p + 8) != Some(b"\\u") {
        return Err(BadString);
    }
    let second = hex4(bytes, p + 8)
        .filter(|s| (0xdc00..0xe000).contains(s))
        .ok_or(BadString)?;
    let c =
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(BadString)?;
    Ok((c, p + 12))
}

/// The text of a JSON string (with its quotes) that contains escapes; None if they are invalid or
/// do not make Unicode.
pub(crate) fn read_string(json: &str) -> Option<String> {
    let mut out = Vec::with_capacity(json.len() + BLOCK);
    append_string(json, &mut out).then(|| {
        // SAFETY: what was appended is UTF-8, and nothing was there before.
        unsafe { String::from_utf8_unchecked(out) }
    })
}

/// Appends to `out` what [`read_string`] gives, which is UTF-8; false and `out` as it was where
/// that gives None.
pub(crate) fn append_string(json: &str, out: &mut Vec<u8>) -> bool {
    let (bytes, from) = (json.as_bytes(), out.len());
    let close = unescape(bytes, 1, find_special(bytes, 1), out).ok();
    // Escapes make whole characters, and so does what lies between them.
    let is_whole = close.is_some_and(|close| close + 1 == bytes.len())
        && simdutf8::basic::from_utf8(&out[from..]).is_ok();
    if !is_whole {
        out.truncate(from);
    }
    is_whole
}

/// The letter that a byte is written as after a backslash; 0 where it is written as `\u00XX` or
/// needs no escape.
static SHORT: [u8; 256] = {
    let mut table = [0; 256];
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[8] = b'b';
    table[12] = b'f';
    table[b'\n' as usize] = b'n';
    table[b'\r' as usize] = b'r';
    table[b'\t' as usize] = b't';
    table
};

/// Appends `text` as a JSON string with its quotes. Escapes only what must be; other characters
/// stay, as `json.dumps` with `ensure_ascii=False` and serde_json write them.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    out.reserve(text.len() + text.len() / 16 + 32);
    out.push(b'"');
    write_escaped(text.as_bytes(), out);
    out.push(b'"');
}

/// Appends a piece of a text as [`write_string`] writes it inside of the quotes. It may begin and end
/// within a character.
pub(crate) fn write_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    let mut p = 0;
    while let Some(chunk) = bytes.get(p..p + 16) {
        let plain = special_mask(chunk.try_into().expect("16 bytes"))
            .trailing_zeros()
            .min(16) as usize;
        out.reserve(32);
        // SAFETY: `reserve` made room for the 16 copied bytes; `plain` of them count.
        unsafe {
            std::ptr::copy_nonoverlapping(chunk.as_ptr(), out.as_mut_ptr().add(out.len()), 16);
            out.set_len(out.len() + plain);
        }
        p += plain;
        if plain < 16 {
            write_escape(bytes[p], out);
            p += 1;
        }
    }
    for &byte in &bytes[p..] {
        if is_special(byte) {
            write_escape(byte, out)
        } else {
            out.push(byte)
        }
    }
}

/// How a piece of a text is longer as [`write_escaped`] writes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Escapes {
    /// Bytes that it has beyond those of the text.
    pub(crate) more: usize,
    /// Characters that are written as `\u00XX`.
    pub(crate) long: usize,
}

impl Escapes {
    /// Of `bytes`. Counts in bytes that cannot overflow, so that the compiler uses vectors.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut all = Self::default();
        for piece in bytes.chunks(255) {
            let (mut special, mut long) = (0u8, 0u8);
            for &byte in piece {
                special += u8::from(is_special(byte));
                long += u8::from(byte < 0x20 && !matches!(byte, 8 | 9 | 10 | 12 | 13));
            }
            all.more += usize::from(special) + 4 * usize::from(long);
            all.long += usize::from(long);
        }
        all
    }
}

#[inline]
fn write_escape(byte: u8, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    match SHORT[byte as usize] {
        0 => out.extend_from_slice(&[
            b'\\',
            b'u',
            b'0',
            b'0',
            DIGITS[usize::from(byte >> 4)],
            DIGITS[usize::from(byte & 15)],
        ]),
        short => out.extend_from_slice(&[b'\\', short]),
    }
}
