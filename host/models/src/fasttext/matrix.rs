//! Matrices: of floats, or quantised. A row of the latter has a code per group of columns, and a
//! code names one of 256 vectors. The numbers of rows stay in the file.

use super::reader::Reader;
use crate::error::damaged;
use crate::numbers::floats;
use std::ops::Range;

const CODES: usize = 256;

#[derive(Debug)]
pub(crate) enum Matrix {
    Dense {
        rows: usize,
        columns: usize,
        values: Range<usize>,
    },
    Quantised {
        rows: usize,
        codes: Range<usize>,
        quantiser: Quantiser,
        norms: Option<(Range<usize>, Quantiser)>,
    },
}

#[derive(Debug)]
pub(crate) struct Quantiser {
    columns: usize,
    /// Number of groups of columns, columns per group, and columns of the last group.
    groups: usize,
    width: usize,
    last: usize,
    centroids: Vec<f32>,
}

impl Matrix {
    pub(crate) fn read(
        reader: &mut Reader<'_>,
        quantised: bool,
        what: &str,
    ) -> Result<Self, String> {
        let with_norms = quantised && reader.flag(what)?;
        let (rows, columns) = (reader.i64(what)?, reader.i64(what)?);
        if !quantised {
            let columns = reader.count(columns, 1, what)?;
            let rows = reader.count(rows, 4 * columns.max(1), what)?;
            return Ok(Self::Dense {
                rows,
                columns,
                values: reader.floats(rows * columns, what)?,
            });
        }
        let size = reader.i32(what)?;
        let size = reader.count(size.into(), 1, what)?;
        let rows = reader.count(rows, 1, what)?;
        let codes = reader.skip(size, what)?;
        let quantiser = Quantiser::read(reader, what)?;
        if quantiser.columns as i64 != columns || rows.checked_mul(quantiser.groups) != Some(size) {
            return Err(damaged(what));
        }
        let norms = match with_norms {
            true => Some((reader.skip(rows, what)?, Quantiser::read(reader, what)?)),
            false => None,
        };
        match &norms {
            Some((_, quantiser)) if quantiser.columns != 1 => Err(damaged(what)),
            _ => Ok(Self::Quantised {
                rows,
                codes,
                quantiser,
                norms,
            }),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        match self {
            Self::Dense { rows, .. } | Self::Quantised { rows, .. } => *rows,
        }
    }

    pub(crate) fn columns(&self) -> usize {
        match self {
            Self::Dense { columns, .. } => *columns,
            Self::Quantised { quantiser, .. } => quantiser.columns,
        }
    }

    /// Adds a row to a vector with as many numbers as the matrix has columns. `file` is the file
    /// that the matrix was read from.
    #[inline(always)]
    pub(crate) fn add_row(&self, file: &[u8], row: usize, to: &mut [f32]) {
        match self {
            Self::Dense {
                columns, values, ..
            } => {
                let values = &file[values.start + 4 * row * columns..][..4 * columns];
                to.iter_mut()
                    .zip(floats(values))
                    .for_each(|(sum, value)| *sum += value);
            }
            Self::Quantised {
                codes,
                quantiser,
                norms,
                ..
            } => quantiser.add(&file[codes.clone()], row, norm(file, norms, row), to),
        }
    }

    /// The scalar product of a row and such a vector.
    #[inline(always)]
    pub(crate) fn dot_row(&self, file: &[u8], row: usize, with: &[f32]) -> f32 {
        match self {
            Self::Dense {
                columns, values, ..
            } => dot(
                &file[values.start + 4 * row * columns..][..4 * columns],
                with,
            ),
            Self::Quantised {
                codes,
                quantiser,
                norms,
                ..
            } => {
                let products = quantiser
                    .row(&file[codes.clone()], row)
                    .map(|(start, centroid)| {
                        with[start..].iter().zip(centroid).map(|(a, b)| a * b)
                    });
                products.flatten().sum::<f32>() * norm(file, norms, row)
            }
        }
    }
}

/// A scalar product, in eight sums: one alone would wait for each addition.
#[inline]
fn dot(row: &[u8], with: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let (rows, row_rest) = row.as_chunks::<32>();
    let (withs, with_rest) = with.as_chunks::<8>();
    for (row, with) in rows.iter().zip(withs) {
        for ((sum, a), b) in sums.iter_mut().zip(floats(row)).zip(with) {
            *sum += a * b;
        }
    }
    let rest: f32 = floats(row_rest).zip(with_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

fn norm(file: &[u8], norms: &Option<(Range<usize>, Quantiser)>, row: usize) -> f32 {
    norms.as_ref().map_or(1.0, |(codes, quantiser)| {
        quantiser.centroids[usize::from(file[codes.clone()][row])]
    })
}

impl Quantiser {
    fn read(reader: &mut Reader<'_>, what: &str) -> Result<Self, String> {
        let mut number = || usize::try_from(reader.i32(what)?).map_err(|_| damaged(what));
        let (columns, groups, width, last) = (number()?, number()?, number()?, number()?);
        let fits = groups
            .checked_sub(1)
            .and_then(|before| before.checked_mul(width))
            .and_then(|n| n.checked_add(last))
            == Some(columns);
        if !fits || last == 0 || last > width || width > columns {
            return Err(damaged(what));
        }
        let size = columns.checked_mul(CODES).ok_or_else(|| damaged(what))?;
        Ok(Self {
            columns,
            groups,
            width,
            last,
            centroids: reader.copied(size, what)?,
        })
    }

    /// Adds a row times `norm`.
    #[inline(always)]
    fn add(&self, codes: &[u8], row: usize, norm: f32, to: &mut [f32]) {
        // Nearly all quantised models have two columns per group.
        if self.width == 2 && self.last == 2 {
            let codes = &codes[row * self.groups..][..self.groups];
            let groups = self.centroids.chunks_exact(2 * CODES);
            let (pairs, _) = to.as_chunks_mut::<2>();
            for ((code, group), to) in codes.iter().zip(groups).zip(pairs) {
                let at = 2 * usize::from(*code);
                to[0] += norm * group[at];
                to[1] += norm * group[at + 1];
            }
            return;
        }
        for (start, centroid) in self.row(codes, row) {
            to[start..]
                .iter_mut()
                .zip(centroid)
                .for_each(|(sum, value)| *sum += norm * value);
        }
    }

    fn centroid(&self, group: usize, code: u8) -> &[f32] {
        let width = if group + 1 == self.groups {
            self.last
        } else {
            self.width
        };
        &self.centroids[group * CODES * self.width + usize::from(code) * width..][..width]
    }

    /// First column and values of each group of a row.
    fn row<'a>(&'a self, codes: &'a [u8], row: usize) -> impl Iterator<Item = (usize, &'a [f32])> {
        let codes = &codes[row * self.groups..][..self.groups];
        codes
            .iter()
            .enumerate()
            .map(|(group, &code)| (group * self.width, self.centroid(group, code)))
    }
}
