//! The numbers of weights.

use super::{shown, text};
use crate::error::damaged;
use crate::numbers::floats;
use crate::onnx::value::{Array, Data, count};
use crate::proto::{Fields, Value};

/// The type of numbers that a file declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Float,
    UInt8,
    Int8,
    Int32,
    Int64,
    Bool,
}

const OTHER_FILES: &str = "its weights are in other files: save it as one, with `onnx.save_model(onnx.load(\"model.onnx\"), \"one.onnx\", save_as_external_data=False)`";

/// Checks that the numbers of a tensor are in the file itself.
pub(super) fn without_other_files(message: &[u8]) -> Result<(), String> {
    for field in Fields::of(message) {
        if let (13, _) | (14, Value::Number(1..)) = field? {
            return Err(OTHER_FILES.into());
        }
    }
    Ok(())
}

impl Type {
    /// The type with a number of `TensorProto.DataType`.
    ///
    /// # Errors
    /// When it is not supported.
    pub(crate) fn of(number: u64) -> Result<Self, String> {
        let name = match number {
            1 => return Ok(Self::Float),
            2 => return Ok(Self::UInt8),
            3 => return Ok(Self::Int8),
            6 => return Ok(Self::Int32),
            7 => return Ok(Self::Int64),
            9 => return Ok(Self::Bool),
            8 => "strings",
            10 => "half-precision floats (float16)",
            11 => "double-precision floats",
            16 => "half-precision floats (bfloat16)",
            _ => "numbers of another type",
        };
        Err(format!(
            "it has {name}, which are not supported: export the network in single precision (float32), with integers of 8, 32 or 64 bits"
        ))
    }

    /// The range of an integer type.
    pub(crate) fn range(self) -> Option<(i64, i64)> {
        match self {
            Self::UInt8 => Some((0, 255)),
            Self::Int8 => Some((-128, 127)),
            Self::Int32 => Some((i32::MIN.into(), i32::MAX.into())),
            Self::Int64 => Some((i64::MIN, i64::MAX)),
            Self::Float | Self::Bool => None,
        }
    }
}

/// Reads weights, and their name.
pub(super) fn read(message: &[u8]) -> Result<(String, Array), String> {
    let (mut name, mut sides, mut kind, mut raw) = ("", Vec::new(), 0, None);
    let (mut singles, mut ints): (Vec<f32>, Vec<i64>) = (Vec::new(), Vec::new());
    for field in Fields::of(message) {
        match field? {
            (1, Value::Number(side)) => sides.push(side),
            (1, Value::Bytes(bytes)) => sides.extend(Fields::packed(bytes)?),
            (2, Value::Number(number)) => kind = number,
            (4, Value::Float(value)) => singles.push(value),
            (4, Value::Bytes(bytes)) => singles.extend(floats(bytes)),
            (5 | 7, Value::Number(value)) => ints.push(value as i64),
            (5 | 7, Value::Bytes(bytes)) => {
                ints.extend(Fields::packed(bytes)?.into_iter().map(|value| value as i64));
            }
            (8, Value::Bytes(bytes)) => name = text(bytes)?,
            (9, Value::Bytes(bytes)) => raw = Some(bytes),
            (13, _) | (14, Value::Number(1..)) => {
                return Err(OTHER_FILES.into());
            }
            _ => {}
        }
    }
    let wrong = |what: String| format!("weights `{}`: {what}", shown(name));
    let kind = Type::of(kind).map_err(wrong)?;
    let shape: Option<Vec<usize>> = sides
        .iter()
        .map(|side| usize::try_from(*side).ok())
        .collect();
    let shape = shape.ok_or_else(|| wrong(damaged("a shape")))?;
    let expected = count(&shape).map_err(wrong)?;
    let data = match raw {
        Some(bytes) => from_raw(bytes, kind),
        None => match kind {
            Type::Float => Some(Data::Float(singles)),
            Type::Bool => Some(Data::Bool(ints.iter().map(|value| *value != 0).collect())),
            _ => Some(Data::Int(ints)),
        },
    };
    let data = data.filter(|data| data.len() == expected);
    let data = data.ok_or_else(|| wrong(damaged("there are more or fewer than its shape has")))?;
    let fits = match (&data, kind.range()) {
        (Data::Int(values), Some((least, most))) => {
            values.iter().all(|value| (least..=most).contains(value))
        }
        _ => true,
    };
    if !fits {
        return Err(wrong(damaged("a number is out of its range")));
    }
    Ok((name.into(), Array::new(shape, data)))
}

/// Numbers as they are in memory; None if the last one is cut off.
fn from_raw(bytes: &[u8], kind: Type) -> Option<Data> {
    fn all<const N: usize, T>(bytes: &[u8], of: impl Fn([u8; N]) -> T) -> Option<Vec<T>> {
        let (numbers, rest) = bytes.as_chunks::<N>();
        rest.is_empty()
            .then(|| numbers.iter().map(|number| of(*number)).collect())
    }
    Some(match kind {
        Type::Float => Data::Float(all(bytes, f32::from_le_bytes)?),
        Type::UInt8 => Data::Int(bytes.iter().map(|byte| i64::from(*byte)).collect()),
        Type::Int8 => Data::Int(all(bytes, |byte| i64::from(i8::from_le_bytes(byte)))?),
        Type::Int32 => Data::Int(all(bytes, |bytes| i64::from(i32::from_le_bytes(bytes)))?),
        Type::Int64 => Data::Int(all(bytes, i64::from_le_bytes)?),
        Type::Bool => Data::Bool(bytes.iter().map(|byte| *byte != 0).collect()),
    })
}
