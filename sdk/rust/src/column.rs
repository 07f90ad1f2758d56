//! Columns: the values of one field for some rows, in Arrow's memory layout.

use crate::blobs::{Blobs, Vectors};

/// Whether bit `i` of an LSB-first bitmap is set; no bitmap means that all are.
pub(crate) fn is_set(bitmap: Option<&[u8]>, i: usize) -> bool {
    bitmap.is_none_or(|bits| bits[i / 8] >> (i % 8) & 1 == 1)
}

/// The LSB-first bitmap of `flags`, or None if all are true.
pub(crate) fn bitmap(flags: impl ExactSizeIterator<Item = bool>) -> Option<Vec<u8>> {
    let mut bits = vec![0u8; flags.len().div_ceil(8)];
    let mut all = true;
    for (i, flag) in flags.enumerate() {
        bits[i / 8] |= u8::from(flag) << (i % 8);
        all &= flag;
    }
    (!all).then_some(bits)
}

pub(crate) fn check_offsets(offsets: &[u32], end: usize) -> Result<(), String> {
    if offsets.first() != Some(&0) {
        return Err("the offsets must start with 0".into());
    }
    if offsets.windows(2).any(|w| w[0] > w[1]) {
        return Err("the offsets must not fall".into());
    }
    if offsets[offsets.len() - 1] as usize != end {
        return Err(format!(
            "the last offset is {} and must be {end}",
            offsets[offsets.len() - 1]
        ));
    }
    Ok(())
}

pub(crate) fn check_validity(validity: Option<&[u8]>, rows: usize) -> Result<(), String> {
    match validity {
        Some(bits) if bits.len() != rows.div_ceil(8) => {
            Err(format!("{} bytes of validity for {rows} rows", bits.len()))
        }
        _ => Ok(()),
    }
}

/// Strings: value `i` is `data[offsets[i]..offsets[i + 1]]`. Every value is UTF-8; the value at a
/// null is empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Texts {
    offsets: Vec<u32>,
    data: Vec<u8>,
    validity: Option<Vec<u8>>,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            offsets: vec![0],
            data: Vec::new(),
            validity: None,
        }
    }
}

impl Texts {
    /// Checks the layout and that every value is UTF-8.
    pub fn new(
        offsets: Vec<u32>,
        data: Vec<u8>,
        validity: Option<Vec<u8>>,
    ) -> Result<Self, String> {
        check_offsets(&offsets, data.len())?;
        check_validity(validity.as_deref(), offsets.len() - 1)?;
        if let Some(w) = offsets
            .windows(2)
            .find(|w| std::str::from_utf8(&data[w[0] as usize..w[1] as usize]).is_err())
        {
            return Err(format!("the value at byte {} is not UTF-8", w[0]));
        }
        Ok(Self {
            offsets,
            data,
            validity,
        })
    }

    /// Like [`Texts::new`], without the checks.
    ///
    /// # Safety
    /// Every value must be UTF-8. (Wrong offsets panic; they are not unsafe.)
    pub unsafe fn new_unchecked(
        offsets: Vec<u32>,
        data: Vec<u8>,
        validity: Option<Vec<u8>>,
    ) -> Self {
        Self {
            offsets,
            data,
            validity,
        }
    }

    /// An empty column with room for `rows` values of `bytes` bytes in all.
    pub fn with_capacity(rows: usize, bytes: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self {
            offsets,
            data: Vec::with_capacity(bytes),
            validity: None,
        }
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
    pub fn get(&self, i: usize) -> Option<&str> {
        is_set(self.validity.as_deref(), i).then(|| self.value(i))
    }

    /// Value `i`; empty if it is null.
    #[inline]
    pub fn value(&self, i: usize) -> &str {
        let bytes = &self.data[self.offsets[i] as usize..self.offsets[i + 1] as usize];
        // SAFETY: every constructor checks or demands that each value is UTF-8, and nothing changes
        // them afterwards.
        unsafe { std::str::from_utf8_unchecked(bytes) }
    }

    /// All values in order, None for a null.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&str>> {
        (0..self.len()).map(|i| self.get(i))
    }

    /// The bytes of all values.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Adds a value.
    pub fn push(&mut self, value: &str) {
        self.push_with(|out| out.push_str(value));
    }

    /// Adds the value that `write` appends to its buffer. Nothing is copied.
    ///
    /// # Panics
    /// When the column exceeds 4 GiB, the limit of the contract.
    pub fn push_with<T>(&mut self, write: impl FnOnce(&mut String) -> T) -> T {
        // SAFETY: `data` holds whole values only, each of them UTF-8.
        let mut text = unsafe { String::from_utf8_unchecked(std::mem::take(&mut self.data)) };
        let result = write(&mut text);
        self.data = text.into_bytes();
        self.offsets
            .push(u32::try_from(self.data.len()).expect("a column holds at most 4 GiB"));
        result
    }

    /// Removes the last value.
    pub(crate) fn pop(&mut self) {
        if self.offsets.len() > 1 {
            self.offsets.pop();
            self.data
                .truncate(self.offsets[self.offsets.len() - 1] as usize);
        }
    }

    /// Offsets, data and validity.
    pub fn into_parts(self) -> (Vec<u32>, Vec<u8>, Option<Vec<u8>>) {
        (self.offsets, self.data, self.validity)
    }
}

impl<'a> FromIterator<&'a str> for Texts {
    fn from_iter<I: IntoIterator<Item = &'a str>>(values: I) -> Self {
        let mut texts = Self::default();
        values.into_iter().for_each(|v| texts.push(v));
        texts
    }
}

impl<'a> FromIterator<Option<&'a str>> for Texts {
    fn from_iter<I: IntoIterator<Item = Option<&'a str>>>(values: I) -> Self {
        let values: Vec<_> = values.into_iter().collect();
        let mut texts: Self = values.iter().map(|v| v.unwrap_or_default()).collect();
        texts.validity = bitmap(values.iter().map(Option::is_some));
        texts
    }
}

/// Numbers, or flags as 0 and 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers<T> {
    values: Vec<T>,
    validity: Option<Vec<u8>>,
}

impl<T: Copy + Default> Numbers<T> {
    /// Checks that the validity fits.
    pub fn new(values: Vec<T>, validity: Option<Vec<u8>>) -> Result<Self, String> {
        check_validity(validity.as_deref(), values.len())?;
        Ok(Self { values, validity })
    }

    /// Number of values, including nulls.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Value `i`, None if it is null.
    pub fn get(&self, i: usize) -> Option<T> {
        is_set(self.validity.as_deref(), i).then(|| self.values[i])
    }

    /// All values in order, None for a null.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<T>> {
        (0..self.len()).map(|i| self.get(i))
    }

    /// Values (anything at a null) and validity.
    pub fn into_parts(self) -> (Vec<T>, Option<Vec<u8>>) {
        (self.values, self.validity)
    }
}

impl<T> From<Vec<T>> for Numbers<T> {
    fn from(values: Vec<T>) -> Self {
        Self {
            values,
            validity: None,
        }
    }
}

impl<T: Default> FromIterator<Option<T>> for Numbers<T> {
    fn from_iter<I: IntoIterator<Item = Option<T>>>(values: I) -> Self {
        let values: Vec<_> = values.into_iter().collect();
        let validity = bitmap(values.iter().map(Option::is_some));
        Self {
            values: values.into_iter().map(Option::unwrap_or_default).collect(),
            validity,
        }
    }
}

/// A list per row: row `i` has the elements `offsets[i]..offsets[i + 1]` of `elements`.
#[derive(Debug, Clone, PartialEq)]
pub struct Lists<E> {
    offsets: Vec<u32>,
    elements: E,
    validity: Option<Vec<u8>>,
}

impl<E> Lists<E> {
    /// Checks the layout; `count` is the number of elements.
    fn checked(
        offsets: Vec<u32>,
        elements: E,
        count: usize,
        validity: Option<Vec<u8>>,
    ) -> Result<Self, String> {
        check_offsets(&offsets, count)?;
        check_validity(validity.as_deref(), offsets.len() - 1)?;
        Ok(Self {
            offsets,
            elements,
            validity,
        })
    }

    /// Number of rows, including nulls.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements of row `i` as a range of [`Lists::elements`]; None if the row is null.
    pub fn range(&self, i: usize) -> Option<std::ops::Range<usize>> {
        is_set(self.validity.as_deref(), i)
            .then(|| self.offsets[i] as usize..self.offsets[i + 1] as usize)
    }

    /// The elements of all rows.
    pub fn elements(&self) -> &E {
        &self.elements
    }

    /// Offsets, elements and validity.
    pub fn into_parts(self) -> (Vec<u32>, E, Option<Vec<u8>>) {
        (self.offsets, self.elements, self.validity)
    }
}

impl Lists<Texts> {
    /// Checks the layout.
    pub fn new(
        offsets: Vec<u32>,
        elements: Texts,
        validity: Option<Vec<u8>>,
    ) -> Result<Self, String> {
        let count = elements.len();
        Self::checked(offsets, elements, count, validity)
    }

    /// The strings of row `i`, none if it is null.
    pub fn strings(&self, i: usize) -> impl Iterator<Item = &str> {
        self.range(i)
            .unwrap_or_default()
            .map(|e| self.elements.value(e))
    }
}

impl<T> Lists<Vec<T>> {
    /// Checks the layout.
    pub fn new(
        offsets: Vec<u32>,
        elements: Vec<T>,
        validity: Option<Vec<u8>>,
    ) -> Result<Self, String> {
        let count = elements.len();
        Self::checked(offsets, elements, count, validity)
    }

    /// The numbers of row `i`, none if it is null.
    pub fn numbers(&self, i: usize) -> &[T] {
        &self.elements[self.range(i).unwrap_or_default()]
    }
}

impl Lists<Blobs> {
    /// Checks the layout.
    pub fn new(
        offsets: Vec<u32>,
        elements: Blobs,
        validity: Option<Vec<u8>>,
    ) -> Result<Self, String> {
        let count = elements.len();
        Self::checked(offsets, elements, count, validity)
    }

    /// The values of row `i`, none if it is null.
    pub fn values(&self, i: usize) -> impl Iterator<Item = &[u8]> {
        self.range(i)
            .unwrap_or_default()
            .map(|e| self.elements.value(e))
    }
}

/// The values of one field.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Strings.
    Utf8(Texts),
    /// Any JSON value per row, as its text; `null` and absent are both null.
    Json(Texts),
    /// Floats.
    F64(Numbers<f64>),
    /// Integers.
    S64(Numbers<i64>),
    /// Flags, 0 or 1.
    Boolean(Numbers<u8>),
    /// A list of strings per row.
    Utf8List(Lists<Texts>),
    /// A list of numbers per row.
    F64List(Lists<Vec<f64>>),
    /// A list of whole numbers per row.
    S64List(Lists<Vec<i64>>),
    /// Bytes.
    Bytes(Blobs),
    /// A list of bytes per row.
    BytesList(Lists<Blobs>),
    /// A vector per row, all of one width.
    Vector(Vectors),
}

/// The type of a column, to ask for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are those of Column")]
pub enum ColumnType {
    Utf8,
    Json,
    F64,
    S64,
    Boolean,
    Utf8List,
    F64List,
    S64List,
    Bytes,
    BytesList,
    /// Of this width, from 1 to 65536.
    Vector(u32),
}

impl Column {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Utf8(c) | Self::Json(c) => c.len(),
            Self::F64(c) => c.len(),
            Self::S64(c) => c.len(),
            Self::Boolean(c) => c.len(),
            Self::Utf8List(c) => c.len(),
            Self::F64List(c) => c.len(),
            Self::S64List(c) => c.len(),
            Self::Bytes(c) => c.len(),
            Self::BytesList(c) => c.len(),
            Self::Vector(c) => c.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The type.
    pub fn column_type(&self) -> ColumnType {
        match self {
            Self::Utf8(_) => ColumnType::Utf8,
            Self::Json(_) => ColumnType::Json,
            Self::F64(_) => ColumnType::F64,
            Self::S64(_) => ColumnType::S64,
            Self::Boolean(_) => ColumnType::Boolean,
            Self::Utf8List(_) => ColumnType::Utf8List,
            Self::F64List(_) => ColumnType::F64List,
            Self::S64List(_) => ColumnType::S64List,
            Self::Bytes(_) => ColumnType::Bytes,
            Self::BytesList(_) => ColumnType::BytesList,
            Self::Vector(c) => ColumnType::Vector(c.width()),
        }
    }

    /// The strings or JSON texts; None for other types.
    pub fn texts(&self) -> Option<&Texts> {
        match self {
            Self::Utf8(c) | Self::Json(c) => Some(c),
            _ => None,
        }
    }

    /// The lists of numbers; None for other types.
    pub fn number_lists(&self) -> Option<&Lists<Vec<f64>>> {
        match self {
            Self::F64List(c) => Some(c),
            _ => None,
        }
    }

    /// The number at row `i` of a column of numbers or flags; None if it is null or the column
    /// holds something else.
    pub fn number(&self, i: usize) -> Option<f64> {
        match self {
            Self::F64(c) => c.get(i),
            Self::S64(c) => c.get(i).map(|v| v as f64),
            Self::Boolean(c) => c.get(i).map(f64::from),
            _ => None,
        }
    }
}
