//! Converts Arrow columns to the guest's: one gather per field and batch.

use arrow::array::{Array, ArrayRef, AsArray, BinaryViewArray, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int64Type};
use std::sync::Arc;

use super::types::{
    self, BooleanColumn, BytesColumn, BytesListColumn, Column, F64Column, F64ListColumn, S64Column,
    S64ListColumn, Utf8Column, Utf8ListColumn, VectorColumn,
};
use crate::data::columns::convert::data_type;
use crate::data::{Batch, FieldType, STATS, standard_texts};
use crate::wasm::contract::Signature;

/// Buffers reused from call to call, so that a batch allocates nothing in the host, and columns
/// kept for the next operator: consecutive filters that drop nothing all read the same text.
#[derive(Default)]
pub(crate) struct Buffers {
    spare: Vec<(Vec<u32>, Vec<u8>)>,
    kept: Vec<Kept>,
    /// For each field of the batch in use: the array that its text was copied from.
    given: Vec<Option<ArrayRef>>,
}

/// A column in the guest's layout, and the array that it was copied from. Holding the array ensures
/// that no other one gets its address.
struct Kept {
    array: ArrayRef,
    column: Utf8Column,
}

/// Number of kept columns. A recipe seldom works on more texts at once.
const KEPT: usize = 2;
/// Larger columns are not kept: a huge row must not occupy memory.
const KEPT_BYTES: usize = 4 << 20;

impl Buffers {
    /// The fields that the operator reads, in its order; with `stats`, then those of its stats that
    /// the rows already have.
    ///
    /// Fails if a field cannot be converted to the type that the operator wants.
    pub(crate) fn input(
        &mut self,
        signature: &Signature,
        batch: &Batch,
        stats: bool,
    ) -> Result<types::Batch, String> {
        self.given.clear();
        let mut fields = Vec::with_capacity(signature.reads.len());
        for read in &signature.reads {
            // What an earlier op computed is not in the row yet.
            let key = read
                .path
                .strip_prefix(STATS)
                .and_then(|rest| rest.strip_prefix('.'));
            let stat = key
                .and_then(|key| batch.stats.iter().find(|stat| stat.key == key))
                .map(|stat| stat.data.clone());
            let values = match stat.or_else(|| batch.field(&read.path)) {
                Some(data) if read.ty == FieldType::Json && !signature.json_constants => {
                    self.of_type(&standard_texts(&data), read.ty)?
                }
                Some(data) => self
                    .of_type(&data, read.ty)
                    .map_err(|m| format!("field `{}`: {m}", read.path))?,
                None => self.of_type(
                    &arrow::array::new_null_array(&data_type(read.ty), batch.rows()),
                    read.ty,
                )?,
            };
            fields.push(types::Field {
                path: read.path.clone(),
                values,
            });
        }
        for key in signature.writes_stats.iter().filter(|_| stats) {
            if let Some(stat) = batch.stats.iter().find(|s| s.key == key.path) {
                fields.push(types::Field {
                    path: format!("{STATS}.{}", key.path),
                    values: self.of_type(&stat.data, key.ty)?,
                });
            }
        }
        Ok(types::Batch {
            row_ids: batch.ids.values().to_vec(),
            fields,
        })
    }

    /// Takes the buffers of a batch back after the call; returns the bytes of its strings.
    pub(crate) fn give_back(&mut self, batch: types::Batch) -> u64 {
        let mut bytes = 0;
        for (field, array) in batch
            .fields
            .into_iter()
            .zip(std::mem::take(&mut self.given))
        {
            let (Column::Utf8(column) | Column::Json(column), Some(array)) = (field.values, array)
            else {
                continue;
            };
            bytes += column.data.len() as u64;
            if column.data.capacity() <= KEPT_BYTES {
                self.kept.push(Kept { array, column });
            }
        }
        while self.kept.len() > KEPT {
            let Utf8Column { offsets, data, .. } = self.kept.remove(0).column;
            self.spare.push((offsets, data));
        }
        self.spare.truncate(KEPT);
        bytes
    }

    fn of_type(&mut self, data: &ArrayRef, ty: FieldType) -> Result<Column, String> {
        let as_type = |wanted: DataType| {
            cast(data, &wanted).map_err(|_| {
                format!(
                    "values of type {} cannot be given as {wanted}",
                    data.data_type()
                )
            })
        };
        let column = match ty {
            FieldType::Utf8 | FieldType::Json => {
                let column = match self.kept.iter().position(|k| Arc::ptr_eq(&k.array, data)) {
                    Some(at) => self.kept.remove(at).column,
                    None => self.text(as_type(DataType::Utf8View)?.as_string_view()),
                };
                self.given.push(Some(Arc::clone(data)));
                return Ok(if ty == FieldType::Utf8 {
                    Column::Utf8(column)
                } else {
                    Column::Json(column)
                });
            }
            _ => column(&as_type(data_type(ty))?)?,
        };
        self.given.push(None);
        Ok(column)
    }

    fn text(&mut self, values: &StringViewArray) -> Utf8Column {
        let (mut offsets, mut data) = self.spare.pop().unwrap_or_default();
        gather(values, &mut offsets, &mut data);
        Utf8Column {
            offsets,
            data,
            validity: validity(values),
        }
    }
}

/// Bytes of all values of a batch.
pub(crate) fn batch_bytes(batch: &types::Batch) -> u64 {
    batch.fields.iter().map(|f| column_bytes(&f.values)).sum()
}

/// Bytes of all values of a column.
pub(crate) fn column_bytes(column: &Column) -> u64 {
    let bytes = match column {
        Column::Utf8(c) | Column::Json(c) => c.data.len(),
        Column::F64(c) => c.values.len() * 8,
        Column::S64(c) => c.values.len() * 8,
        Column::Boolean(c) => c.values.len(),
        Column::Utf8List(c) => c.values.data.len() + c.offsets.len() * 4,
        Column::F64List(c) => c.values.len() * 8,
        Column::S64List(c) => c.values.len() * 8,
        Column::Bytes(c) => c.data.len(),
        Column::BytesList(c) => c.values.data.len() + c.offsets.len() * 4,
        Column::Vector(c) => c.values.len() * 4,
    };
    bytes as u64
}

/// The bytes of binary columns of any layout.
fn bytes(array: &ArrayRef) -> Result<BytesColumn, String> {
    let views = cast(array, &DataType::BinaryView).map_err(|e| e.to_string())?;
    let values: &BinaryViewArray = views.as_binary_view();
    let (mut offsets, mut data) = (Vec::with_capacity(values.len() + 1), Vec::new());
    offsets.push(0);
    for value in values {
        data.extend_from_slice(value.unwrap_or_default());
        let end = u32::try_from(data.len()).map_err(|_| "more than 4 GiB of bytes in a batch")?;
        offsets.push(end);
    }
    Ok(BytesColumn {
        offsets,
        data,
        validity: validity(values),
    })
}

/// Copies the values, concatenated.
fn gather(values: &StringViewArray, offsets: &mut Vec<u32>, data: &mut Vec<u8>) {
    offsets.clear();
    data.clear();
    offsets.reserve(values.len() + 1);
    offsets.push(0);
    for i in 0..values.len() {
        if values.is_valid(i) {
            data.extend_from_slice(values.value(i).as_bytes());
        }
        offsets.push(data.len() as u32);
    }
}

fn validity(array: &dyn Array) -> Option<Vec<u8>> {
    let nulls = array.nulls().filter(|n| n.null_count() > 0)?;
    let mut bits = vec![0u8; array.len().div_ceil(8)];
    nulls
        .iter()
        .enumerate()
        .filter(|(_, valid)| *valid)
        .for_each(|(i, _)| bits[i / 8] |= 1 << (i % 8));
    Some(bits)
}

/// Converts an array of any type that the contract knows to the guest's nearest type.
pub(crate) fn column(array: &ArrayRef) -> Result<Column, String> {
    let text = |array: &ArrayRef| -> Result<Utf8Column, String> {
        let views = cast(array, &DataType::Utf8View).map_err(|e| e.to_string())?;
        let (mut offsets, mut data) = (Vec::new(), Vec::new());
        gather(views.as_string_view(), &mut offsets, &mut data);
        Ok(Utf8Column {
            offsets,
            data,
            validity: validity(views.as_ref()),
        })
    };
    Ok(match array.data_type() {
        DataType::Utf8View | DataType::Utf8 | DataType::LargeUtf8 => Column::Utf8(text(array)?),
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>();
            Column::F64(F64Column {
                values: values.values().to_vec(),
                validity: validity(values),
            })
        }
        DataType::Int64 => {
            let values = array.as_primitive::<Int64Type>();
            Column::S64(S64Column {
                values: values.values().to_vec(),
                validity: validity(values),
            })
        }
        DataType::Boolean => {
            let values = array.as_boolean();
            let bytes = (0..values.len())
                .map(|i| u8::from(values.is_valid(i) && values.value(i)))
                .collect();
            Column::Boolean(BooleanColumn {
                values: bytes,
                validity: validity(values),
            })
        }
        DataType::List(item) => {
            let lists = array.as_list::<i32>();
            let first = lists.value_offsets()[0];
            let offsets: Vec<u32> = lists
                .value_offsets()
                .iter()
                .map(|o| (o - first) as u32)
                .collect();
            let values = lists
                .values()
                .slice(first as usize, *offsets.last().unwrap_or(&0) as usize);
            match item.data_type() {
                DataType::Float64 => Column::F64List(F64ListColumn {
                    offsets,
                    values: values.as_primitive::<Float64Type>().values().to_vec(),
                    validity: validity(lists),
                }),
                DataType::Int64 => Column::S64List(S64ListColumn {
                    offsets,
                    values: values.as_primitive::<Int64Type>().values().to_vec(),
                    validity: validity(lists),
                }),
                DataType::Binary => Column::BytesList(BytesListColumn {
                    offsets,
                    values: BytesColumn {
                        validity: None,
                        ..bytes(&values)?
                    },
                    validity: validity(lists),
                }),
                _ => Column::Utf8List(Utf8ListColumn {
                    offsets,
                    values: Utf8Column {
                        validity: None,
                        ..text(&values)?
                    },
                    validity: validity(lists),
                }),
            }
        }
        DataType::BinaryView | DataType::Binary | DataType::LargeBinary => {
            Column::Bytes(bytes(array)?)
        }
        DataType::FixedSizeList(item, width) if item.data_type() == &DataType::Float32 => {
            let vectors = array.as_fixed_size_list();
            Column::Vector(VectorColumn {
                width: width.unsigned_abs(),
                // An array that was sliced has only its own values here.
                values: vectors
                    .values()
                    .as_primitive::<Float32Type>()
                    .values()
                    .to_vec(),
                validity: validity(vectors),
            })
        }
        other if other.is_integer() => {
            column(&cast(array, &DataType::Int64).map_err(|e| e.to_string())?)?
        }
        other if other.is_floating() => {
            column(&cast(array, &DataType::Float64).map_err(|e| e.to_string())?)?
        }
        other => {
            return Err(format!(
                "values of type {other} cannot be given to an operator"
            ));
        }
    })
}
