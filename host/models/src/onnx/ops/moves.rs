//! Operators that put numbers into other places.

use super::axes::{axes, axis, size};
use super::broadcast::walked;
use super::{Call, Operator, Results, one, op};
use crate::onnx::value::{Array, Data, same_type, strides};

pub(super) const TABLE: &[Operator] = &[
    op("Transpose", 1, &["perm"], transpose),
    op("Slice", 1, &["starts", "ends", "axes"], slice),
    op("Split", 1, &["axis", "split", "num_outputs"], split),
    op("Trilu", 1, &["upper"], triangle),
];

fn steps_of(shape: &[usize]) -> Vec<isize> {
    strides(shape)
        .into_iter()
        .map(|step| step as isize)
        .collect()
}

fn transpose(call: &mut Call<'_>) -> Results {
    let value = call.input(0)?;
    let count = value.shape.len();
    let order: Vec<usize> = match call.ints("perm")? {
        Some(order) if order.len() == count => {
            axes(order, count)?;
            order
                .iter()
                .map(|at| axis(*at, count))
                .collect::<Result<_, _>>()?
        }
        Some(_) => return Err("its order has more or fewer axes than its input".into()),
        None => (0..count).rev().collect(),
    };
    call.room.of(&value.shape, value.data.size())?;
    let own = steps_of(&value.shape);
    let shape: Vec<usize> = order.iter().map(|at| value.shape[*at]).collect();
    let steps: Vec<isize> = order.iter().map(|at| own[*at]).collect();
    let data = same_type!(&value.data, values => walked(values, &shape, &steps, 0));
    one(Array::new(shape, data))
}

fn slice(call: &mut Call<'_>) -> Results {
    let starts = call.listed("starts", 1)?.ok_or("its starts are missing")?;
    let ends = call.listed("ends", 2)?.ok_or("its ends are missing")?;
    let wanted = call.listed("axes", 3)?;
    let wanted = wanted.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let by = call.optional(4).map(Array::integers).transpose()?;
    let by = by.map_or_else(|| vec![1; starts.len()], <[i64]>::to_vec);
    let value = call.input(0)?;
    axes(&wanted, value.shape.len())?;
    if [ends.len(), wanted.len(), by.len()] != [starts.len(); 3] {
        return Err("its starts, ends, axes and steps differ in number".into());
    }
    let (mut shape, mut steps) = (value.shape.clone(), steps_of(&value.shape));
    let mut first = 0usize;
    for (at, wanted) in wanted.iter().enumerate() {
        let axis = axis(*wanted, shape.len())?;
        let (start, count) = part(value.shape[axis], starts[at], ends[at], by[at])?;
        if count > 0 {
            first += start * steps[axis] as usize;
        }
        shape[axis] = count;
        // Within the value, as the count says; a single one needs no step.
        steps[axis] = if count > 1 {
            steps[axis] * by[at] as isize
        } else {
            0
        };
    }
    call.room.of(&shape, value.data.size())?;
    // Steps of 0 are for single numbers here, which need none.
    let data = same_type!(&value.data, values => walked(values, &shape, &steps, first));
    one(Array::new(shape, data))
}

/// Where a part of a dimension starts, and how many it has.
fn part(side: usize, start: i64, end: i64, by: i64) -> Result<(usize, usize), String> {
    let side = side as i64;
    let place = |place: i64| {
        if place < 0 {
            place.saturating_add(side)
        } else {
            place
        }
    };
    let (start, end) = match by {
        0 => return Err("its step is 0".into()),
        1.. => (place(start).clamp(0, side), place(end).clamp(0, side)),
        _ => (
            place(start).clamp(-1, side - 1),
            place(end).clamp(-1, side - 1),
        ),
    };
    let distance = if by > 0 { end - start } else { start - end };
    let by = i64::try_from(by.unsigned_abs()).unwrap_or(i64::MAX);
    let count = if distance > 0 {
        (distance - 1) / by + 1
    } else {
        0
    };
    Ok((start.max(0) as usize, count as usize))
}

fn split(call: &mut Call<'_>) -> Results {
    let value = call.input(0)?;
    let axis = axis(call.int("axis", 0)?, value.shape.len())?;
    let side = value.shape[axis];
    let parts: Vec<usize> = match call.listed("split", 1)? {
        Some(parts) => parts
            .iter()
            .map(|part| size(*part))
            .collect::<Result<_, _>>()?,
        None => {
            let count = call.outputs.max(1);
            let one = side.div_ceil(count);
            (0..count)
                .map(|at| side.saturating_sub(at * one).min(one))
                .collect()
        }
    };
    let total = parts
        .iter()
        .fold(0, |sum: usize, part| sum.saturating_add(*part));
    if total != side || parts.len() < call.outputs {
        return Err(format!(
            "a dimension of {side} cannot be split into {parts:?}"
        ));
    }
    call.room.of(&value.shape, value.data.size())?;
    let steps = steps_of(&value.shape);
    let mut from = 0;
    let parts = parts.into_iter().map(|part| {
        let mut shape = value.shape.clone();
        shape[axis] = part;
        let start = from * steps[axis] as usize;
        from += part;
        let data = same_type!(&value.data, values => walked(values, &shape, &steps, start));
        Array::new(shape, data)
    });
    Ok(parts.collect())
}

/// `Trilu`: zeros below or above a diagonal of each matrix.
fn triangle(call: &mut Call<'_>) -> Results {
    let upper = call.flag("upper", true)?;
    let by = call.optional(1).map(Array::integers).transpose()?;
    let by = by.and_then(|by| by.first().copied()).unwrap_or(0);
    let mut value = call.own(0)?;
    let [.., rows, columns] = value.shape[..] else {
        return Err("it takes matrices".into());
    };
    fn clear<T: Default>(
        values: &mut [T],
        (rows, columns): (usize, usize),
        keep: impl Fn(i64) -> bool,
    ) {
        for (at, value) in values.iter_mut().enumerate() {
            let (row, column) = (at / columns % rows, at % columns);
            if !keep(column as i64 - row as i64) {
                *value = T::default();
            }
        }
    }
    let keep = |distance: i64| {
        if upper {
            distance >= by
        } else {
            distance <= by
        }
    };
    match &mut value.data {
        Data::Float(values) => clear(values, (rows, columns), keep),
        Data::Int(values) => clear(values, (rows, columns), keep),
        Data::Bool(values) => clear(values, (rows, columns), keep),
    }
    one(value)
}
