//! The values that go through a network.

/// The most dimensions of a value.
pub(super) const MOST_DIMENSIONS: usize = 8;

/// The numbers of a value, in row-major order. All integers are kept as 64 bits; `Cast` checks
/// that they fit a smaller type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data {
    Float(Vec<f32>),
    Int(Vec<i64>),
    Bool(Vec<bool>),
}

/// Calls a generic function of the numbers, whatever they are, and keeps their type.
macro_rules! same_type {
    ($data:expr, $values:ident => $result:expr) => {
        match $data {
            $crate::onnx::value::Data::Float($values) => $crate::onnx::value::Data::Float($result),
            $crate::onnx::value::Data::Int($values) => $crate::onnx::value::Data::Int($result),
            $crate::onnx::value::Data::Bool($values) => $crate::onnx::value::Data::Bool($result),
        }
    };
}
pub(super) use same_type;

impl Data {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Float(values) => values.len(),
            Self::Int(values) => values.len(),
            Self::Bool(values) => values.len(),
        }
    }

    /// The size of a number in memory.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Float(_) => 4,
            Self::Int(_) => 8,
            Self::Bool(_) => 1,
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Float(_) => "floats",
            Self::Int(_) => "integers",
            Self::Bool(_) => "booleans",
        }
    }
}

/// A tensor: as many numbers as the product of its shape.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    pub shape: Vec<usize>,
    pub data: Data,
}

impl Array {
    pub(super) fn new(shape: Vec<usize>, data: Data) -> Self {
        debug_assert_eq!(shape.iter().product::<usize>(), data.len());
        Self { shape, data }
    }

    pub(super) fn ints(values: Vec<i64>) -> Self {
        Self::new(vec![values.len()], Data::Int(values))
    }

    pub(super) fn floats(&self) -> Result<&[f32], String> {
        match &self.data {
            Data::Float(values) => Ok(values),
            other => Err(format!("it takes floats, not {}", other.name())),
        }
    }

    pub(super) fn integers(&self) -> Result<&[i64], String> {
        match &self.data {
            Data::Int(values) => Ok(values),
            other => Err(format!("it takes integers, not {}", other.name())),
        }
    }

    pub(super) fn booleans(&self) -> Result<&[bool], String> {
        match &self.data {
            Data::Bool(values) => Ok(values),
            other => Err(format!("it takes booleans, not {}", other.name())),
        }
    }

    /// The memory that the numbers take.
    pub(super) fn bytes(&self) -> usize {
        self.data.len() * self.data.size()
    }
}

/// The number of numbers of a shape.
///
/// # Errors
/// When it has too many dimensions, or these are too large, even if one of them is 0: operators go
/// through the others.
pub(super) fn count(shape: &[usize]) -> Result<usize, String> {
    const MOST: usize = 1 << 32;
    if shape.len() > MOST_DIMENSIONS {
        return Err(format!(
            "a value has {} dimensions; there may be {MOST_DIMENSIONS}",
            shape.len()
        ));
    }
    let sides = shape.iter().map(|side| (*side).max(1));
    let product = sides.fold(1, |product: usize, side| product.saturating_mul(side));
    match product {
        _ if product > MOST => Err(format!("the shape {shape:?} is too large")),
        _ if shape.contains(&0) => Ok(0),
        _ => Ok(product),
    }
}

/// How far apart neighbours are in each dimension.
pub(super) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1usize; shape.len()];
    for at in (1..shape.len()).rev() {
        // Of a shape that was counted; one with a zero has no neighbours.
        strides[at - 1] = strides[at].saturating_mul(shape[at]);
    }
    strides
}
