//! Products of matrices.

/// A matrix in some floats: the number at a row and column is at `row * steps.0 + column * steps.1`.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub values: &'a [f32],
    pub rows: usize,
    pub columns: usize,
    pub steps: (usize, usize),
}

impl<'a> Matrix<'a> {
    /// Rows side by side.
    pub(super) fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        Self {
            values,
            rows,
            columns,
            steps: (columns, 1),
        }
    }

    /// With rows for columns.
    pub(super) fn turned(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            steps: (self.steps.1, self.steps.0),
            ..self
        }
    }

    /// Whether all places are within the values.
    fn is_sound(&self) -> bool {
        self.rows == 0
            || self.columns == 0
            || (self.rows - 1) * self.steps.0 + (self.columns - 1) * self.steps.1
                < self.values.len()
    }
}

/// The product of two matrices, row by row into `to`.
///
/// # Panics
/// When they do not fit each other, or `to` has another size.
pub(super) fn multiply(a: Matrix<'_>, b: Matrix<'_>, to: &mut [f32]) {
    assert!(a.is_sound() && b.is_sound() && a.columns == b.rows);
    assert_eq!(a.rows.checked_mul(b.columns), Some(to.len()));
    let step = |step: usize| step as isize;
    // SAFETY: both matrices lie within their slices, as was checked, and the result has a place for
    // each row of the one and each column of the other; it overlaps neither, being borrowed alone.
    unsafe {
        matrixmultiply::sgemm(
            a.rows,
            a.columns,
            b.columns,
            1.0,
            a.values.as_ptr(),
            step(a.steps.0),
            step(a.steps.1),
            b.values.as_ptr(),
            step(b.steps.0),
            step(b.steps.1),
            0.0,
            to.as_mut_ptr(),
            step(b.columns),
            1,
        );
    }
}
