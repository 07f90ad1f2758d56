//! Matrices: of floats, or quantised. A row of the latter has a code per group of columns, and a
//! code names one of 256 vectors.

use super::reader::{Reader, damaged};
use std::io::Read;

const CODES: usize = 256;

pub(crate) enum Matrix {
    Dense {
        rows: usize,
        columns: usize,
        values: Vec<f32>,
    },
    Quantised {
        rows: usize,
        codes: Vec<u8>,
        quantiser: Quantiser,
        norms: Option<(Vec<u8>, Quantiser)>,
    },
}

pub(crate) struct Quantiser {
    columns: usize,
    /// Number of groups of columns, columns per group, and columns of the last group.
    groups: usize,
    width: usize,
    last: usize,
    centroids: Vec<f32>,
}

impl Matrix {
    pub(crate) fn read<R: Read>(
        reader: &mut Reader<R>,
        quantised: bool,
        what: &str,
    ) -> Result<Self, String> {
        let with_norms = quantised && reader.flag(what)?;
        let (rows, columns) = (reader.i64(what)?, reader.i64(what)?);
        if !quantised {
            let columns = reader.count(columns, 1, what)?;
            let rows = reader.count(rows, 4 * columns.max(1) as u64, what)?;
            return Ok(Self::Dense {
                rows,
                columns,
                values: reader.floats(rows * columns, what)?,
            });
        }
        let size = reader.i32(what)?;
        let size = reader.count(size.into(), 1, what)?;
        let rows = reader.count(rows, 1, what)?;
        let codes = reader.bytes(size, what)?;
        let quantiser = Quantiser::read(reader, what)?;
        if quantiser.columns as i64 != columns || rows.checked_mul(quantiser.groups) != Some(size) {
            return Err(damaged(what));
        }
        let norms = match with_norms {
            true => Some((reader.bytes(rows, what)?, Quantiser::read(reader, what)?)),
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

    /// Adds a row to a vector with as many numbers as the matrix has columns.
    pub(crate) fn add_row(&self, row: usize, to: &mut [f32]) {
        match self {
            Self::Dense {
                columns, values, ..
            } => {
                to.iter_mut()
                    .zip(&values[row * columns..][..*columns])
                    .for_each(|(sum, value)| *sum += value);
            }
            Self::Quantised {
                codes,
                quantiser,
                norms,
                ..
            } => {
                let norm = norm(norms, row);
                for (start, centroid) in quantiser.row(codes, row) {
                    to[start..]
                        .iter_mut()
                        .zip(centroid)
                        .for_each(|(sum, value)| *sum += norm * value);
                }
            }
        }
    }

    /// The scalar product of a row and such a vector.
    pub(crate) fn dot_row(&self, row: usize, with: &[f32]) -> f32 {
        match self {
            Self::Dense {
                columns, values, ..
            } => with
                .iter()
                .zip(&values[row * columns..][..*columns])
                .map(|(a, b)| a * b)
                .sum(),
            Self::Quantised {
                codes,
                quantiser,
                norms,
                ..
            } => {
                let products = quantiser.row(codes, row).map(|(start, centroid)| {
                    with[start..].iter().zip(centroid).map(|(a, b)| a * b)
                });
                products.flatten().sum::<f32>() * norm(norms, row)
            }
        }
    }
}

fn norm(norms: &Option<(Vec<u8>, Quantiser)>, row: usize) -> f32 {
    norms.as_ref().map_or(1.0, |(codes, quantiser)| {
        quantiser.centroid(0, codes[row])[0]
    })
}

impl Quantiser {
    fn read<R: Read>(reader: &mut Reader<R>, what: &str) -> Result<Self, String> {
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
            centroids: reader.floats(size, what)?,
        })
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
