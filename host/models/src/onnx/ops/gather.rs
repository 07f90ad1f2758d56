//! Operators that look numbers up by their places.

use super::axes::{around, axis, size};
use super::{Call, Operator, Results, one, op};
use crate::onnx::value::{Array, Data, same_type};

pub(super) const TABLE: &[Operator] = &[
    op("Gather", 2, &["axis"], gather),
    op("GatherElements", 2, &["axis"], gather_elements),
    op("OneHot", 3, &["axis"], one_hot),
];

/// The numbers of another value, if they are of the same type as some.
pub(super) fn like<'a, T: Numbers>(_: &[T], data: &'a Data) -> Result<&'a [T], String> {
    T::of(data).ok_or_else(|| format!("its values are of different types ({})", data.name()))
}

/// A type of numbers.
pub(super) trait Numbers: Sized + Copy + Default {
    fn of(data: &Data) -> Option<&[Self]>;
}

impl Numbers for f32 {
    fn of(data: &Data) -> Option<&[Self]> {
        match data {
            Data::Float(values) => Some(values),
            _ => None,
        }
    }
}

impl Numbers for i64 {
    fn of(data: &Data) -> Option<&[Self]> {
        match data {
            Data::Int(values) => Some(values),
            _ => None,
        }
    }
}

impl Numbers for bool {
    fn of(data: &Data) -> Option<&[Self]> {
        match data {
            Data::Bool(values) => Some(values),
            _ => None,
        }
    }
}

/// A place in a dimension; negative ones count from the end.
fn place(index: i64, side: usize) -> Result<usize, String> {
    axis(index, side).map_err(|_| format!("there is no place {index} in a dimension of {side}"))
}

fn gather(call: &mut Call<'_>) -> Results {
    let (value, indices) = (call.input(0)?, call.input(1)?);
    let axis = axis(call.int("axis", 0)?, value.shape.len())?;
    let (before, side, after) = around(&value.shape, axis);
    let places: Vec<usize> = indices
        .integers()?
        .iter()
        .map(|index| place(*index, side))
        .collect::<Result<_, _>>()?;
    let shape = [
        &value.shape[..axis],
        &indices.shape,
        &value.shape[axis + 1..],
    ]
    .concat();
    let count = call.room.of(&shape, value.data.size())?;
    let data = same_type!(&value.data, values => {
        let mut found = Vec::with_capacity(count);
        if count > 0 {
            for row in 0..before {
                for place in &places {
                    found.extend_from_slice(&values[(row * side + place) * after..][..after]);
                }
            }
        }
        found
    });
    one(Array::new(shape, data))
}

fn gather_elements(call: &mut Call<'_>) -> Results {
    let (value, indices) = (call.input(0)?, call.input(1)?);
    let axis = axis(call.int("axis", 0)?, value.shape.len())?;
    let fits = indices.shape.len() == value.shape.len()
        && (0..value.shape.len()).all(|at| at == axis || indices.shape[at] == value.shape[at]);
    if !fits {
        return Err(format!(
            "indices of the shape {:?} do not fit {:?}",
            indices.shape, value.shape
        ));
    }
    call.room.of(&indices.shape, value.data.size())?;
    let (_, side, after) = around(&value.shape, axis);
    let (_, wanted, _) = around(&indices.shape, axis);
    let places = indices.integers()?.iter().enumerate().map(|(at, index)| {
        let row = at / after / wanted;
        Ok((row * side + place(*index, side)?) * after + at % after)
    });
    let places: Vec<usize> = places.collect::<Result<_, String>>()?;
    let data = same_type!(&value.data, values => places.iter().map(|at| values[*at]).collect());
    one(Array::new(indices.shape.clone(), data))
}

fn one_hot(call: &mut Call<'_>) -> Results {
    let (indices, depth, values) = (call.input(0)?, call.input(1)?, call.input(2)?);
    let depth = match &depth.data {
        Data::Int(depth) => depth.first().copied(),
        Data::Float(depth) => depth.first().map(|depth| *depth as i64),
        Data::Bool(_) => None,
    };
    let depth = size(depth.ok_or("its depth is no number")?)?;
    let at = axis(call.int("axis", -1)?, indices.shape.len() + 1)?;
    let mut shape = indices.shape.clone();
    shape.insert(at, depth);
    let count = call.room.of(&shape, values.data.size())?;
    let (_, _, after) = around(&shape, at);
    let ids = indices.integers()?;
    let data = same_type!(&values.data, values => {
        let &[off, on] = &values[..] else {
            return Err("it takes two values".into());
        };
        let mut hot = vec![off; count];
        for (at, id) in ids.iter().enumerate() {
            // Ids beyond the depth have no place.
            if let Ok(id) = place(*id, depth) {
                hot[(at / after * depth + id) * after + at % after] = on;
            }
        }
        hot
    });
    one(Array::new(shape, data))
}
