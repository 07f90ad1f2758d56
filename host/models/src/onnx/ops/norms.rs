//! Softmax and normalisations.

use super::axes::{around, axis, product};
use super::{Call, Operator, Results, one, op};
use crate::onnx::math::{exp, sum};
use crate::onnx::value::{Array, Data};

pub(super) const TABLE: &[Operator] = &[
    op("Softmax", 1, &["axis"], |call| softmax(call, false)),
    op("LogSoftmax", 1, &["axis"], |call| softmax(call, true)),
    op(
        "LayerNormalization",
        2,
        &["axis", "epsilon", "stash_type"],
        layer,
    ),
    op(
        "BatchNormalization",
        5,
        &["epsilon", "momentum", "spatial", "training_mode"],
        batch,
    ),
];

fn softmax(call: &mut Call<'_>, logarithm: bool) -> Results {
    // Before opset 13 all dimensions from the axis on are one.
    let old = call.opset < 13;
    let at = call.int("axis", if old { 1 } else { -1 })?;
    let mut value = call.own(0)?;
    let at = axis(at, value.shape.len())?;
    let (before, side, after) = match old {
        true => (product(&value.shape[..at]), product(&value.shape[at..]), 1),
        false => around(&value.shape, at),
    };
    let Data::Float(values) = &mut value.data else {
        return Err("it takes floats".into());
    };
    if side == 0 {
        return one(value);
    }
    if after == 1 {
        values
            .chunks_exact_mut(side)
            .for_each(|row| softmax_row(row, logarithm));
        return one(value);
    }
    let mut row = vec![0.0; side];
    for outer in 0..before {
        for inner in 0..after {
            let at = |i: usize| (outer * side + i) * after + inner;
            row.iter_mut()
                .enumerate()
                .for_each(|(i, to)| *to = values[at(i)]);
            softmax_row(&mut row, logarithm);
            row.iter()
                .enumerate()
                .for_each(|(i, from)| values[at(i)] = *from);
        }
    }
    one(value)
}

fn softmax_row(row: &mut [f32], logarithm: bool) {
    let most = row
        .iter()
        .copied()
        .fold(f32::NEG_INFINITY, |a, b| if b > a { b } else { a });
    if logarithm {
        let powers: Vec<f32> = row.iter().map(|x| exp(x - most)).collect();
        let log = most + sum(&powers).ln();
        row.iter_mut().for_each(|x| *x -= log);
    } else {
        row.iter_mut().for_each(|x| *x = exp(*x - most));
        let scale = 1.0 / sum(row);
        row.iter_mut().for_each(|x| *x *= scale);
    }
}

fn layer(call: &mut Call<'_>) -> Results {
    if call.outputs > 1 {
        return Err("only its first output is supported".into());
    }
    let epsilon = call.float("epsilon", 1e-5)?;
    let at = call.int("axis", -1)?;
    let mut value = call.own(0)?;
    let at = axis(at, value.shape.len())?;
    let row = product(&value.shape[at..]);
    let fits = |array: &Array| array.data.len() == row;
    let scale = call.input(1)?;
    let bias = call.optional(2);
    if !fits(scale) || bias.is_some_and(|bias| !fits(bias)) {
        return Err("its scale or bias does not fit the normalised dimensions".into());
    }
    let (scale, bias) = (scale.floats()?, bias.map(Array::floats).transpose()?);
    let Data::Float(values) = &mut value.data else {
        return Err("it takes floats".into());
    };
    let mut squares = vec![0.0; row];
    for row in values.chunks_exact_mut(row.max(1)) {
        let count = row.len() as f32;
        let mean = sum(row) / count;
        for (square, x) in squares.iter_mut().zip(&mut *row) {
            *x -= mean;
            *square = *x * *x;
        }
        let factor = 1.0 / (sum(&squares) / count + epsilon).sqrt();
        row.iter_mut()
            .zip(scale)
            .for_each(|(x, scale)| *x = *x * factor * scale);
        if let Some(bias) = bias {
            row.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias);
        }
    }
    one(value)
}

fn batch(call: &mut Call<'_>) -> Results {
    if call.flag("training_mode", false)? || call.outputs > 1 {
        return Err("it is set up for training: export the network for inference".into());
    }
    let epsilon = call.float("epsilon", 1e-5)?;
    let mut value = call.own(0)?;
    let [_, channels, ref rest @ ..] = value.shape[..] else {
        return Err("it takes values of two or more dimensions".into());
    };
    let inner = product(rest);
    let mut parts = Vec::new();
    for at in 1..5 {
        let part = call.input(at)?.floats()?;
        if part.len() != channels {
            return Err(format!("its input {at} does not have {channels} numbers"));
        }
        parts.push(part);
    }
    let Data::Float(values) = &mut value.data else {
        return Err("it takes floats".into());
    };
    for (at, row) in values.chunks_exact_mut(inner.max(1)).enumerate() {
        let channel = at % channels;
        let factor = parts[0][channel] / (parts[3][channel] + epsilon).sqrt();
        let shift = parts[1][channel] - parts[2][channel] * factor;
        row.iter_mut().for_each(|x| *x = *x * factor + shift);
    }
    one(value)
}
