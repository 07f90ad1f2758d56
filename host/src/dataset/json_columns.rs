//! From JSON rows to columns of the types that [`Shape`] found.

use super::json::{Odd, Paths, Scanner, elements, members, read_string, standard};
use super::shape::{Kind, Shape};
use anyhow::{Context, Result};
use arrow::array::{
    ArrayBuilder, ArrayRef, AsArray, BooleanBuilder, Float64Builder, Int64Builder, ListArray, MapArray, RecordBatch, RecordBatchOptions,
    StringBuilder, StructArray, UInt64Builder, new_empty_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Fields, SchemaRef};
use memchr::memmem;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// The rows in `lines`, each ended by a line feed, as one record batch of `schema`, which is that of `shape`.
pub(super) fn to_columns(lines: &[u8], shape: &Shape, schema: &SchemaRef) -> Result<RecordBatch> {
    let mut columns = Object::new(shape.fields(), schema.fields());
    for line in lines.split_inclusive(|&b| b == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let text = simdutf8::basic::from_utf8(line)?;
        // Lone surrogates and `NaN` make a row odd; it is known to be sound otherwise.
        if is_odd(text) || columns.append(Some(text)).is_err() {
            let text = String::from_utf8(standard(line))?;
            columns.append(Some(&text)).ok().context("a row of the output is not what it was when it was written")?;
        }
    }
    let rows = columns.valid.len();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns.finish_children(), &options)?)
}

/// Whether the row must be made standard first: nothing may be appended of a row that fails in the middle.
fn is_odd(text: &str) -> bool {
    let nothing = Paths::new([]);
    let plain = Scanner::new(text.as_bytes(), 0, text.len(), &nothing).scan(&mut [], &mut Vec::new());
    plain.is_err() || (memmem::find(text.as_bytes(), b"\\u").is_some() && standard(text.as_bytes()) != text.as_bytes())
}

/// One column under construction.
enum Build {
    Boolean(BooleanBuilder),
    Int(Int64Builder),
    Uint(UInt64Builder),
    Float(Float64Builder),
    Text(StringBuilder),
    List {
        item: Box<Build>,
        offsets: Vec<i32>,
        valid: Vec<bool>,
        data_type: DataType,
    },
    Object(Object),
    /// Objects that never have a member.
    Empty {
        valid: Vec<bool>,
        data_type: DataType,
    },
}

struct Object {
    fields: Fields,
    children: Vec<Build>,
    index: HashMap<String, usize>,
    valid: Vec<bool>,
}

impl Object {
    fn new(kinds: &[(String, Kind)], fields: &Fields) -> Self {
        let children = kinds.iter().zip(fields).map(|((_, kind), field)| Build::new(kind, field.data_type())).collect();
        let index = kinds.iter().enumerate().map(|(i, (name, _))| (name.clone(), i)).collect();
        Self { fields: fields.clone(), children, index, valid: Vec::new() }
    }

    fn append(&mut self, text: Option<&str>) -> Result<(), Odd> {
        let mut values: Vec<Option<&str>> = vec![None; self.children.len()];
        if let Some(text) = text {
            let mut near = 0;
            members(text, |name, value| {
                // Of equal keys the last one counts. Names mostly come in the order of the columns.
                let at =
                    if self.fields.get(near).is_some_and(|f| *f.name() == *name) { Some(near) } else { self.index.get(&*name).copied() };
                if let Some(at) = at {
                    values[at] = Some(value);
                    near = at + 1;
                }
            })?;
        }
        self.valid.push(text.is_some());
        self.children.iter_mut().zip(values).try_for_each(|(child, value)| child.append(value.filter(|v| *v != "null")))
    }

    fn finish_children(&mut self) -> Vec<ArrayRef> {
        self.children.iter_mut().map(Build::finish).collect()
    }
}

impl Build {
    fn new(kind: &Kind, data_type: &DataType) -> Self {
        match (kind, data_type) {
            (Kind::Boolean, _) => Self::Boolean(BooleanBuilder::new()),
            (Kind::Int { .. }, _) => Self::Int(Int64Builder::new()),
            (Kind::Uint { .. }, _) => Self::Uint(UInt64Builder::new()),
            (Kind::Float { .. }, _) => Self::Float(Float64Builder::new()),
            (Kind::List(item), DataType::List(field)) => {
                let item = Box::new(Self::new(item, field.data_type()));
                Self::List { item, offsets: vec![0], valid: Vec::new(), data_type: data_type.clone() }
            }
            (Kind::Object(kinds), DataType::Struct(fields)) => Self::Object(Object::new(kinds, fields)),
            (Kind::Object(_), DataType::Map(..)) => Self::Empty { valid: Vec::new(), data_type: data_type.clone() },
            _ => Self::Text(StringBuilder::new()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Boolean(b) => b.len(),
            Self::Int(b) => b.len(),
            Self::Uint(b) => b.len(),
            Self::Float(b) => b.len(),
            Self::Text(b) => b.len(),
            Self::List { valid, .. } => valid.len(),
            Self::Object(object) => object.valid.len(),
            Self::Empty { valid, .. } => valid.len(),
        }
    }

    fn append(&mut self, value: Option<&str>) -> Result<(), Odd> {
        match self {
            Self::Boolean(b) => b.append_option(value.map(|v| v == "true")),
            Self::Int(b) => b.append_option(value.map(str::parse).transpose().map_err(|_| Odd)?),
            Self::Uint(b) => b.append_option(value.map(str::parse).transpose().map_err(|_| Odd)?),
            Self::Float(b) => b.append_option(value.map(str::parse).transpose().map_err(|_| Odd)?),
            Self::Text(b) => match value {
                None => b.append_null(),
                Some(text) if text.starts_with('"') => b.append_value(unquote(text)?),
                Some(text) => b.append_value(text),
            },
            Self::List { item, offsets, valid, .. } => {
                let mut result = Ok(());
                if let Some(text) = value {
                    elements(text, |v| {
                        if result.is_ok() {
                            result = item.append((v != "null").then_some(v));
                        }
                    })?;
                }
                result?;
                offsets.push(i32::try_from(item.len()).map_err(|_| Odd)?);
                valid.push(value.is_some());
            }
            Self::Object(object) => object.append(value)?,
            Self::Empty { valid, .. } => valid.push(value.is_some()),
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Boolean(b) => Arc::new(b.finish()),
            Self::Int(b) => Arc::new(b.finish()),
            Self::Uint(b) => Arc::new(b.finish()),
            Self::Float(b) => Arc::new(b.finish()),
            Self::Text(b) => Arc::new(b.finish()),
            Self::List { item, offsets, valid, data_type } => {
                let DataType::List(field) = &*data_type else { unreachable!("lists are made for list types") };
                let offsets = OffsetBuffer::new(ScalarBuffer::from(std::mem::take(offsets)));
                Arc::new(ListArray::new(Arc::clone(field), offsets, item.finish(), nulls(valid)))
            }
            Self::Object(object) => {
                let children = object.finish_children();
                let (fields, valid) = (object.fields.clone(), nulls(&object.valid));
                Arc::new(
                    StructArray::try_new_with_length(fields, children, valid, object.valid.len()).expect("one child per field, as long"),
                )
            }
            Self::Empty { valid, data_type } => {
                let DataType::Map(entries, sorted) = &*data_type else { unreachable!("made for map types") };
                let none = new_empty_array(entries.data_type()).as_struct().clone();
                Arc::new(MapArray::new(entries.clone(), OffsetBuffer::new_zeroed(valid.len()), none, nulls(valid), *sorted))
            }
        }
    }
}

fn nulls(valid: &[bool]) -> Option<NullBuffer> {
    valid.contains(&false).then(|| NullBuffer::from(valid))
}

fn unquote(text: &str) -> Result<Cow<'_, str>, Odd> {
    if text.contains('\\') { read_string(text).map(Cow::Owned).ok_or(Odd) } else { Ok(Cow::Borrowed(&text[1..text.len() - 1])) }
}
