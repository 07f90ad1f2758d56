//! The operators of ONNX that are computed, by their names. Their meaning is that of the standard
//! (<https://onnx.ai/onnx/operators>), from opset 7 on.

mod axes;
mod broadcast;
mod cast;
mod convolve;
mod gather;
mod join;
mod maps;
mod matmul;
mod moves;
mod norms;
mod pairs;
mod pool;
mod reduce;
mod shapes;

use super::read::{Attribute, Attributes};
use super::room::Room;
use super::value::Array;
use std::borrow::Cow;

/// What an operator is given. It owns those of its inputs that nobody needs after it, and may write
/// its result over them.
pub(super) struct Call<'a> {
    pub inputs: Vec<Option<Cow<'a, Array>>>,
    pub attributes: &'a Attributes,
    /// How many outputs the node names.
    pub outputs: usize,
    pub opset: i64,
    pub room: Room,
}

pub(super) type Results = Result<Vec<Array>, String>;

/// An operator.
#[derive(Debug)]
pub(super) struct Operator {
    pub name: &'static str,
    pub compute: fn(&mut Call<'_>) -> Results,
    /// The attributes that it knows.
    pub attributes: &'static [&'static str],
    /// The least number of inputs.
    pub least: usize,
}

/// The operator of a name.
pub(super) fn operator(name: &str) -> Option<&'static Operator> {
    TABLES
        .iter()
        .flat_map(|table| table.iter())
        .find(|operator| operator.name == name)
}

const TABLES: &[&[Operator]] = &[
    maps::TABLE,
    pairs::TABLE,
    cast::TABLE,
    shapes::TABLE,
    moves::TABLE,
    join::TABLE,
    gather::TABLE,
    reduce::TABLE,
    norms::TABLE,
    matmul::TABLE,
    convolve::TABLE,
    pool::TABLE,
];

/// A line of a table.
const fn op(
    name: &'static str,
    least: usize,
    attributes: &'static [&'static str],
    compute: fn(&mut Call<'_>) -> Results,
) -> Operator {
    Operator {
        name,
        compute,
        attributes,
        least,
    }
}

fn one(array: Array) -> Results {
    Ok(vec![array])
}

impl Call<'_> {
    /// An input that must be there.
    fn input(&self, at: usize) -> Result<&Array, String> {
        self.optional(at)
            .ok_or_else(|| format!("its input {at} is missing"))
    }

    fn optional(&self, at: usize) -> Option<&Array> {
        self.inputs.get(at)?.as_deref()
    }

    /// An input to write over: a copy, if another node needs it.
    fn own(&mut self, at: usize) -> Result<Array, String> {
        let input = self.inputs.get_mut(at).and_then(Option::take);
        let input = input.ok_or_else(|| format!("its input {at} is missing"))?;
        if let Cow::Borrowed(array) = &input {
            self.room.of(&array.shape, array.data.size())?;
        }
        Ok(input.into_owned())
    }

    fn int(&self, name: &str, default: i64) -> Result<i64, String> {
        match self.attributes.get(name) {
            None => Ok(default),
            Some(Attribute::Int(value)) => Ok(*value),
            Some(_) => Err(wrong_type(name)),
        }
    }

    fn float(&self, name: &str, default: f32) -> Result<f32, String> {
        match self.attributes.get(name) {
            None => Ok(default),
            Some(Attribute::Float(value)) => Ok(*value),
            Some(_) => Err(wrong_type(name)),
        }
    }

    fn ints(&self, name: &str) -> Result<Option<&[i64]>, String> {
        match self.attributes.get(name) {
            None => Ok(None),
            Some(Attribute::Ints(values)) => Ok(Some(values)),
            Some(_) => Err(wrong_type(name)),
        }
    }

    fn text(&self, name: &str) -> Result<Option<&str>, String> {
        match self.attributes.get(name) {
            None => Ok(None),
            Some(Attribute::Text(value)) => Ok(Some(value)),
            Some(_) => Err(wrong_type(name)),
        }
    }

    fn flag(&self, name: &str, default: bool) -> Result<bool, String> {
        self.int(name, default.into()).map(|value| value != 0)
    }

    /// Integers of an attribute, as old versions have them, or of an input.
    fn listed(&self, name: &str, at: usize) -> Result<Option<Vec<i64>>, String> {
        match (self.ints(name)?, self.optional(at)) {
            (Some(values), _) => Ok(Some(values.to_vec())),
            (None, Some(input)) => input.integers().map(|values| Some(values.to_vec())),
            (None, None) => Ok(None),
        }
    }
}

fn wrong_type(name: &str) -> String {
    format!("its attribute `{name}` is of a wrong type")
}
