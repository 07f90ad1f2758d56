//! Columns as JSON, with the types that `arrow-json` refuses: maps whose keys are not strings, and unions.

use arrow::array::{Array, AsArray, MapArray, UnionArray};
use arrow::datatypes::{DataType, FieldRef};
use arrow::error::ArrowError;
use arrow::json::writer::{Encoder, EncoderFactory, EncoderOptions, NullableEncoder, make_encoder};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use std::sync::Arc;

/// Nulls are written out.
pub(super) fn options() -> EncoderOptions {
    EncoderOptions::default().with_explicit_nulls(true).with_encoder_factory(factory())
}

/// What encodes the types that need it.
pub(super) fn factory() -> Arc<dyn EncoderFactory> {
    Arc::new(MoreTypes)
}

#[derive(Debug)]
struct MoreTypes;

impl EncoderFactory for MoreTypes {
    fn make_default_encoder<'a>(
        &self,
        field: &'a FieldRef,
        array: &'a dyn Array,
        options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let is_text = |ty: &DataType| matches!(ty, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        Ok(match array.data_type() {
            DataType::Map(..) if !is_text(array.as_map().keys().data_type()) => {
                let encoder = KeyedMap::new(field, array.as_map(), options)?;
                Some(NullableEncoder::new(Box::new(encoder), array.nulls().cloned()))
            }
            DataType::Union(..) => {
                let Some(union) = array.as_any().downcast_ref::<UnionArray>() else { return Ok(None) };
                Some(NullableEncoder::new(Box::new(Variants::new(union, options)?), array.logical_nulls()))
            }
            _ => None,
        })
    }
}

/// A map as an object, as Python's `json` writes it: the keys are spelled as strings.
struct KeyedMap<'a> {
    map: &'a MapArray,
    keys: ArrayFormatter<'a>,
    values: NullableEncoder<'a>,
}

impl<'a> KeyedMap<'a> {
    fn new(field: &'a FieldRef, map: &'a MapArray, options: &'a EncoderOptions) -> Result<Self, ArrowError> {
        let keys = ArrayFormatter::try_new(map.keys(), &FormatOptions::default())?;
        Ok(Self { map, keys, values: make_encoder(field, map.values(), options)? })
    }
}

impl Encoder for KeyedMap<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let offsets = self.map.value_offsets();
        out.push(b'{');
        for entry in offsets[row] as usize..offsets[row + 1] as usize {
            if entry > offsets[row] as usize {
                out.push(b',');
            }
            super::json::write_string(&self.keys.value(entry).to_string(), out);
            out.push(b':');
            if self.values.is_null(entry) {
                out.extend_from_slice(b"null");
            } else {
                self.values.encode(entry, out);
            }
        }
        out.push(b'}');
    }
}

/// A union as the value that it holds.
struct Variants<'a> {
    union: &'a UnionArray,
    children: Vec<(i8, NullableEncoder<'a>)>,
}

impl<'a> Variants<'a> {
    fn new(union: &'a UnionArray, options: &'a EncoderOptions) -> Result<Self, ArrowError> {
        let DataType::Union(fields, _) = union.data_type() else { return Err(ArrowError::JsonError("not a union".into())) };
        let children = fields.iter().map(|(id, field)| Ok((id, make_encoder(field, union.child(id), options)?)));
        Ok(Self { union, children: children.collect::<Result<_, ArrowError>>()? })
    }
}

impl Encoder for Variants<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let (id, at) = (self.union.type_id(row), self.union.value_offset(row));
        match self.children.iter_mut().find(|(child, _)| *child == id) {
            Some((_, child)) if !child.is_null(at) => child.encode(at, out),
            _ => out.extend_from_slice(b"null"),
        }
    }
}
