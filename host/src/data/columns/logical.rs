//! What Parquet says of a leaf beside its type in Arrow: it is a UUID, JSON, a time of UTC. As long
//! as the rows are Arrow it stands in the field's metadata, in the words that Arrow's libraries have
//! for it.

use anyhow::{Context, Result};
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::{ConvertedType, LogicalType};
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor, Type, TypePtr};
use std::sync::Arc;

/// Arrow's keys for canonical extension types.
const NAME: &str = "ARROW:extension:name";
const PARAMETERS: &str = "ARROW:extension:metadata";
const UUID: &str = "arrow.uuid";
const JSON: &str = "arrow.json";
/// The key of `parquet` for times.
const UTC: &str = "adjusted_to_utc";
/// For what Arrow has no word.
const OTHER: &str = "djhost:parquet";
const ENUM: &str = "ENUM";
const BSON: &str = "BSON";

/// Whether metadata of this key says of what kind the values of a field are.
pub(crate) fn is_of_values(key: &str) -> bool {
    key.starts_with("ARROW:extension:") || [UTC, OTHER].contains(&key)
}

/// `field`, read of the leaf `of`, with what that says.
pub(crate) fn marked(field: Field, of: &ColumnDescPtr) -> Field {
    let with = |mut field: Field, key: &str, value: &str| {
        field.metadata_mut().insert(key, value);
        field
    };
    let extension = |field: Field, name: &str| with(with(field, NAME, name), PARAMETERS, "");
    match (of.logical_type_ref(), of.converted_type()) {
        (Some(LogicalType::Uuid), _) => extension(field, UUID),
        (Some(LogicalType::Json), _) | (None, ConvertedType::JSON) => extension(field, JSON),
        (Some(LogicalType::Time(time)), _) if time.is_adjusted_to_u_t_c => with(field, UTC, "true"),
        (Some(LogicalType::Enum), _) | (None, ConvertedType::ENUM) => with(field, OTHER, ENUM),
        (Some(LogicalType::Bson), _) | (None, ConvertedType::BSON) => with(field, OTHER, BSON),
        _ => field,
    }
}

/// The field with `change` made to each leaf in it, in the order of Parquet's leaves.
pub(crate) fn each_leaf(field: &FieldRef, change: &mut dyn FnMut(Field) -> Field) -> FieldRef {
    use DataType::*;
    let ty = match field.data_type() {
        Struct(fields) => Struct(fields.iter().map(|f| each_leaf(f, change)).collect()),
        List(item) => List(each_leaf(item, change)),
        Map(entries, sorted) => Map(each_leaf(entries, change), *sorted),
        _ => return Arc::new(change(field.as_ref().clone())),
    };
    Arc::new(field.as_ref().clone().with_data_type(ty))
}

/// The schema that Parquet writes for `schema`, with what [`marked`] noted; None where there is
/// nothing of that.
pub(crate) fn parquet_schema(schema: &Schema) -> Result<Option<SchemaDescriptor>> {
    let mut types = Vec::new();
    schema
        .fields()
        .iter()
        .for_each(|field| leaves(field, &mut types));
    if types.iter().all(Option::is_none) {
        return Ok(None);
    }
    let plain = ArrowSchemaConverter::new().convert(schema)?;
    let root = rebuilt(&plain.root_schema_ptr(), &mut types.into_iter())?;
    Ok(Some(SchemaDescriptor::new(root)))
}

/// The types of the leaves of a field that only its metadata says.
fn leaves(field: &Field, types: &mut Vec<Option<LogicalType>>) {
    match field.data_type() {
        DataType::Struct(fields) => fields.iter().for_each(|field| leaves(field, types)),
        DataType::Map(entries, _) => leaves(entries, types),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => leaves(item, types),
        _ => types.push(logical(field)),
    }
}

fn logical(field: &Field) -> Option<LogicalType> {
    use DataType::*;
    let word = |key: &str| field.metadata().get(key).map(String::as_str);
    let ty = match field.data_type() {
        Dictionary(_, value) => value,
        ty => ty,
    };
    match (ty, word(NAME), word(OTHER)) {
        (FixedSizeBinary(16), Some(UUID), _) => Some(LogicalType::Uuid),
        (Utf8 | LargeUtf8 | Utf8View, Some(JSON), _) => Some(LogicalType::Json),
        (Binary | LargeBinary | BinaryView, _, Some(ENUM)) => Some(LogicalType::Enum),
        (Binary | LargeBinary | BinaryView, _, Some(BSON)) => Some(LogicalType::Bson),
        _ => None,
    }
}

/// `ty` with these types of its leaves.
fn rebuilt(ty: &TypePtr, types: &mut impl Iterator<Item = Option<LogicalType>>) -> Result<TypePtr> {
    let mut new = ty.as_ref().clone();
    match &mut new {
        Type::GroupType { fields, .. } => {
            for field in fields {
                *field = rebuilt(field, types)?;
            }
        }
        Type::PrimitiveType {
            basic_info,
            physical_type,
            type_length,
            ..
        } => {
            let Some(logical) = types.next().context("fewer leaves than Parquet has")? else {
                return Ok(Arc::clone(ty));
            };
            let id = basic_info.has_id().then(|| basic_info.id());
            let built = Type::primitive_type_builder(basic_info.name(), *physical_type)
                .with_repetition(basic_info.repetition())
                .with_length(*type_length)
                .with_id(id)
                .with_logical_type(Some(logical));
            new = built.build()?;
        }
    }
    Ok(Arc::new(new))
}
