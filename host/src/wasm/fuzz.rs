//! Properties that must hold for any answer of a guest.

use arrow::array::{Array, ArrayRef};
use arrow::util::display::array_value_to_string;

use super::abi::v0_2;
use super::abi::v0_2::column;
use super::abi::v0_2::types::{
    self, BooleanColumn, BytesColumn, BytesListColumn, Column, F64Column, F64ListColumn, S64Column,
    S64ListColumn, Utf8Column, Utf8ListColumn, VectorColumn,
};
use super::contract::{Computed, Output, Signature};
use super::pool::key_hashes;
use crate::data::FieldType;

/// Derives a guest's answers from bytes; zeros after their end.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    /// Mostly small.
    fn number(&mut self) -> u32 {
        match self.byte() {
            255 => u32::from_le_bytes(std::array::from_fn(|_| self.byte())),
            small => u32::from(small % 16),
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        let len = usize::from(self.byte() % 48).min(self.0.len());
        let (bytes, rest) = self.0.split_at(len);
        self.0 = rest;
        bytes.to_vec()
    }

    fn text(&mut self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    fn numbers(&mut self) -> Vec<u32> {
        (0..self.byte() % 12).map(|_| self.number()).collect()
    }

    /// A number about as large as `rows`.
    fn about(&mut self, rows: usize) -> usize {
        match self.byte() {
            0 => rows + 1,
            1 => rows.saturating_sub(1),
            _ => rows,
        }
    }

    fn validity(&mut self) -> Option<Vec<u8>> {
        (self.byte().is_multiple_of(4)).then(|| self.bytes())
    }

    /// Mostly ascending, and mostly ending at `end`.
    fn offsets(&mut self, rows: usize, end: usize) -> Vec<u32> {
        if self.byte() == 7 {
            return self.numbers();
        }
        let mut offsets: Vec<u32> = (0..self.about(rows))
            .map(|_| u32::from(self.byte()) % (end as u32 + 1))
            .collect();
        offsets.sort_unstable();
        offsets.insert(0, 0);
        if let Some(last) = offsets.last_mut().filter(|_| rows > 0) {
            *last = self.about(end) as u32;
        }
        offsets
    }

    fn utf8(&mut self, rows: usize) -> Utf8Column {
        let data = self.bytes();
        Utf8Column {
            offsets: self.offsets(rows, data.len()),
            data,
            validity: self.validity(),
        }
    }

    fn byte_values(&mut self, rows: usize) -> BytesColumn {
        let data = self.bytes();
        BytesColumn {
            offsets: self.offsets(rows, data.len()),
            data,
            validity: self.validity(),
        }
    }

    fn column(&mut self, rows: usize) -> Column {
        let kind = self.byte() % 11;
        let n = self.about(rows);
        match kind {
            0 => Column::Utf8(self.utf8(rows)),
            1 => Column::Json(self.utf8(rows)),
            2 => Column::F64(F64Column {
                values: (0..n).map(|_| f64::from(self.byte()) / 3.0).collect(),
                validity: self.validity(),
            }),
            3 => Column::S64(S64Column {
                values: (0..n).map(|_| i64::from(self.number())).collect(),
                validity: self.validity(),
            }),
            4 => Column::Boolean(BooleanColumn {
                values: (0..n).map(|_| self.byte() % 3).collect(),
                validity: self.validity(),
            }),
            5 => {
                let elements = usize::from(self.byte() % 9);
                let values = self.utf8(elements);
                Column::Utf8List(Utf8ListColumn {
                    offsets: self.offsets(rows, elements),
                    values,
                    validity: self.validity(),
                })
            }
            6 => {
                let values: Vec<i64> = (0..self.byte() % 9).map(i64::from).collect();
                Column::S64List(S64ListColumn {
                    offsets: self.offsets(rows, values.len()),
                    values,
                    validity: self.validity(),
                })
            }
            7 => Column::Bytes(self.byte_values(rows)),
            8 => {
                let elements = usize::from(self.byte() % 9);
                let values = self.byte_values(elements);
                Column::BytesList(BytesListColumn {
                    offsets: self.offsets(rows, elements),
                    values,
                    validity: self.validity(),
                })
            }
            9 => {
                let width = self.number();
                let len = match self.byte() {
                    0 => self.number() as usize,
                    _ => n.saturating_mul(width as usize).min(1 << 16),
                };
                Column::Vector(VectorColumn {
                    width,
                    values: vec![f32::from(self.byte()); len.min(1 << 16)],
                    validity: self.validity(),
                })
            }
            _ => {
                let values: Vec<f64> = (0..self.byte() % 9).map(f64::from).collect();
                Column::F64List(F64ListColumn {
                    offsets: self.offsets(rows, values.len()),
                    values,
                    validity: self.validity(),
                })
            }
        }
    }

    fn path(&mut self) -> String {
        match self.byte() % 7 {
            0 => self.text(),
            n => ["text", "number", "list", "bytes", "files", "vector"][usize::from(n) - 1].into(),
        }
    }

    fn rejected(&mut self) -> Vec<types::Rejection> {
        (0..self.byte() % 4)
            .map(|_| types::Rejection {
                row: self.number(),
                reason: self.text(),
            })
            .collect()
    }

    fn fields(&mut self, rows: usize) -> Vec<types::Field> {
        (0..self.byte() % 4)
            .map(|_| types::Field {
                path: self.path(),
                values: self.column(rows),
            })
            .collect()
    }

    fn output(&mut self, rows: usize) -> types::Output {
        match self.byte() % 5 {
            0 => types::Output::Filtered(types::FilterOutput {
                keep: (0..self.about(rows)).map(|_| self.byte() % 3).collect(),
                stats: self.fields(rows),
                rejected: self.rejected(),
            }),
            1 => {
                let updates = (0..self.byte() % 4).map(|_| {
                    let rows_of = (self.byte().is_multiple_of(2)).then(|| self.numbers());
                    let n = rows_of.as_ref().map_or(rows, Vec::len);
                    types::Update {
                        path: self.path(),
                        values: self.column(n),
                        rows: rows_of,
                    }
                });
                types::Output::Updated(types::UpdateOutput {
                    updates: updates.collect(),
                    rejected: self.rejected(),
                })
            }
            2 => {
                let origins = self.numbers();
                let fields = self.fields(origins.len());
                types::Output::Rows(types::RowsOutput {
                    origins,
                    fields,
                    rejected: self.rejected(),
                })
            }
            3 => {
                let (width, per_row) = (self.number(), self.number());
                let len = match self.byte() {
                    0 => self.number() as usize,
                    _ => rows * (width.min(64) * per_row.min(64)) as usize,
                };
                let data = vec![self.byte(); len.min(1 << 16)];
                types::Output::Fingerprints(types::Fingerprints {
                    width,
                    per_row,
                    data,
                    validity: self.validity(),
                    rejected: self.rejected(),
                })
            }
            _ => types::Output::Keys(types::KeysOutput {
                keys: self.column(rows),
                rejected: self.rejected(),
            }),
        }
    }

    fn signature(&mut self) -> types::Signature {
        let ty = |n: u8| {
            [
                types::ColumnType::Utf8,
                types::ColumnType::Json,
                types::ColumnType::F64List,
                types::ColumnType::Vector(u32::from(n)),
            ][usize::from(n % 4)]
        };
        let mut computed = || {
            (0..self.byte() % 3)
                .map(|_| types::Computed {
                    path: self.path(),
                    type_: ty(self.byte()),
                })
                .collect()
        };
        let (writes, writes_stats) = (computed(), computed());
        let reads = (0..self.byte() % 3).map(|_| types::Input {
            path: self.path(),
            type_: ty(self.byte()),
            required: self.byte() > 9,
        });
        types::Signature {
            reads: reads.collect(),
            writes,
            writes_stats,
            whole_rows: self.byte() == 1,
        }
    }

    fn descriptor(&mut self) -> types::Descriptor {
        types::Descriptor {
            name: self.text(),
            kind: match self.byte() % 3 {
                0 => types::Kind::Filter,
                1 => types::Kind::Deduplicator(types::Matching::Hamming(self.text())),
                _ => types::Kind::Grouper,
            },
            summary: self.text(),
            params_schema: self.text(),
            cost: types::Cost::Light,
            traits: types::Traits {
                leaves_out_stats: self.byte() == 1,
                takes_clusters: self.byte() == 1,
                ..v0_2::NO_TRAITS
            },
            needs: v0_2::needs_of(&serde_json::Value::Null),
        }
    }
}

/// An answer is either refused with a reason, or usable in all its parts.
pub fn replies(data: &[u8]) {
    let mut bytes = Bytes(data);
    let rows = 1 + usize::from(bytes.byte() % 9);
    match bytes.byte() % 8 {
        0 => {
            let described = (0..bytes.byte() % 4).map(|_| bytes.descriptor()).collect();
            if let Ok(described) = v0_2::describe(described, bytes.byte() > 3) {
                assert!(
                    described
                        .iter()
                        .all(|d| !d.name.is_empty() && is_printable(&d.summary))
                );
            }
        }
        1 => {
            if let Ok(signature) = v0_2::signature(bytes.signature()) {
                assert!(
                    signature
                        .reads
                        .iter()
                        .all(|r| r.path.split('.').all(|name| !name.is_empty()))
                );
            }
        }
        _ => {
            let declared = [
                ("text", FieldType::Utf8),
                ("number", FieldType::F64),
                ("list", FieldType::Utf8List),
                ("bytes", FieldType::Bytes),
                ("files", FieldType::BytesList),
                ("vector", FieldType::Vector(3)),
            ];
            let computed: Vec<_> = declared
                .iter()
                .map(|(path, ty)| Computed {
                    path: (*path).into(),
                    ty: *ty,
                })
                .collect();
            let signature = Signature {
                reads: Vec::new(),
                writes: computed.clone(),
                writes_stats: computed,
                whole_rows: false,
                json_constants: rows % 2 == 0,
            };
            if let Ok(reply) = v0_2::reply(&signature, rows, bytes.output(rows)) {
                assert!(reply.rejected.is_sorted_by(|a, b| a.row < b.row));
                assert!(
                    reply
                        .rejected
                        .iter()
                        .all(|r| (r.row as usize) < rows && is_printable(&r.reason))
                );
                usable(reply.output, rows);
            }
        }
    }
}

fn is_printable(text: &str) -> bool {
    text.chars()
        .all(|c| !c.is_control() || matches!(c, '\n' | '\t'))
}

fn usable(output: Output, rows: usize) {
    match output {
        Output::Filtered { keep, stats } => {
            assert_eq!((keep.len(), keep.null_count()), (rows, 0));
            stats.iter().for_each(|stat| values(&stat.data, rows));
        }
        Output::Updated(updates) => {
            for update in updates {
                let at: Vec<u32> = update
                    .rows
                    .map_or_else(|| (0..rows as u32).collect(), |rows| rows.values().to_vec());
                assert!(
                    at.is_sorted_by(|a, b| a < b) && at.iter().all(|row| (*row as usize) < rows)
                );
                values(&update.values, at.len());
            }
        }
        Output::Rows { origins, fields } => {
            assert!(
                origins.values().is_sorted()
                    && origins.values().iter().all(|row| (*row as usize) < rows)
            );
            fields
                .iter()
                .for_each(|field| values(&field.values, origins.len()));
        }
        Output::Fingerprints {
            width,
            per_row,
            data,
            valid,
        } => {
            assert_eq!(data.len(), rows * per_row * width);
            assert!(valid.is_none_or(|valid| valid.len() == rows && valid.null_count() == 0));
        }
        Output::Keys(keys) => {
            values(&keys, rows);
            if let Ok(hashes) = key_hashes(&keys) {
                assert_eq!(hashes.len(), rows);
            }
            // Selectors receive them again.
            column(&keys).expect("keys can be given to a guest");
        }
        Output::KeyLists(_) => unreachable!("only the pool makes them"),
    }
}

fn values(array: &ArrayRef, rows: usize) {
    assert_eq!(array.len(), rows);
    array.to_data().validate_full().expect("arrow takes it");
    (0..rows).for_each(|row| drop(array_value_to_string(array, row).expect("a value")));
}
