//! Pooling: one number for what a window covers.

use super::axes::{product, size};
use super::convolve::along;
use super::{Call, Operator, Results, one, op};
use crate::onnx::math::sum;
use crate::onnx::value::{Array, Data};

pub(super) const TABLE: &[Operator] = &[
    op("GlobalMaxPool", 1, &[], |call| global(call, most)),
    op("GlobalAveragePool", 1, &[], |call| {
        global(call, |row| sum(row) / row.len() as f32)
    }),
    op("MaxPool", 1, WINDOW, |call| {
        pool(call, |window, _| most(window))
    }),
    op("AveragePool", 1, WINDOW, |call| {
        let padding = call.flag("count_include_pad", false)?;
        pool(call, |window, size| {
            sum(window) / if padding { size } else { window.len() } as f32
        })
    }),
];

const WINDOW: &[&str] = &[
    "auto_pad",
    "ceil_mode",
    "count_include_pad",
    "dilations",
    "kernel_shape",
    "pads",
    "storage_order",
    "strides",
];

fn most(row: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if a > b || a.is_nan() { a } else { b };
    row.iter().copied().fold(f32::NEG_INFINITY, larger)
}

fn global(call: &mut Call<'_>, f: impl Fn(&[f32]) -> f32) -> Results {
    let value = call.input(0)?;
    let [batch, channels, ref sides @ ..] = value.shape[..] else {
        return Err("it takes values of three or more dimensions".into());
    };
    let inner = product(sides);
    if inner == 0 {
        return Err("it reduces a dimension of no numbers".into());
    }
    let values = value.floats()?.chunks_exact(inner).map(f).collect();
    let shape = [&[batch, channels][..], &vec![1; sides.len()]].concat();
    one(Array::new(shape, Data::Float(values)))
}

fn pool(call: &mut Call<'_>, f: impl Fn(&[f32], usize) -> f32) -> Results {
    if call.flag("ceil_mode", false)? || call.flag("storage_order", false)? || call.outputs > 1 {
        return Err("`ceil_mode`, `storage_order` and a second output are not supported".into());
    }
    let value = call.input(0)?;
    let [batch, channels, ref sides @ ..] = value.shape[..] else {
        return Err("it takes values of three or more dimensions".into());
    };
    let kernel = call
        .ints("kernel_shape")?
        .ok_or("its `kernel_shape` is missing")?;
    let kernel: Vec<usize> = kernel
        .iter()
        .map(|side| size(*side))
        .collect::<Result<_, _>>()?;
    let walk = along(call, sides, &kernel)?;
    let places: Vec<usize> = walk.iter().map(|along| along.places).collect();
    let shape = [&[batch, channels], &places[..]].concat();
    let count = call.room.of(&shape, 4)?;
    let taps = call.room.of(&kernel, 4)?;
    if count.saturating_mul(taps) > 1 << 32 {
        return Err("its window is too large".into());
    }
    let (inner, many) = (product(sides), product(&places));
    let values = value.floats()?;
    let mut window = Vec::new();
    let mut results = Vec::with_capacity(count);
    for at in 0..count {
        let from = &values[at / many * inner..][..inner];
        window.clear();
        for tap in 0..taps {
            let (mut rest, mut tap, mut place, mut step) = (at % many, tap, 0, 1);
            let mut inside = true;
            for along in walk.iter().rev() {
                match along.under(rest % along.places, tap % along.kernel) {
                    Some(under) => place += under * step,
                    None => inside = false,
                }
                step *= along.side;
                rest /= along.places;
                tap /= along.kernel;
            }
            if inside {
                window.push(from[place]);
            }
        }
        results.push(f(&window, taps));
    }
    one(Array::new(shape, Data::Float(results)))
}
