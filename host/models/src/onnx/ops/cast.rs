//! Numbers of another type.

use super::{Call, Operator, Results, one, op};
use crate::onnx::read::Type;
use crate::onnx::value::{Array, Data};

pub(super) const TABLE: &[Operator] = &[op("Cast", 1, &["to", "saturate", "round_mode"], |call| {
    let to = Type::of(call.int("to", 0)?.unsigned_abs())?;
    cast(call, to)
})];

fn cast(call: &mut Call<'_>, to: Type) -> Results {
    let value = call.input(0)?;
    call.room.of(&value.shape, 8)?;
    let data = match to.range() {
        Some(range) => {
            let integer = |number: i64| match (range.0..=range.1).contains(&number) {
                true => Ok(number),
                false => Err(format!("{number} is not in the range of {to:?}")),
            };
            let values: Result<Vec<i64>, String> = match &value.data {
                Data::Int(values) => values.iter().map(|number| integer(*number)).collect(),
                Data::Bool(values) => Ok(values.iter().map(|flag| i64::from(*flag)).collect()),
                Data::Float(values) => values
                    .iter()
                    .map(|number| match number.is_finite() && number.abs() < 9.2e18 {
                        true => integer(*number as i64),
                        false => Err(format!("{number} is not in the range of {to:?}")),
                    })
                    .collect(),
            };
            Data::Int(values?)
        }
        None if to == Type::Bool => Data::Bool(match &value.data {
            Data::Int(values) => values.iter().map(|number| *number != 0).collect(),
            Data::Float(values) => values.iter().map(|number| *number != 0.0).collect(),
            Data::Bool(values) => values.clone(),
        }),
        None => Data::Float(match &value.data {
            Data::Int(values) => values.iter().map(|number| *number as f32).collect(),
            Data::Bool(values) => values.iter().map(|flag| f32::from(*flag)).collect(),
            Data::Float(values) => values.clone(),
        }),
    };
    one(Array::new(value.shape.clone(), data))
}
