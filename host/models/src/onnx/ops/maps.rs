//! Operators that change each number by itself.

use super::{Call, Operator, Results, one, op};
use crate::onnx::math::{erf, exp, sigmoid, tanh};
use crate::onnx::value::{Array, Data};

pub(super) const TABLE: &[Operator] = &[
    op("Abs", 1, &[], |call| {
        signed(call, f32::abs, i64::wrapping_abs)
    }),
    op("Neg", 1, &[], |call| {
        signed(call, |x| -x, i64::wrapping_neg)
    }),
    op("Sign", 1, &[], |call| signed(call, sign, i64::signum)),
    op("Exp", 1, &[], |call| map(call, exp)),
    op("Log", 1, &[], |call| map(call, f32::ln)),
    op("Sqrt", 1, &[], |call| map(call, f32::sqrt)),
    op("Reciprocal", 1, &[], |call| map(call, f32::recip)),
    op("Erf", 1, &[], |call| map(call, erf)),
    op("Tanh", 1, &[], |call| map(call, tanh)),
    op("Sigmoid", 1, &[], |call| map(call, sigmoid)),
    op("Sin", 1, &[], |call| map(call, f32::sin)),
    op("Cos", 1, &[], |call| map(call, f32::cos)),
    op("Floor", 1, &[], |call| map(call, f32::floor)),
    op("Ceil", 1, &[], |call| map(call, f32::ceil)),
    op("Round", 1, &[], |call| map(call, f32::round_ties_even)),
    op("Relu", 1, &[], |call| signed(call, relu, |x| x.max(0))),
    op("LeakyRelu", 1, &["alpha"], |call| {
        let alpha = call.float("alpha", 0.01)?;
        map(call, |x| if x < 0.0 { alpha * x } else { x })
    }),
    op("Elu", 1, &["alpha"], |call| {
        let alpha = call.float("alpha", 1.0)?;
        map(call, |x| if x < 0.0 { alpha * (exp(x) - 1.0) } else { x })
    }),
    op("Softplus", 1, &[], |call| {
        map(call, |x| x.max(0.0) + exp(-x.abs()).ln_1p())
    }),
    op("Softsign", 1, &[], |call| {
        map(call, |x| x / (1.0 + x.abs()))
    }),
    op("HardSigmoid", 1, &["alpha", "beta"], |call| {
        let (alpha, beta) = (call.float("alpha", 0.2)?, call.float("beta", 0.5)?);
        map(call, |x| (alpha * x + beta).clamp(0.0, 1.0))
    }),
    op("HardSwish", 1, &[], |call| {
        map(call, |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0))
    }),
    op("Gelu", 1, &["approximate"], gelu),
    op("Clip", 1, &["min", "max"], clip),
    op("Not", 1, &[], |call| {
        let input = call.input(0)?;
        let values = input.booleans()?.iter().map(|value| !value).collect();
        one(Array::new(input.shape.clone(), Data::Bool(values)))
    }),
    op("IsNaN", 1, &[], |call| {
        let input = call.input(0)?;
        call.room.of(&input.shape, 1)?;
        let values = input.floats()?.iter().map(|value| value.is_nan()).collect();
        one(Array::new(input.shape.clone(), Data::Bool(values)))
    }),
    op("Identity", 1, &[], |call| one(call.own(0)?)),
    op("Dropout", 1, &["ratio", "seed"], |call| {
        let training = call.optional(2).map(Array::booleans).transpose()?;
        if training.is_some_and(|flags| flags.contains(&true)) || call.outputs > 1 {
            return Err("it is set up for training: export the network for inference".into());
        }
        one(call.own(0)?)
    }),
];

/// Changes floats in place.
fn map(call: &mut Call<'_>, f: impl Fn(f32) -> f32) -> Results {
    let mut value = call.own(0)?;
    match &mut value.data {
        Data::Float(values) => values.iter_mut().for_each(|value| *value = f(*value)),
        other => return Err(format!("it takes floats, not {}", other.name())),
    }
    one(value)
}

/// Changes floats or integers in place.
fn signed(call: &mut Call<'_>, f: impl Fn(f32) -> f32, i: impl Fn(i64) -> i64) -> Results {
    if let Data::Float(_) = call.input(0)?.data {
        return map(call, f);
    }
    let mut value = call.own(0)?;
    match &mut value.data {
        Data::Int(values) => values.iter_mut().for_each(|value| *value = i(*value)),
        other => return Err(format!("it takes numbers, not {}", other.name())),
    }
    one(value)
}

fn sign(x: f32) -> f32 {
    match x {
        x if x > 0.0 => 1.0,
        x if x < 0.0 => -1.0,
        x => x,
    }
}

/// Not `max`, which has no NaN for NaN.
fn relu(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}

fn gelu(call: &mut Call<'_>) -> Results {
    match call.text("approximate")? {
        None | Some("none") => map(call, |x| {
            0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
        }),
        Some("tanh") => map(call, |x| {
            0.5 * x * (1.0 + tanh(0.797_884_6 * (x + 0.044_715 * x * x * x)))
        }),
        Some(_) => Err("its attribute `approximate` must be none or tanh".into()),
    }
}

/// The bounds are attributes in old versions.
fn clip(call: &mut Call<'_>) -> Results {
    if let Data::Int(_) = call.input(0)?.data {
        let bound = |at: usize, default: i64| -> Result<i64, String> {
            let bound = call.optional(at).map(Array::integers).transpose()?;
            Ok(bound
                .and_then(|bound| bound.first().copied())
                .unwrap_or(default))
        };
        let (min, max) = (bound(1, i64::MIN)?, bound(2, i64::MAX)?);
        return signed(call, |x| x, |x| x.max(min).min(max));
    }
    let bound = |at: usize, name: &str, default: f32| -> Result<f32, String> {
        let bound = call.optional(at).map(Array::floats).transpose()?;
        match bound.and_then(|bound| bound.first().copied()) {
            Some(bound) => Ok(bound),
            None => call.float(name, default),
        }
    };
    let min = bound(1, "min", f32::NEG_INFINITY)?;
    let max = bound(2, "max", f32::INFINITY)?;
    map(call, |x| {
        let x = if x < min { min } else { x };
        if x > max { max } else { x }
    })
}
