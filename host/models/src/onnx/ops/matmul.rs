//! `MatMul` and `Gemm`.

use super::axes::product;
use super::broadcast::{repeating, shape_of};
use super::{Call, Operator, Results, one, op};
use crate::onnx::gemm::{Matrix, multiply};
use crate::onnx::value::{Array, Data};

pub(super) const TABLE: &[Operator] = &[
    op("MatMul", 2, &[], matmul),
    op("Gemm", 2, &["alpha", "beta", "transA", "transB"], gemm),
];

fn matmul(call: &mut Call<'_>) -> Results {
    let (a, b) = (call.input(0)?, call.input(1)?);
    let no_fit = || format!("{:?} and {:?} cannot be multiplied", a.shape, b.shape);
    // Vectors are matrices of one row or column, which the result does not have.
    let (a_shape, b_shape) = match (&a.shape[..], &b.shape[..]) {
        ([], _) | (_, []) => return Err(no_fit()),
        ([k], _) => (vec![1, *k], b.shape.clone()),
        (_, [k]) => (a.shape.clone(), vec![*k, 1]),
        _ => (a.shape.clone(), b.shape.clone()),
    };
    let b_shape = if b.shape.len() == 1 {
        vec![b.shape[0], 1]
    } else {
        b_shape
    };
    let ([a_outer @ .., m, k], [b_outer @ .., rows, n]) = (&a_shape[..], &b_shape[..]) else {
        return Err(no_fit());
    };
    if k != rows {
        return Err(no_fit());
    }
    let outer = shape_of(&[a_outer, b_outer])?;
    let mut shape = [&outer[..], &[*m, *n]].concat();
    let count = call.room.of(&shape, 4)?;
    let (x, y) = (a.floats()?, b.floats()?);
    let mut to = vec![0.0; count];
    if count > 0 && b_outer.iter().all(|side| *side == 1) {
        // All rows of the first one at once.
        let rows = product(&a_shape[..a_shape.len() - 1]);
        multiply(Matrix::new(x, rows, *k), Matrix::new(y, *k, *n), &mut to);
    } else if count > 0 {
        let (a_steps, b_steps) = (repeating(a_outer, &outer), repeating(b_outer, &outer));
        for (at, to) in to.chunks_exact_mut(m * n).enumerate() {
            let (mut rest, mut first, mut second) = (at, 0, 0);
            for place in (0..outer.len()).rev() {
                first += rest % outer[place] * a_steps[place];
                second += rest % outer[place] * b_steps[place];
                rest /= outer[place];
            }
            // The steps count numbers of the outer dimensions, each a matrix.
            let x = &x[first * m * k..][..m * k];
            let y = &y[second * k * n..][..k * n];
            multiply(Matrix::new(x, *m, *k), Matrix::new(y, *k, *n), to);
        }
    }
    if a.shape.len() == 1 {
        shape.remove(shape.len() - 2);
    }
    if b.shape.len() == 1 {
        shape.pop();
    }
    one(Array::new(shape, Data::Float(to)))
}

fn gemm(call: &mut Call<'_>) -> Results {
    let (alpha, beta) = (call.float("alpha", 1.0)?, call.float("beta", 1.0)?);
    let matrix = |at: usize, turned: &str| -> Result<Matrix<'_>, String> {
        let value = call.input(at)?;
        let [rows, columns] = value.shape[..] else {
            return Err("it takes matrices".into());
        };
        let matrix = Matrix::new(value.floats()?, rows, columns);
        Ok(if call.flag(turned, false)? {
            matrix.turned()
        } else {
            matrix
        })
    };
    let (a, b) = (matrix(0, "transA")?, matrix(1, "transB")?);
    if a.columns != b.rows {
        return Err(format!(
            "matrices of {} columns and {} rows cannot be multiplied",
            a.columns, b.rows
        ));
    }
    let shape = vec![a.rows, b.columns];
    let count = call.room.of(&shape, 8)?;
    let mut to = vec![0.0; count];
    multiply(a, b, &mut to);
    if alpha != 1.0 {
        to.iter_mut().for_each(|x| *x *= alpha);
    }
    if let Some(c) = call.optional(2) {
        let added =
            super::broadcast::both((&to, &shape), (c.floats()?, &c.shape), call.room, |x, c| {
                x + beta * c
            })?;
        if added.0 != shape {
            return Err(format!("{:?} cannot be added to {shape:?}", c.shape));
        }
        to = added.1;
    }
    one(Array::new(shape, Data::Float(to)))
}
