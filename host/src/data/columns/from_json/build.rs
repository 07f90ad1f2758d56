//! Columns under construction, from one JSON text per row.

use super::fits::key_text;
use crate::data::columns::value_text::{parse, parse_hex, quoted, width};
use crate::data::json::{Odd, append_string, elements, members, unquoted};
use anyhow::{Context, Result};
use arrow::array::{
    Array, ArrayData, ArrayRef, BooleanBuilder, FixedSizeListArray, GenericListArray,
    LargeBinaryBuilder, LargeStringBuilder, MapArray, NullArray, StringArray, StructArray,
    make_array,
};
use arrow::buffer::{MutableBuffer, NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Fields};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// Makes a buffer extendable.
struct Bytes<'b>(&'b mut MutableBuffer);

impl Extend<u8> for Bytes<'_> {
    fn extend<T: IntoIterator<Item = u8>>(&mut self, bytes: T) {
        bytes.into_iter().for_each(|byte| self.0.push(byte));
    }
}

/// One column under construction.
pub(super) enum Build {
    Null(usize),
    Boolean(BooleanBuilder),
    Fixed {
        ty: DataType,
        width: usize,
        values: MutableBuffer,
        valid: Vec<bool>,
    },
    Text(Texts),
    LargeText(LargeStringBuilder, DataType),
    Bytes(LargeBinaryBuilder, DataType),
    List {
        item: Box<Build>,
        offsets: Vec<usize>,
        valid: Vec<bool>,
        ty: DataType,
    },
    Map {
        keys: Box<Build>,
        values: Box<Build>,
        offsets: Vec<usize>,
        valid: Vec<bool>,
        ty: DataType,
    },
    Object(Object),
    /// Built as its values, then cast.
    Dictionary(Box<Build>, DataType),
}

pub(super) struct Object {
    fields: Fields,
    children: Vec<Build>,
    index: HashMap<String, usize>,
    /// Of each row whether it is an object, not null.
    pub(super) valid: Vec<bool>,
}

impl Object {
    pub(super) fn new(fields: &Fields) -> Self {
        let children = fields
            .iter()
            .map(|field| Build::new(field.data_type()))
            .collect();
        let index = fields
            .iter()
            .enumerate()
            .map(|(i, field)| (field.name().clone(), i))
            .collect();
        Self {
            fields: fields.clone(),
            children,
            index,
            valid: Vec::new(),
        }
    }

    pub(super) fn append(&mut self, text: Option<&str>) -> Result<(), Odd> {
        let mut values: Vec<Option<&str>> = vec![None; self.children.len()];
        if let Some(text) = text {
            let mut near = 0;
            members(text, |name, value| {
                // The last of equal keys counts. Names mostly come in the order of the columns.
                let at = if self.fields.get(near).is_some_and(|f| *f.name() == *name) {
                    Some(near)
                } else {
                    self.index.get(&*name).copied()
                };
                if let Some(at) = at {
                    values[at] = Some(value);
                    near = at + 1;
                }
            })?;
        }
        self.valid.push(text.is_some());
        self.children
            .iter_mut()
            .zip(values)
            .try_for_each(|(child, value)| child.append(value.filter(|v| *v != "null")))
    }

    pub(super) fn finish_children(&mut self) -> Result<Vec<ArrayRef>> {
        self.children.iter_mut().map(Build::finish).collect()
    }
}

/// A column of strings. Escapes are undone into its buffer.
#[derive(Default)]
pub(super) struct Texts {
    /// All texts, each of them UTF-8.
    bytes: Vec<u8>,
    /// Where each text ends.
    ends: Vec<usize>,
    valid: Vec<bool>,
}

impl Texts {
    /// Adds the text of a JSON value: see [`plain`].
    fn append(&mut self, value: Option<&str>) {
        if let Some(value) = value {
            let is_escaped = value.starts_with('"') && value.contains('\\');
            if !is_escaped || !append_string(value, &mut self.bytes) {
                self.bytes.extend_from_slice(plain(value).as_bytes());
            }
        }
        self.ends.push(self.bytes.len());
        self.valid.push(value.is_some());
    }

    fn finish(&mut self) -> Result<StringArray> {
        let offsets = std::iter::once(0).chain(std::mem::take(&mut self.ends));
        let offsets: Option<Vec<i32>> = offsets.map(|at| i32::try_from(at).ok()).collect();
        let offsets = offsets.context("more than 2 GB of text in one batch of a column")?;
        let (bytes, nulls) = (std::mem::take(&mut self.bytes), nulls(&self.valid));
        self.valid.clear();
        let offsets = OffsetBuffer::new(offsets.into());
        // SAFETY: the offsets are the ends of the texts, in order, as many as rows and one more,
        // and each text is UTF-8.
        Ok(unsafe { StringArray::new_unchecked(offsets, bytes.into(), nulls) })
    }
}

impl Build {
    pub(super) fn new(ty: &DataType) -> Self {
        match ty {
            DataType::Null => Self::Null(0),
            DataType::Boolean => Self::Boolean(BooleanBuilder::new()),
            DataType::LargeUtf8 | DataType::Utf8View => {
                Self::LargeText(LargeStringBuilder::new(), ty.clone())
            }
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
                Self::Bytes(LargeBinaryBuilder::new(), ty.clone())
            }
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                let item = Box::new(Self::new(item.data_type()));
                Self::List {
                    item,
                    offsets: vec![0],
                    valid: Vec::new(),
                    ty: ty.clone(),
                }
            }
            DataType::Map(entries, _) => {
                let DataType::Struct(fields) = entries.data_type() else {
                    return Self::Text(Texts::default());
                };
                let [keys, values] = [0, 1].map(|i| Box::new(Self::new(fields[i].data_type())));
                Self::Map {
                    keys,
                    values,
                    offsets: vec![0],
                    valid: Vec::new(),
                    ty: ty.clone(),
                }
            }
            DataType::Struct(fields) => Self::Object(Object::new(fields)),
            DataType::Dictionary(_, value) => {
                Self::Dictionary(Box::new(Self::new(value)), ty.clone())
            }
            other => match width(other) {
                Some(width) => Self::Fixed {
                    ty: ty.clone(),
                    width,
                    values: MutableBuffer::new(0),
                    valid: Vec::new(),
                },
                None => Self::Text(Texts::default()),
            },
        }
    }

    fn len(&self) -> usize {
        use arrow::array::ArrayBuilder;
        match self {
            Self::Null(len) => *len,
            Self::Boolean(b) => b.len(),
            Self::Fixed { valid, .. } | Self::List { valid, .. } | Self::Map { valid, .. } => {
                valid.len()
            }
            Self::Text(texts) => texts.valid.len(),
            Self::LargeText(b, _) => b.len(),
            Self::Bytes(b, _) => b.len(),
            Self::Object(object) => object.valid.len(),
            Self::Dictionary(values, _) => values.len(),
        }
    }

    pub(super) fn append(&mut self, value: Option<&str>) -> Result<(), Odd> {
        match self {
            Self::Null(len) => *len += 1,
            Self::Boolean(b) => b.append_option(value.map(|v| v == "true")),
            Self::Fixed {
                ty,
                width,
                values,
                valid,
            } => {
                match value {
                    Some(text) => parse(ty, text, &mut Bytes(values))?,
                    None => values.extend_zeros(*width),
                }
                valid.push(value.is_some());
            }
            Self::Text(texts) => texts.append(value),
            Self::LargeText(b, _) => b.append_option(value.map(plain)),
            Self::Bytes(b, _) => b.append_option(value.map(|v| parse_hex(quoted(v)?)).transpose()?),
            Self::List {
                item,
                offsets,
                valid,
                ty,
            } => {
                let mut result = Ok(());
                if let Some(text) = value {
                    elements(text, |v| {
                        if result.is_ok() {
                            result = item.append((v != "null").then_some(v));
                        }
                    })?;
                } else if let DataType::FixedSizeList(_, len) = ty {
                    (0..*len).try_for_each(|_| item.append(None))?;
                }
                result?;
                offsets.push(item.len());
                valid.push(value.is_some());
            }
            Self::Map {
                keys,
                values,
                offsets,
                valid,
                ty,
            } => {
                let DataType::Map(entries, _) = ty else {
                    return Err(Odd);
                };
                let DataType::Struct(fields) = entries.data_type() else {
                    return Err(Odd);
                };
                let mut result = Ok(());
                if let Some(text) = value {
                    members(text, |name, v| {
                        if result.is_ok() {
                            let key = key_text(fields[0].data_type(), &name);
                            result = keys
                                .append(Some(&key))
                                .and_then(|()| values.append((v != "null").then_some(v)));
                        }
                    })?;
                }
                result?;
                offsets.push(keys.len());
                valid.push(value.is_some());
            }
            Self::Object(object) => object.append(value)?,
            Self::Dictionary(values, _) => values.append(value)?,
        }
        Ok(())
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef> {
        Ok(match self {
            Self::Null(len) => Arc::new(NullArray::new(*len)),
            Self::Boolean(b) => Arc::new(b.finish()),
            Self::Fixed {
                ty, values, valid, ..
            } => {
                let data = ArrayData::builder(ty.clone())
                    .len(valid.len())
                    .nulls(nulls(valid))
                    .add_buffer(std::mem::take(values).into());
                make_array(data.build()?)
            }
            Self::Text(texts) => Arc::new(texts.finish()?),
            Self::LargeText(b, ty) => cast(&b.finish(), ty)?,
            Self::Bytes(b, ty) => cast(&b.finish(), ty)?,
            Self::List {
                item,
                offsets,
                valid,
                ty,
            } => {
                let (items, nulls) = (item.finish()?, nulls(valid));
                match &*ty {
                    DataType::LargeList(field) => Arc::new(GenericListArray::<i64>::try_new(
                        field.clone(),
                        ends(offsets)?,
                        items,
                        nulls,
                    )?),
                    DataType::FixedSizeList(field, len) => {
                        Arc::new(FixedSizeListArray::try_new_with_length(
                            field.clone(),
                            *len,
                            items,
                            nulls,
                            valid.len(),
                        )?)
                    }
                    DataType::List(field) => Arc::new(GenericListArray::<i32>::try_new(
                        field.clone(),
                        ends(offsets)?,
                        items,
                        nulls,
                    )?),
                    other => anyhow::bail!("{other} is no list"),
                }
            }
            Self::Map {
                keys,
                values,
                offsets,
                valid,
                ty,
            } => {
                let DataType::Map(entries, sorted) = &*ty else {
                    anyhow::bail!("{ty} is no map")
                };
                let DataType::Struct(fields) = entries.data_type() else {
                    anyhow::bail!("{ty} is no map")
                };
                let pairs = StructArray::try_new(
                    fields.clone(),
                    vec![keys.finish()?, values.finish()?],
                    None,
                )?;
                Arc::new(MapArray::try_new(
                    entries.clone(),
                    ends(offsets)?,
                    pairs,
                    nulls(valid),
                    *sorted,
                )?)
            }
            Self::Object(object) => {
                let children = object.finish_children()?;
                Arc::new(StructArray::try_new_with_length(
                    object.fields.clone(),
                    children,
                    nulls(&object.valid),
                    object.valid.len(),
                )?)
            }
            Self::Dictionary(values, ty) => {
                let values = values.finish()?;
                let made = cast(&values, ty)?;
                anyhow::ensure!(
                    made.logical_null_count() == values.logical_null_count(),
                    "{ty} has no room for all values"
                );
                made
            }
        })
    }
}

fn nulls(valid: &[bool]) -> Option<NullBuffer> {
    valid.contains(&false).then(|| NullBuffer::from(valid))
}

fn ends<T: arrow::array::OffsetSizeTrait>(offsets: &[usize]) -> Result<OffsetBuffer<T>> {
    let offsets: Option<Vec<T>> = offsets.iter().map(|at| T::from_usize(*at)).collect();
    Ok(OffsetBuffer::new(
        offsets
            .context("lists of more than 2^31 values in one row group")?
            .into(),
    ))
}

/// A string as it is, any other value as its JSON text.
fn plain(value: &str) -> Cow<'_, str> {
    match value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) {
        Some(inner) if !inner.contains('\\') => Cow::Borrowed(inner),
        Some(_) => Cow::Owned(unquoted(value)),
        None => Cow::Borrowed(value),
    }
}
