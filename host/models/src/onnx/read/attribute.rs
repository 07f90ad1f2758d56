//! What a node's operator is told beside its inputs.

use super::{tensor, text};
use crate::numbers::floats;
use crate::onnx::value::Array;
use crate::proto::{Fields, Value};
use std::collections::BTreeMap;

/// The attributes of a node by their names.
pub(crate) type Attributes = BTreeMap<String, Attribute>;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Attribute {
    Int(i64),
    Float(f32),
    Ints(Vec<i64>),
    Floats(Vec<f32>),
    Text(String),
    Tensor(Array),
    /// Of a type that no supported operator has: graphs, lists of texts.
    Other,
}

/// The numbers of the types in the file.
const FLOAT: u64 = 1;
const INT: u64 = 2;
const TEXT: u64 = 3;
const TENSOR: u64 = 4;
const FLOATS: u64 = 6;
const INTS: u64 = 7;

pub(super) fn read(message: &[u8]) -> Result<(String, Attribute), String> {
    let (mut name, mut kind) = (String::new(), None);
    let (mut float, mut int, mut string, mut array) = (0.0, 0, String::new(), None);
    let (mut many_floats, mut many_ints) = (Vec::new(), Vec::new());
    for field in Fields::of(message) {
        match field? {
            (1, Value::Bytes(bytes)) => name = text(bytes)?.into(),
            (2, Value::Float(value)) => float = value,
            (3, Value::Number(value)) => int = value as i64,
            (4, Value::Bytes(bytes)) => string = String::from_utf8_lossy(bytes).into_owned(),
            (5, Value::Bytes(message)) => array = Some(tensor::read(message)?.1),
            (7, Value::Float(value)) => many_floats.push(value),
            (7, Value::Bytes(bytes)) => many_floats.extend(floats(bytes)),
            (8, Value::Number(value)) => many_ints.push(value as i64),
            (8, Value::Bytes(bytes)) => {
                many_ints.extend(Fields::packed(bytes)?.into_iter().map(|value| value as i64));
            }
            (20, Value::Number(value)) => kind = Some(value),
            _ => {}
        }
    }
    let value = match (kind, array) {
        (Some(FLOAT), _) => Attribute::Float(float),
        (Some(INT), _) => Attribute::Int(int),
        (Some(TEXT), _) => Attribute::Text(string),
        (Some(TENSOR), Some(array)) => Attribute::Tensor(array),
        (Some(FLOATS), _) => Attribute::Floats(many_floats),
        (Some(INTS), _) => Attribute::Ints(many_ints),
        _ => Attribute::Other,
    };
    Ok((name, value))
}
