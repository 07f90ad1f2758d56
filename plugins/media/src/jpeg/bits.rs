//! Bits of a scan, and Huffman codes.

use super::CUT;

const FAST: u32 = 9;

/// The Huffman codes of a table.
#[derive(Debug, Clone)]
pub(super) struct Codes {
    /// For the next bits: length of the code and symbol; length 0 if the code is longer.
    fast: Vec<(u8, u8)>,
    /// By length: the largest code, and what to add to a code to get its symbol; -1 for lengths
    /// without codes.
    largest: [i32; 17],
    offset: [i32; 17],
    symbols: Vec<u8>,
}

impl Default for Codes {
    fn default() -> Self {
        Self {
            fast: vec![(0, 0); 1 << FAST],
            largest: [-1; 17],
            offset: [0; 17],
            symbols: Vec::new(),
        }
    }
}

impl Codes {
    /// None if there are more codes than their lengths allow.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut codes = Self {
            symbols: symbols.to_vec(),
            ..Self::default()
        };
        let (mut code, mut k) = (0i32, 0usize);
        for len in 1..=16u32 {
            let count = usize::from(counts[len as usize - 1]);
            codes.offset[len as usize] = k as i32 - code;
            for _ in 0..count {
                if len <= FAST {
                    let first = (code as usize) << (FAST - len);
                    codes
                        .fast
                        .get_mut(first..first + (1 << (FAST - len)))?
                        .fill((len as u8, symbols[k]));
                }
                code += 1;
                k += 1;
            }
            if code > 1 << len {
                return None;
            }
            if count > 0 {
                codes.largest[len as usize] = code - 1;
            }
            code <<= 1;
        }
        Some(codes)
    }
}

/// The bits of a scan. A marker ends them; zeros follow.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    buffer: u64,
    count: u32,
    /// Number of bits in the buffer that are not from the data.
    made_up: u32,
    at_marker: bool,
}

impl<'a> Bits<'a> {
    pub(super) fn new(data: &'a [u8], at: usize) -> Self {
        Self {
            data,
            at,
            buffer: 0,
            count: 0,
            made_up: 0,
            at_marker: false,
        }
    }

    fn fill(&mut self) {
        while self.count <= 48 {
            let byte = match self.data.get(self.at) {
                Some(0xff) if !self.at_marker => match self.data.get(self.at + 1) {
                    Some(0) => {
                        self.at += 2;
                        Some(0xff)
                    }
                    Some(0xff) => {
                        self.at += 1;
                        continue;
                    }
                    Some(_) => {
                        self.at_marker = true;
                        None
                    }
                    None => None,
                },
                Some(byte) if !self.at_marker => {
                    self.at += 1;
                    Some(*byte)
                }
                _ => None,
            };
            self.buffer = self.buffer << 8 | u64::from(byte.unwrap_or_default());
            self.count += 8;
            self.made_up += if byte.is_none() { 8 } else { 0 };
        }
    }

    fn peek(&mut self, n: u32) -> u32 {
        if self.count < n {
            self.fill();
        }
        (self.buffer >> (self.count - n)) as u32 & ((1 << n) - 1)
    }

    fn drop(&mut self, n: u32) -> Result<(), String> {
        self.count -= n;
        if self.count < self.made_up {
            self.made_up = self.count;
            if !self.at_marker {
                return Err(CUT.into());
            }
        }
        Ok(())
    }

    /// `n` bits, at most 16.
    pub(super) fn take(&mut self, n: u32) -> Result<u32, String> {
        if n == 0 {
            return Ok(0);
        }
        let bits = self.peek(n);
        self.drop(n)?;
        Ok(bits)
    }

    /// A signed number of `n` bits.
    pub(super) fn number(&mut self, n: u32) -> Result<i32, String> {
        let bits = self.take(n)? as i32;
        Ok(if n > 0 && bits < 1 << (n - 1) {
            bits - (1 << n) + 1
        } else {
            bits
        })
    }

    /// The symbol of the next code; 0 for an invalid one, as in libjpeg.
    pub(super) fn symbol(&mut self, codes: &Codes) -> Result<u8, String> {
        let (len, symbol) = codes.fast[self.peek(FAST) as usize];
        if len > 0 {
            self.drop(len.into())?;
            return Ok(symbol);
        }
        let next = self.peek(16) as i32;
        for len in FAST as usize + 1..=16 {
            let code = next >> (16 - len);
            if code <= codes.largest[len] {
                self.drop(len as u32)?;
                return Ok(codes
                    .symbols
                    .get((code + codes.offset[len]) as usize)
                    .copied()
                    .unwrap_or_default());
            }
        }
        self.drop(16)?;
        Ok(0)
    }

    /// Skips a restart marker.
    pub(super) fn restart(&mut self) {
        (self.buffer, self.count, self.made_up) = (0, 0, 0);
        let mut at = self.at;
        while let Some(byte) = self.data.get(at) {
            match (byte, self.data.get(at + 1)) {
                (0xff, Some(0xd0..=0xd7)) => {
                    self.at = at + 2;
                    self.at_marker = false;
                    return;
                }
                // Another marker: the data end.
                (0xff, Some(next)) if *next != 0 && *next != 0xff => return,
                _ => at += 1,
            }
        }
    }

    /// The position after the scan.
    pub(super) fn end(&self) -> usize {
        self.at
    }
}
