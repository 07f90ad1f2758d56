//! `Conv`, in any number of dimensions.

use super::axes::{product, size};
use super::{Call, Operator, Results, one, op};
use crate::onnx::gemm::{Matrix, multiply};
use crate::onnx::value::{Array, Data};

pub(super) const TABLE: &[Operator] = &[op(
    "Conv",
    2,
    &[
        "auto_pad",
        "dilations",
        "group",
        "kernel_shape",
        "pads",
        "strides",
    ],
    conv,
)];

/// How a kernel is moved over a dimension.
#[derive(Clone, Copy)]
pub(super) struct Along {
    pub side: usize,
    pub kernel: usize,
    pub stride: usize,
    pub dilation: usize,
    pub before: usize,
    /// The number of places.
    pub places: usize,
}

impl Along {
    /// The place in the input under a part of the kernel, if it is not in the padding.
    pub(super) fn under(&self, place: usize, part: usize) -> Option<usize> {
        (place * self.stride + part * self.dilation)
            .checked_sub(self.before)
            .filter(|at| *at < self.side)
    }
}

/// How a kernel is moved over all dimensions, by the node's attributes.
pub(super) fn along(
    call: &Call<'_>,
    sides: &[usize],
    kernel: &[usize],
) -> Result<Vec<Along>, String> {
    let count = sides.len();
    let listed = |name: &str, expected: usize, default: i64| -> Result<Vec<usize>, String> {
        let values = call
            .ints(name)?
            .map_or_else(|| vec![default; expected], <[i64]>::to_vec);
        if values.len() != expected || kernel.len() != count {
            return Err(format!("its `{name}` does not fit {count} dimensions"));
        }
        let values = values.iter().map(|value| size(*value));
        let values: Vec<usize> = values.collect::<Result<_, _>>()?;
        match values.iter().all(|value| *value < 1 << 31) {
            true => Ok(values),
            false => Err(format!("its `{name}` is too large")),
        }
    };
    let strides = listed("strides", count, 1)?;
    let dilations = listed("dilations", count, 1)?;
    let pads = listed("pads", 2 * count, 0)?;
    let auto = call.text("auto_pad")?.unwrap_or("NOTSET");
    let one = |at: usize| {
        let (stride, dilation) = (strides[at].max(1), dilations[at].max(1));
        let reach = kernel[at]
            .saturating_sub(1)
            .saturating_mul(dilation)
            .saturating_add(1);
        let (before, after) = match auto {
            "NOTSET" => (pads[at], pads[at + count]),
            "VALID" => (0, 0),
            "SAME_UPPER" | "SAME_LOWER" => {
                let places = sides[at].div_ceil(stride);
                let needed = (places.saturating_sub(1) * stride).saturating_add(reach);
                let both = needed.saturating_sub(sides[at]);
                let less = both / 2;
                if auto == "SAME_UPPER" {
                    (less, both - less)
                } else {
                    (both - less, less)
                }
            }
            _ => return Err("its `auto_pad` is unknown".to_owned()),
        };
        let padded = sides[at].saturating_add(before).saturating_add(after);
        let places = padded.checked_sub(reach).map(|rest| rest / stride + 1);
        Ok(Along {
            side: sides[at],
            kernel: kernel[at],
            stride,
            dilation,
            before,
            places: places
                .filter(|_| kernel[at] > 0)
                .ok_or("its kernel is larger than its input")?,
        })
    };
    (0..count).map(one).collect()
}

fn conv(call: &mut Call<'_>) -> Results {
    let (value, weights) = (call.input(0)?, call.input(1)?);
    let ([batch, channels, sides @ ..], [filters, depth, kernel @ ..]) =
        (&value.shape[..], &weights.shape[..])
    else {
        return Err("it takes values of three or more dimensions".into());
    };
    let groups = size(call.int("group", 1)?)?.max(1);
    if sides.is_empty()
        || kernel.len() != sides.len()
        || depth.checked_mul(groups) != Some(*channels)
        || !filters.is_multiple_of(groups)
    {
        return Err(format!(
            "weights of the shape {:?} do not fit {:?}",
            weights.shape, value.shape
        ));
    }
    let walk = along(call, sides, kernel)?;
    let places: Vec<usize> = walk.iter().map(|along| along.places).collect();
    let shape = [&[*batch, *filters], &places[..]].concat();
    let count = call.room.of(&shape, 4)?;
    let (many, taps) = (product(&places), product(kernel));
    // Each column has what the kernel covers at one place.
    let covered = call.room.of(&[*depth, taps, many], 4)?;
    let (x, w) = (value.floats()?, weights.floats()?);
    let bias = call.optional(2).map(Array::floats).transpose()?;
    if bias.is_some_and(|bias| bias.len() != *filters) {
        return Err("its bias does not fit its weights".into());
    }
    let mut to = vec![0.0; count];
    if count == 0 {
        return one(Array::new(shape, Data::Float(to)));
    }
    let (inner, each) = (product(sides), filters / groups);
    let mut columns = vec![0.0; covered];
    for row in 0..batch * groups {
        let (image, group) = (row / groups, row % groups);
        for channel in 0..*depth {
            let from = &x[((image * groups + group) * depth + channel) * inner..][..inner];
            for tap in 0..taps {
                let to = &mut columns[(channel * taps + tap) * many..][..many];
                cover(&walk, tap, from, to);
            }
        }
        let filters_of = &w[group * each * depth * taps..][..each * depth * taps];
        multiply(
            Matrix::new(filters_of, each, depth * taps),
            Matrix::new(&columns, depth * taps, many),
            &mut to[(image * groups + group) * each * many..][..each * many],
        );
    }
    if let Some(bias) = bias {
        for (at, row) in to.chunks_exact_mut(many).enumerate() {
            row.iter_mut().for_each(|x| *x += bias[at % filters]);
        }
    }
    one(Array::new(shape, Data::Float(to)))
}

/// What one part of the kernel has under it at all places.
fn cover(walk: &[Along], tap: usize, from: &[f32], to: &mut [f32]) {
    let mut parts = vec![0; walk.len()];
    let mut rest = tap;
    for (part, along) in parts.iter_mut().zip(walk).rev() {
        *part = rest % along.kernel;
        rest /= along.kernel;
    }
    for (at, to) in to.iter_mut().enumerate() {
        let (mut rest, mut place, mut step) = (at, 0, 1);
        let mut inside = true;
        for (along, part) in walk.iter().zip(&parts).rev() {
            match along.under(rest % along.places, *part) {
                Some(under) => place += under * step,
                None => inside = false,
            }
            step *= along.side;
            rest /= along.places;
        }
        *to = if inside { from[place] } else { 0.0 };
    }
}
