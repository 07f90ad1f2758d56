//! Columns of bytes and of vectors.

use crate::column::{bitmap, check_offsets, check_validity, is_set};

/// Bytes: value `i` is `data[offsets[i]..offsets[i + 1]]`; the value at a null is empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Blobs {
    offsets: Vec<u32>,
    data: Vec<u8>,
    validity: Option<Vec<u8>>,
}

impl Default for Blobs {
    fn default() -> Self {
        Self {
            offsets: vec![0],
            data: Vec::new(),
            validity: None,
        }
    }
}

impl Blobs {
    /// Checks the layout.
    pub fn new(
        offsets: Vec<u32>,
        data: Vec<u8>,
        validity: Option<Vec<u8>>,
    ) -> Result<Self, String> {
        check_offsets(&offsets, data.len())?;
        check_validity(validity.as_deref(), offsets.len() - 1)?;
        Ok(Self {
            offsets,
            data,
            validity,
        })
    }

    /// Number of values, including nulls.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Value `i`, None if it is null.
    pub fn get(&self, i: usize) -> Option<&[u8]> {
        is_set(self.validity.as_deref(), i).then(|| self.value(i))
    }

    /// Value `i`; empty if it is null.
    pub fn value(&self, i: usize) -> &[u8] {
        &self.data[self.offsets[i] as usize..self.offsets[i + 1] as usize]
    }

    /// All values in order, None for a null.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&[u8]>> {
        (0..self.len()).map(|i| self.get(i))
    }

    /// Adds a value.
    ///
    /// # Panics
    /// When the column exceeds 4 GiB, the limit of the contract.
    pub fn push(&mut self, value: &[u8]) {
        self.data.extend_from_slice(value);
        self.offsets
            .push(u32::try_from(self.data.len()).expect("a column holds at most 4 GiB"));
    }

    /// Offsets, data and validity.
    pub fn into_parts(self) -> (Vec<u32>, Vec<u8>, Option<Vec<u8>>) {
        (self.offsets, self.data, self.validity)
    }
}

impl<'a> FromIterator<Option<&'a [u8]>> for Blobs {
    fn from_iter<I: IntoIterator<Item = Option<&'a [u8]>>>(values: I) -> Self {
        let values: Vec<_> = values.into_iter().collect();
        let mut blobs = Self::default();
        values
            .iter()
            .for_each(|value| blobs.push(value.unwrap_or_default()));
        blobs.validity = bitmap(values.iter().map(Option::is_some));
        blobs
    }
}

/// Vectors of one width: row `i` has `values[i * width..(i + 1) * width]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors {
    width: u32,
    values: Vec<f32>,
    validity: Option<Vec<u8>>,
}

impl Vectors {
    /// Checks that there are whole vectors, and that the validity fits them.
    pub fn new(width: u32, values: Vec<f32>, validity: Option<Vec<u8>>) -> Result<Self, String> {
        if width == 0 || !values.len().is_multiple_of(width as usize) {
            return Err(format!(
                "{} numbers are no whole vectors of width {width}",
                values.len()
            ));
        }
        check_validity(validity.as_deref(), values.len() / width as usize)?;
        Ok(Self {
            width,
            values,
            validity,
        })
    }

    /// The numbers of each vector.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Number of vectors, including nulls.
    pub fn len(&self) -> usize {
        self.values.len() / self.width as usize
    }

    /// Whether there are no vectors.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Vector `i`, None if it is null.
    pub fn get(&self, i: usize) -> Option<&[f32]> {
        let width = self.width as usize;
        is_set(self.validity.as_deref(), i).then(|| &self.values[i * width..(i + 1) * width])
    }

    /// Width, values (anything at a null) and validity.
    pub fn into_parts(self) -> (u32, Vec<f32>, Option<Vec<u8>>) {
        (self.width, self.values, self.validity)
    }
}
