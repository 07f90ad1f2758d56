//! Reads the numbers of a model file. Allocates nothing for more values than the rest of the file
//! can hold.

use std::io::{Read, Seek, SeekFrom};

pub(crate) struct Reader<R> {
    inner: R,
    left: u64,
}

/// The message for files that end too early or lie about sizes.
pub(crate) fn damaged(what: &str) -> String {
    format!("the file is damaged or was cut off ({what}): get it again")
}

fn too_large(error: std::collections::TryReserveError) -> String {
    format!(
        "the model does not fit into the memory of the operator ({error}): raise `op_limits.memory_mb`, or use a quantised model (`.ftz`)"
    )
}

impl<R: Read + Seek> Reader<R> {
    pub(crate) fn new(mut inner: R) -> Result<Self, String> {
        let length = inner
            .seek(SeekFrom::End(0))
            .and_then(|length| inner.seek(SeekFrom::Start(0)).map(|_| length));
        Ok(Self {
            left: length.map_err(|error| format!("cannot read it: {error}"))?,
            inner,
        })
    }
}

impl<R: Read> Reader<R> {
    /// Number of unread bytes.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], String> {
        let mut bytes = [0; N];
        self.fill(&mut bytes, what)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8], what: &str) -> Result<(), String> {
        self.left = self
            .left
            .checked_sub(bytes.len() as u64)
            .ok_or_else(|| damaged(what))?;
        self.inner
            .read_exact(bytes)
            .map_err(|error| format!("cannot read it ({what}): {error}"))
    }

    pub(crate) fn i32(&mut self, what: &str) -> Result<i32, String> {
        Ok(i32::from_le_bytes(self.array(what)?))
    }

    pub(crate) fn i64(&mut self, what: &str) -> Result<i64, String> {
        Ok(i64::from_le_bytes(self.array(what)?))
    }

    pub(crate) fn f64(&mut self, what: &str) -> Result<f64, String> {
        Ok(f64::from_le_bytes(self.array(what)?))
    }

    pub(crate) fn u8(&mut self, what: &str) -> Result<u8, String> {
        Ok(self.array::<1>(what)?[0])
    }

    pub(crate) fn flag(&mut self, what: &str) -> Result<bool, String> {
        match self.u8(what)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(damaged(what)),
        }
    }

    /// A count of things that each take at least `size` bytes of the file.
    pub(crate) fn count(&self, count: i64, size: u64, what: &str) -> Result<usize, String> {
        let count = u64::try_from(count).map_err(|_| damaged(what))?;
        match count.checked_mul(size) {
            Some(bytes) if bytes <= self.left => usize::try_from(count).map_err(|_| damaged(what)),
            _ => Err(damaged(what)),
        }
    }

    /// Appends the bytes up to a zero byte, without it.
    pub(crate) fn string(&mut self, out: &mut Vec<u8>, what: &str) -> Result<(), String> {
        loop {
            match self.u8(what)? {
                0 => return Ok(()),
                byte => out.push(byte),
            }
        }
    }

    pub(crate) fn bytes(&mut self, count: usize, what: &str) -> Result<Vec<u8>, String> {
        let count = self.count(count as i64, 1, what)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(count).map_err(too_large)?;
        bytes.resize(count, 0);
        self.fill(&mut bytes, what)?;
        Ok(bytes)
    }

    pub(crate) fn floats(&mut self, count: usize, what: &str) -> Result<Vec<f32>, String> {
        let count = self.count(count as i64, 4, what)?;
        let mut floats = Vec::new();
        floats.try_reserve_exact(count).map_err(too_large)?;
        let mut chunk = [0u8; 1 << 14];
        while floats.len() < count {
            let bytes = &mut chunk[..4 * (count - floats.len()).min(1 << 12)];
            self.fill(bytes, what)?;
            floats.extend(
                bytes
                    .chunks_exact(4)
                    .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])),
            );
        }
        match floats.iter().all(|x| x.is_finite()) {
            true => Ok(floats),
            false => Err(damaged(what)),
        }
    }
}
