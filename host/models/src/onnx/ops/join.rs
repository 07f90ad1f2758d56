//! Operators that make a larger value: `Concat`, `Tile`, `Pad`.

use super::axes::{around, axes, axis, size};
use super::gather::like;
use super::{Call, Operator, Results, one, op};
use crate::onnx::value::{Array, Data, same_type};

pub(super) const TABLE: &[Operator] = &[
    op("Concat", 1, &["axis"], concat),
    op("Tile", 2, &[], tile),
    op("Pad", 1, &["pads", "value", "mode"], pad),
];

fn concat(call: &mut Call<'_>) -> Results {
    let first = call.input(0)?;
    let axis = axis(call.int("axis", 0)?, first.shape.len())?;
    let mut shape = first.shape.clone();
    shape[axis] = 0;
    let mut parts = Vec::new();
    for at in 0..call.inputs.len() {
        let part = call.input(at)?;
        let mut other = part.shape.clone();
        match other.get_mut(axis) {
            Some(side) if part.shape.len() == shape.len() => *side = shape[axis],
            _ => return Err(format!("{:?} and {:?} differ", first.shape, part.shape)),
        }
        if other != shape {
            return Err(format!("{:?} and {:?} differ", first.shape, part.shape));
        }
        shape[axis] = shape[axis].saturating_add(part.shape[axis]);
        parts.push(part);
    }
    let count = call.room.of(&shape, first.data.size())?;
    let (before, _, _) = around(&shape, axis);
    let data = same_type!(&first.data, values => {
        let parts: Result<Vec<_>, String> = parts.iter().map(|part| like(values, &part.data)).collect();
        let parts = parts?;
        let mut all = Vec::with_capacity(count);
        for row in 0..before {
            for part in &parts {
                let length = part.len() / before;
                all.extend_from_slice(&part[row * length..][..length]);
            }
        }
        all
    });
    one(Array::new(shape, data))
}

fn tile(call: &mut Call<'_>) -> Results {
    let value = call.input(0)?;
    let repeats = call.input(1)?.integers()?.iter().map(|times| size(*times));
    let repeats: Vec<usize> = repeats.collect::<Result<_, _>>()?;
    if repeats.len() != value.shape.len() {
        return Err("it has more or fewer repeats than dimensions".into());
    }
    let sides = value.shape.iter().zip(&repeats);
    let shape: Vec<usize> = sides
        .map(|(side, times)| side.saturating_mul(*times))
        .collect();
    // On the way no value is larger than the result, unless that is empty.
    if call.room.of(&shape, 3 * value.data.size())? == 0 {
        let data = same_type!(&value.data, values => values[..0].to_vec());
        return one(Array::new(shape, data));
    }
    let data = same_type!(&value.data, values => {
        let mut tiled = values.clone();
        let mut length = 1;
        for (side, times) in value.shape.iter().zip(&repeats).rev() {
            length *= side;
            if *times != 1 {
                let rows = tiled.chunks_exact(length);
                tiled = rows.flat_map(|row| std::iter::repeat_n(row, *times)).flatten().copied().collect();
            }
            length *= times;
        }
        tiled
    });
    one(Array::new(shape, data))
}

fn pad(call: &mut Call<'_>) -> Results {
    if !matches!(call.text("mode")?, None | Some("constant")) {
        return Err("only the mode `constant` is supported".into());
    }
    let value = call.input(0)?;
    let pads = call.listed("pads", 1)?.ok_or("its pads are missing")?;
    let named = call.optional(3).map(Array::integers).transpose()?;
    let all: Vec<i64> = (0..value.shape.len() as i64).collect();
    let named = named.unwrap_or(&all);
    axes(named, value.shape.len())?;
    if pads.len() != 2 * named.len() {
        return Err("it has more or fewer pads than axes".into());
    }
    let mut ends = vec![(0, 0); value.shape.len()];
    for (at, name) in named.iter().enumerate() {
        let end = (size(pads[at])?, size(pads[at + named.len()])?);
        ends[axis(*name, value.shape.len())?] = end;
    }
    let sides = value.shape.iter().zip(&ends);
    let shape: Vec<usize> = sides
        .map(|(side, (before, after))| side.saturating_add(*before).saturating_add(*after))
        .collect();
    let count = call.room.of(&shape, value.data.size())?;
    let own = crate::onnx::value::strides(&shape);
    let start: usize = ends
        .iter()
        .zip(&own)
        .map(|((before, _), step)| before * step)
        .sum();
    // An attribute in old versions.
    let old = Data::Float(vec![call.float("value", 0.0)?]);
    let data = same_type!(&value.data, values => {
        let fill = match call.optional(2) {
            Some(fill) => like(values, &fill.data)?.first().copied(),
            None => like(values, &old).ok().and_then(|fill| fill.first().copied()),
        };
        let fill = fill.unwrap_or_default();
        let mut padded = vec![fill; count];
        // Row by row of the last dimension.
        let row = value.shape.last().copied().unwrap_or(1);
        for (at, part) in values.chunks_exact(row.max(1)).enumerate() {
            let mut rest = at;
            let mut to = start;
            for place in (0..value.shape.len().saturating_sub(1)).rev() {
                to += rest % value.shape[place] * own[place];
                rest /= value.shape[place];
            }
            padded[to..to + part.len()].copy_from_slice(part);
        }
        padded
    });
    one(Array::new(shape, data))
}
