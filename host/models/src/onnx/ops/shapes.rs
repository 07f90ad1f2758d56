//! Shapes as values, and values with other shapes.

use super::axes::{axes, axis, product, size};
use super::broadcast::{repeating, shape_of, walked};
use super::{Call, Operator, Results, one, op};
use crate::onnx::read::Attribute;
use crate::onnx::value::{Array, Data, count, same_type};

pub(super) const TABLE: &[Operator] = &[
    op("Shape", 1, &["start", "end"], shape),
    op("Size", 1, &[], |call| {
        let count = call.input(0)?.data.len() as i64;
        one(Array::new(Vec::new(), Data::Int(vec![count])))
    }),
    op("Reshape", 1, &["shape", "allowzero"], reshape),
    op("Flatten", 1, &["axis"], flatten),
    op("Squeeze", 1, &["axes"], squeeze),
    op("Unsqueeze", 1, &["axes"], unsqueeze),
    op("Expand", 2, &[], expand),
    op("ConstantOfShape", 1, &["value"], constant),
    op("Range", 3, &[], range),
];

fn shape(call: &mut Call<'_>) -> Results {
    let sides = &call.input(0)?.shape;
    let count = sides.len() as i64;
    let place = |place: i64| (if place < 0 { place + count } else { place }).clamp(0, count);
    let (start, end) = (place(call.int("start", 0)?), place(call.int("end", count)?));
    let sides = sides.get(start as usize..end as usize).unwrap_or_default();
    one(Array::ints(sides.iter().map(|side| *side as i64).collect()))
}

fn with_shape(mut value: Array, shape: Vec<usize>) -> Results {
    if count(&shape)? != value.data.len() {
        return Err(format!("{:?} cannot become {shape:?}", value.shape));
    }
    value.shape = shape;
    one(value)
}

fn reshape(call: &mut Call<'_>) -> Results {
    let wanted = call.listed("shape", 1)?.ok_or("its new shape is missing")?;
    let zeros = call.flag("allowzero", false)?;
    let value = call.own(0)?;
    let mut shape = Vec::new();
    let mut open = None;
    for (at, side) in wanted.iter().enumerate() {
        shape.push(match side {
            -1 if open.is_none() => {
                open = Some(at);
                1
            }
            0 if !zeros => *value
                .shape
                .get(at)
                .ok_or("it keeps a dimension that is not there")?,
            side => size(*side)?,
        });
    }
    if let Some(at) = open {
        let others = product(&shape);
        if others == 0 || !value.data.len().is_multiple_of(others) {
            return Err(format!("{:?} cannot become {wanted:?}", value.shape));
        }
        shape[at] = value.data.len() / others;
    }
    with_shape(value, shape)
}

fn flatten(call: &mut Call<'_>) -> Results {
    let at = call.int("axis", 1)?;
    let value = call.own(0)?;
    let at = match at == value.shape.len() as i64 {
        true => value.shape.len(),
        false => axis(at, value.shape.len())?,
    };
    let shape = vec![product(&value.shape[..at]), product(&value.shape[at..])];
    with_shape(value, shape)
}

fn squeeze(call: &mut Call<'_>) -> Results {
    let wanted = call.listed("axes", 1)?;
    let value = call.own(0)?;
    let gone = match wanted {
        Some(wanted) => axes(&wanted, value.shape.len())?,
        None => value.shape.iter().map(|side| *side == 1).collect(),
    };
    let kept = value.shape.iter().zip(gone).filter(|(_, gone)| !gone);
    let shape = kept.map(|(side, _)| *side).collect();
    with_shape(value, shape)
}

fn unsqueeze(call: &mut Call<'_>) -> Results {
    let wanted = call.listed("axes", 1)?.ok_or("its axes are missing")?;
    let value = call.own(0)?;
    let added = axes(&wanted, value.shape.len() + wanted.len())?;
    let mut sides = value.shape.iter();
    let shape = added
        .iter()
        .map(|added| {
            if *added {
                1
            } else {
                sides.next().copied().unwrap_or(1)
            }
        })
        .collect();
    with_shape(value, shape)
}

fn expand(call: &mut Call<'_>) -> Results {
    let wanted = call.input(1)?.integers()?.iter().map(|side| size(*side));
    let wanted: Vec<usize> = wanted.collect::<Result<_, _>>()?;
    let value = call.input(0)?;
    let shape = shape_of(&[&value.shape, &wanted])?;
    call.room.of(&shape, value.data.size())?;
    let steps = repeating(&value.shape, &shape);
    let steps: Vec<isize> = steps.into_iter().map(|step| step as isize).collect();
    let data = same_type!(&value.data, values => walked(values, &shape, &steps, 0));
    one(Array::new(shape, data))
}

fn constant(call: &mut Call<'_>) -> Results {
    let shape = call.input(0)?.integers()?.iter().map(|side| size(*side));
    let shape: Vec<usize> = shape.collect::<Result<_, _>>()?;
    let count = call.room.of(&shape, 8)?;
    let data = match call.attributes.get("value") {
        None => Data::Float(vec![0.0; count]),
        Some(Attribute::Tensor(value)) => same_type!(&value.data, values => {
            vec![*values.first().ok_or("its value is empty")?; count]
        }),
        Some(_) => return Err("its value is no tensor".into()),
    };
    one(Array::new(shape, data))
}

fn range(call: &mut Call<'_>) -> Results {
    let first = |at: usize| -> Result<Data, String> {
        let value = call.input(at)?;
        match value.data.len() {
            1 => Ok(value.data.clone()),
            _ => Err("it takes single numbers".into()),
        }
    };
    let count = |count: f64| -> Result<usize, String> {
        if !count.is_finite() {
            return Err("it has no end".into());
        }
        call.room.of(&[count.max(0.0) as usize], 8)
    };
    let data = match (first(0)?, first(1)?, first(2)?) {
        (Data::Int(start), Data::Int(limit), Data::Int(step)) => {
            let (start, limit, step) = (start[0], limit[0], step[0]);
            let count = count(((limit as f64 - start as f64) / step as f64).ceil())?;
            let value = |i| start.wrapping_add(step.wrapping_mul(i as i64));
            Data::Int((0..count).map(value).collect())
        }
        (Data::Float(start), Data::Float(limit), Data::Float(step)) => {
            let (start, limit, step) = (start[0], limit[0], step[0]);
            let count = count(f64::from((limit - start) / step).ceil())?;
            Data::Float((0..count).map(|i| start + i as f32 * step).collect())
        }
        _ => return Err("it takes three numbers of one type".into()),
    };
    one(Array::new(vec![data.len()], data))
}
