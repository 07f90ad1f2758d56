//! Operators that put the numbers of two values together, one by one.

use super::broadcast::{both, repeating, shape_of};
use super::{Call, Operator, Results, one, op};
use crate::onnx::room::Room;
use crate::onnx::value::{Array, Data, same_type};
use std::cmp::Ordering;

pub(super) const TABLE: &[Operator] = &[
    op("Add", 2, &[], |call| {
        arithmetic(call, |a, b| a + b, i64::checked_add)
    }),
    op("Sub", 2, &[], |call| {
        arithmetic(call, |a, b| a - b, i64::checked_sub)
    }),
    op("Mul", 2, &[], |call| {
        arithmetic(call, |a, b| a * b, i64::checked_mul)
    }),
    op("Div", 2, &[], |call| {
        arithmetic(call, |a, b| a / b, i64::checked_div)
    }),
    op("Mod", 2, &["fmod"], modulo),
    op("Pow", 2, &[], power),
    op("PRelu", 2, &[], |call| {
        arithmetic(
            call,
            |x, slope| if x < 0.0 { slope * x } else { x },
            |_, _| None,
        )
    }),
    op("Min", 1, &[], |call| {
        folded(call, least, |a, b| Some(a.min(b)))
    }),
    op("Max", 1, &[], |call| {
        folded(call, |a, b| -least(-a, -b), |a, b| Some(a.max(b)))
    }),
    op("Sum", 1, &[], |call| {
        folded(call, |a, b| a + b, i64::checked_add)
    }),
    op("Equal", 2, &[], |call| {
        compare(call, |order| order == Some(Ordering::Equal))
    }),
    op("Less", 2, &[], |call| {
        compare(call, |order| order == Some(Ordering::Less))
    }),
    op("LessOrEqual", 2, &[], |call| {
        compare(call, |order| {
            matches!(order, Some(Ordering::Less | Ordering::Equal))
        })
    }),
    op("Greater", 2, &[], |call| {
        compare(call, |order| order == Some(Ordering::Greater))
    }),
    op("GreaterOrEqual", 2, &[], |call| {
        compare(call, |order| {
            matches!(order, Some(Ordering::Greater | Ordering::Equal))
        })
    }),
    op("And", 2, &[], |call| logic(call, |a, b| a & b)),
    op("Or", 2, &[], |call| logic(call, |a, b| a | b)),
    op("Xor", 2, &[], |call| logic(call, |a, b| a ^ b)),
    op("Where", 3, &[], choose),
];

/// The lesser one; NaN if one is.
fn least(a: f32, b: f32) -> f32 {
    if a < b || a.is_nan() { a } else { b }
}

fn put_together(
    a: &Array,
    b: &Array,
    room: Room,
    f: impl Fn(f32, f32) -> f32,
    i: impl Fn(i64, i64) -> Option<i64>,
) -> Result<Array, String> {
    match (&a.data, &b.data) {
        (Data::Float(x), Data::Float(y)) => {
            let (shape, values) = both((x, &a.shape), (y, &b.shape), room, f)?;
            Ok(Array::new(shape, Data::Float(values)))
        }
        (Data::Int(x), Data::Int(y)) => {
            let (shape, values) = both((x, &a.shape), (y, &b.shape), room, i)?;
            let values: Option<Vec<i64>> = values.into_iter().collect();
            let values = values.ok_or("its result is no integer of 64 bits")?;
            Ok(Array::new(shape, Data::Int(values)))
        }
        (x, y) => Err(format!(
            "it takes two values of numbers, not {} and {}",
            x.name(),
            y.name()
        )),
    }
}

fn arithmetic(
    call: &mut Call<'_>,
    f: impl Fn(f32, f32) -> f32 + Copy,
    i: impl Fn(i64, i64) -> Option<i64>,
) -> Results {
    let [a, b] = [call.input(0)?, call.input(1)?];
    // A bias, a scale or a residual is added in place.
    let in_place = match (&a.data, &b.data) {
        (Data::Float(_), Data::Float(_)) => a.shape.ends_with(&b.shape) && !b.shape.contains(&0),
        _ => false,
    };
    let is_own = matches!(call.inputs[0], Some(std::borrow::Cow::Owned(_)));
    if !in_place || !is_own {
        return one(put_together(a, b, call.room, f, i)?);
    }
    let mut a = call.own(0)?;
    if let (Data::Float(a), Data::Float(b)) = (&mut a.data, &call.input(1)?.data) {
        match b[..] {
            [b] => a.iter_mut().for_each(|a| *a = f(*a, b)),
            _ => a.chunks_exact_mut(b.len()).for_each(|row| {
                row.iter_mut().zip(b).for_each(|(a, b)| *a = f(*a, *b));
            }),
        }
    }
    one(a)
}

fn folded(
    call: &mut Call<'_>,
    f: impl Fn(f32, f32) -> f32,
    i: impl Fn(i64, i64) -> Option<i64>,
) -> Results {
    let mut result = call.own(0)?;
    for at in 1..call.inputs.len() {
        result = put_together(&result, call.input(at)?, call.room, &f, &i)?;
    }
    one(result)
}

fn modulo(call: &mut Call<'_>) -> Results {
    // As in Python the result has the sign of the divisor, unless `fmod` is set.
    let truncated = call.flag("fmod", false)?;
    let [a, b] = [call.input(0)?, call.input(1)?];
    let ints = |a: i64, b: i64| {
        let rest = a.checked_rem(b)?;
        let moved = !truncated && rest != 0 && (rest < 0) != (b < 0);
        Some(if moved { rest + b } else { rest })
    };
    one(put_together(a, b, call.room, |a, b| a % b, ints)?)
}

fn power(call: &mut Call<'_>) -> Results {
    let exponent = call.input(1)?;
    // Exponents may be integers where the base is none.
    let exponents = match &exponent.data {
        Data::Float(values) => values.clone(),
        Data::Int(values) => values.iter().map(|value| *value as f32).collect(),
        Data::Bool(_) => return Err("its exponent is no number".into()),
    };
    if let (Data::Float(_), [exponent]) = (&call.input(0)?.data, &exponents[..])
        && call.input(1)?.shape.len() <= call.input(0)?.shape.len()
    {
        let exponent = *exponent;
        let mut value = call.own(0)?;
        if let Data::Float(values) = &mut value.data {
            match exponent {
                2.0 => values.iter_mut().for_each(|x| *x *= *x),
                3.0 => values.iter_mut().for_each(|x| *x = *x * *x * *x),
                0.5 => values.iter_mut().for_each(|x| *x = x.sqrt()),
                _ => values.iter_mut().for_each(|x| *x = x.powf(exponent)),
            }
        }
        return one(value);
    }
    let integer = |a: i64, b: i64| a.checked_pow(u32::try_from(b).ok()?);
    let (base, exponent) = (call.input(0)?, call.input(1)?);
    let exponent = match base.data {
        Data::Float(_) => &Array::new(exponent.shape.clone(), Data::Float(exponents)),
        _ => exponent,
    };
    one(put_together(base, exponent, call.room, f32::powf, integer)?)
}

fn compare(call: &mut Call<'_>, f: impl Fn(Option<Ordering>) -> bool) -> Results {
    let [a, b] = [call.input(0)?, call.input(1)?];
    let (shape, values) = match (&a.data, &b.data) {
        (Data::Float(x), Data::Float(y)) => {
            both((x, &a.shape), (y, &b.shape), call.room, |x, y| {
                f(x.partial_cmp(&y))
            })
        }
        (Data::Int(x), Data::Int(y)) => both((x, &a.shape), (y, &b.shape), call.room, |x, y| {
            f(Some(x.cmp(&y)))
        }),
        (Data::Bool(x), Data::Bool(y)) => both((x, &a.shape), (y, &b.shape), call.room, |x, y| {
            f(Some(x.cmp(&y)))
        }),
        _ => Err("it compares values of one type".into()),
    }?;
    one(Array::new(shape, Data::Bool(values)))
}

fn logic(call: &mut Call<'_>, f: impl Fn(bool, bool) -> bool) -> Results {
    let [a, b] = [call.input(0)?, call.input(1)?];
    let (x, y) = (a.booleans()?, b.booleans()?);
    let (shape, values) = both((x, &a.shape), (y, &b.shape), call.room, f)?;
    one(Array::new(shape, Data::Bool(values)))
}

/// `Where`: of two values the one or the other, by a third.
fn choose(call: &mut Call<'_>) -> Results {
    let [condition, yes, no] = [call.input(0)?, call.input(1)?, call.input(2)?];
    let shape = shape_of(&[&condition.shape, &yes.shape, &no.shape])?;
    call.room.of(&shape, 1 + 2 * yes.data.size())?;
    let steps: Vec<isize> = repeating(&condition.shape, &shape)
        .into_iter()
        .map(|step| step as isize)
        .collect();
    let conditions = super::broadcast::walked(condition.booleans()?, &shape, &steps, 0);
    fn chosen<T: Copy>(
        conditions: &[bool],
        shape: &[usize],
        (yes, yes_shape): (&[T], &[usize]),
        (no, no_shape): (&[T], &[usize]),
        room: Room,
    ) -> Result<Vec<T>, String> {
        let (_, yes) = both((conditions, shape), (yes, yes_shape), room, |c, y| (c, y))?;
        let (_, chosen) = both(
            (&yes, shape),
            (no, no_shape),
            room,
            |(c, y), n| {
                if c { y } else { n }
            },
        )?;
        Ok(chosen)
    }
    let data = match (&yes.data, &no.data) {
        (Data::Float(_), Data::Float(_))
        | (Data::Int(_), Data::Int(_))
        | (Data::Bool(_), Data::Bool(_)) => same_type!(&yes.data, y => {
            // Of the same type, as was seen.
            let n = super::gather::like(y, &no.data)?;
            chosen(&conditions, &shape, (y, &yes.shape), (n, &no.shape), call.room)?
        }),
        _ => return Err("it chooses between values of one type".into()),
    };
    one(Array::new(shape, data))
}
