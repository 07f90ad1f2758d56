//! Operators that make one number of many.

use super::axes::{around, axes, axis};
use super::{Call, Operator, Results, one, op};
use crate::onnx::math;
use crate::onnx::value::{Array, Data, same_type, strides};

pub(super) const TABLE: &[Operator] = &[
    op("ReduceSum", 1, KNOWN, |call| {
        reduce(call, math::sum, checked_sum)
    }),
    op("ReduceMean", 1, KNOWN, |call| {
        reduce(call, |row| math::sum(row) / row.len() as f32, |_| None)
    }),
    op("ReduceMax", 1, KNOWN, |call| {
        let larger = |a: f32, b: f32| if a > b || a.is_nan() { a } else { b };
        let most = |row: &[f32]| row.iter().copied().fold(f32::NEG_INFINITY, larger);
        reduce(call, most, |row| row.iter().copied().max())
    }),
    op("ReduceMin", 1, KNOWN, |call| {
        let smaller = |a: f32, b: f32| if a < b || a.is_nan() { a } else { b };
        let least = |row: &[f32]| row.iter().copied().fold(f32::INFINITY, smaller);
        reduce(call, least, |row| row.iter().copied().min())
    }),
    op("ReduceProd", 1, KNOWN, |call| {
        let product = |row: &[i64]| row.iter().try_fold(1i64, |all, x| all.checked_mul(*x));
        reduce(call, |row| row.iter().product(), product)
    }),
    op("ReduceL1", 1, KNOWN, |call| {
        reduce(call, |row| row.iter().map(|x| x.abs()).sum(), |_| None)
    }),
    op("ReduceL2", 1, KNOWN, |call| {
        reduce(call, |row| squares(row).sqrt(), |_| None)
    }),
    op("ReduceSumSquare", 1, KNOWN, |call| {
        reduce(call, squares, |_| None)
    }),
    op("ArgMax", 1, ARG, |call| {
        position(call, |a, b| a > b, |a, b| a > b)
    }),
    op("ArgMin", 1, ARG, |call| {
        position(call, |a, b| a < b, |a, b| a < b)
    }),
    op("CumSum", 2, &["exclusive", "reverse"], cumulate),
];

const KNOWN: &[&str] = &["axes", "keepdims", "noop_with_empty_axes"];
const ARG: &[&str] = &["axis", "keepdims", "select_last_index"];

fn squares(row: &[f32]) -> f32 {
    row.iter().map(|x| x * x).sum()
}

fn checked_sum(row: &[i64]) -> Option<i64> {
    row.iter().try_fold(0i64, |sum, x| sum.checked_add(*x))
}

/// The shape without some axes, or with them as 1.
fn left(shape: &[usize], gone: &[bool], keep: bool) -> Vec<usize> {
    let sides = shape.iter().zip(gone);
    sides
        .filter(|(_, gone)| keep || !**gone)
        .map(|(side, gone)| if *gone { 1 } else { *side })
        .collect()
}

fn reduce(
    call: &mut Call<'_>,
    floats: impl Fn(&[f32]) -> f32,
    ints: impl Fn(&[i64]) -> Option<i64>,
) -> Results {
    let wanted = call.listed("axes", 1)?.filter(|axes| !axes.is_empty());
    let keep = call.flag("keepdims", true)?;
    if wanted.is_none() && call.flag("noop_with_empty_axes", false)? {
        return one(call.own(0)?);
    }
    let value = call.input(0)?;
    let gone = match wanted {
        Some(wanted) => axes(&wanted, value.shape.len())?,
        None => vec![true; value.shape.len()],
    };
    let shape = left(&value.shape, &gone, keep);
    let count = call.room.of(&shape, 8)?;
    // Numbers that become one are put side by side, unless they are.
    let first_gone = gone.iter().position(|gone| *gone).unwrap_or(gone.len());
    let moved;
    let value = if gone[first_gone..].contains(&false) {
        call.room.of(&value.shape, value.data.size())?;
        let (kept, gone): (Vec<usize>, Vec<usize>) =
            (0..value.shape.len()).partition(|at| !gone[*at]);
        let order = [kept, gone].concat();
        let own = strides(&value.shape);
        let shape: Vec<usize> = order.iter().map(|at| value.shape[*at]).collect();
        let steps: Vec<isize> = order.iter().map(|at| own[*at] as isize).collect();
        let data = same_type!(&value.data, values => {
            super::broadcast::walked(values, &shape, &steps, 0)
        });
        moved = Array::new(shape, data);
        &moved
    } else {
        value
    };
    let row = value.data.len().checked_div(count).unwrap_or(0);
    if row == 0 && count > 0 {
        return Err("it reduces a dimension of no numbers".into());
    }
    let row = row.max(1);
    let data = match &value.data {
        Data::Float(values) => Data::Float(values.chunks_exact(row).map(floats).collect()),
        Data::Int(values) => {
            let values: Option<Vec<i64>> = values.chunks_exact(row).map(ints).collect();
            Data::Int(
                values.ok_or("its result is no integer of 64 bits, or not defined for integers")?,
            )
        }
        Data::Bool(_) => return Err("it takes numbers".into()),
    };
    one(Array::new(shape, data))
}

fn position(
    call: &mut Call<'_>,
    floats: impl Fn(f32, f32) -> bool,
    ints: impl Fn(i64, i64) -> bool,
) -> Results {
    let value = call.input(0)?;
    let at = axis(call.int("axis", 0)?, value.shape.len())?;
    if call.flag("select_last_index", false)? {
        return Err("its attribute `select_last_index` is not supported".into());
    }
    let gone = axes(&[at as i64], value.shape.len())?;
    let shape = left(&value.shape, &gone, call.flag("keepdims", true)?);
    let (before, side, after) = around(&value.shape, at);
    call.room.of(&shape, 8)?;
    if side == 0 {
        return Err("it looks for a number among none".into());
    }
    let best = |better: &dyn Fn(usize, usize) -> bool| -> Vec<i64> {
        let places = (0..before).flat_map(|row| (0..after).map(move |column| (row, column)));
        places
            .map(|(row, column)| {
                let at = |i: usize| (row * side + i) * after + column;
                let best =
                    (1..side).fold(0, |best, i| if better(at(i), at(best)) { i } else { best });
                best as i64
            })
            .collect()
    };
    let places = match &value.data {
        Data::Float(values) => best(&|a, b| floats(values[a], values[b])),
        Data::Int(values) => best(&|a, b| ints(values[a], values[b])),
        Data::Bool(_) => return Err("it takes numbers".into()),
    };
    one(Array::new(shape, Data::Int(places)))
}

fn cumulate(call: &mut Call<'_>) -> Results {
    let (exclusive, reverse) = (call.flag("exclusive", false)?, call.flag("reverse", false)?);
    let at = call.input(1)?.integers()?.first().copied();
    let mut value = call.own(0)?;
    let at = axis(at.ok_or("its axis is missing")?, value.shape.len())?;
    let (before, side, after) = around(&value.shape, at);
    let walk = |add: &mut dyn FnMut(usize, bool)| {
        for row in 0..before {
            for column in 0..after {
                for i in 0..side {
                    let i = if reverse { side - 1 - i } else { i };
                    add(
                        (row * side + i) * after + column,
                        i == if reverse { side - 1 } else { 0 },
                    );
                }
            }
        }
    };
    let mut overflow = false;
    match &mut value.data {
        Data::Float(values) => {
            let mut sum = 0.0;
            walk(&mut |at, first| {
                let before = if first { 0.0 } else { sum };
                sum = before + values[at];
                values[at] = if exclusive { before } else { sum };
            });
        }
        Data::Int(values) => {
            let mut sum = Some(0i64);
            walk(&mut |at, first| {
                let before = if first { Some(0) } else { sum };
                sum = before.and_then(|before| before.checked_add(values[at]));
                overflow |= sum.is_none();
                values[at] = (if exclusive { before } else { sum }).unwrap_or_default();
            });
        }
        Data::Bool(_) => return Err("it takes numbers".into()),
    }
    if overflow {
        return Err("its result is no integer of 64 bits".into());
    }
    one(value)
}
