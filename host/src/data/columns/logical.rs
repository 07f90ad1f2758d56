//! What Parquet says of a leaf beside its type in Arrow: it is a UUID, JSON, a geometry, a time of
//! UTC; and of a group: it is a variant. As long as the rows are Arrow it stands in the field's
//! metadata, in the words that Arrow's libraries have for it.

use super::widen::list_item;
use anyhow::{Context, Result};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::{ConvertedType, LogicalType};
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor, Type, TypePtr};
use std::iter::Peekable;
use std::sync::Arc;

/// Arrow's keys for canonical extension types.
const NAME: &str = "ARROW:extension:name";
const PARAMETERS: &str = "ARROW:extension:metadata";
const UUID: &str = "arrow.uuid";
const JSON: &str = "arrow.json";
/// The key of `parquet` for times.
const UTC: &str = "adjusted_to_utc";
/// GeoArrow's name for geometries in well-known binary.
const WKB: &str = "geoarrow.wkb";
/// For what Arrow has no word, or one that says less: [`word`].
const OTHER: &str = "djhost:parquet";

/// Whether metadata of this key says of what kind the values of a field are.
pub(crate) fn is_of_values(key: &str) -> bool {
    key.starts_with("ARROW:extension:") || [UTC, OTHER].contains(&key)
}

/// What `schema` says of the values of its columns and of what is within them, and `all`, made of
/// it and of others, does not: path and words.
pub(crate) fn lost_marks(schema: &Schema, all: &Schema) -> Vec<(String, String)> {
    let mut lost = Vec::new();
    for field in schema.fields() {
        if let Ok(of_all) = all.field_with_name(field.name()) {
            compare(field, of_all, field.name(), &mut lost);
        }
    }
    lost
}

fn compare(field: &Field, of_all: &Field, path: &str, lost: &mut Vec<(String, String)>) {
    use DataType::*;
    let kept = |key: &str| field.metadata().get(key) == of_all.metadata().get(key);
    let said = |key: &str| field.metadata().get(key).filter(|_| !kept(key));
    let words = said(UTC).map(|_| "a time of UTC".to_owned());
    let words = words.or_else(|| said(OTHER).cloned());
    let words = words.or_else(|| said(NAME).map(|name| format!("`{name}`")));
    if let Some(words) = words.or_else(|| said(PARAMETERS).cloned()) {
        lost.push((path.to_owned(), words));
    }
    match (field.data_type(), of_all.data_type()) {
        (Map(entries, _), Map(of_all, _)) => compare(entries, of_all, path, lost),
        (Struct(members), Struct(all)) => {
            for member in members {
                if let Some((_, of_all)) = all.find(member.name()) {
                    compare(member, of_all, &format!("{path}.{}", member.name()), lost);
                }
            }
        }
        (a, b) => {
            if let (Some(item), Some(of_all)) = (list_item(a), list_item(b)) {
                compare(item, of_all, &format!("{path}[]"), lost);
            }
        }
    }
}

/// `field`, read of the leaf `of`, with what that says.
fn marked(field: Field, of: &ColumnDescPtr, times: Times) -> Field {
    if field.metadata().contains_key(NAME) && field.metadata().contains_key(OTHER) {
        return field;
    }
    let extension = |field: Field, name: &str, is: &str| {
        if field.metadata().contains_key(NAME) {
            return field;
        }
        with(with(field, NAME, name), PARAMETERS, is)
    };
    let other = |field: Field, ty: &LogicalType| match word(ty) {
        Some(word) => with(field, OTHER, &word),
        None => field,
    };
    match (of.logical_type_ref(), of.converted_type()) {
        (Some(LogicalType::Uuid), _) => extension(field, UUID, ""),
        (Some(LogicalType::Json), _) | (None, ConvertedType::JSON) => extension(field, JSON, ""),
        (Some(LogicalType::Time(time)), _) if time.is_adjusted_to_u_t_c && times == Times::Said => {
            with(field, UTC, "true")
        }
        (Some(ty @ (LogicalType::Geometry(_) | LogicalType::Geography(_))), _) => {
            other(extension(field, WKB, &of_wkb(ty)), ty)
        }
        (Some(ty), _) => other(field, ty),
        (None, ConvertedType::ENUM) => other(field, &LogicalType::Enum),
        (None, ConvertedType::BSON) => other(field, &LogicalType::Bson),
        _ => field,
    }
}

fn with(mut field: Field, key: &str, value: &str) -> Field {
    field.metadata_mut().insert(key, value);
    field
}

/// A type of Parquet in words of its format, parameters behind it: `ENUM`, `GEOMETRY EPSG:3857`.
/// None where Arrow's type says it.
fn word(ty: &LogicalType) -> Option<String> {
    let with = |word: String, crs: &Option<String>| match crs {
        Some(crs) => format!("{word} {crs}"),
        None => word,
    };
    Some(match ty {
        LogicalType::Enum => "ENUM".to_owned(),
        LogicalType::Bson => "BSON".to_owned(),
        LogicalType::Geometry(of) => with("GEOMETRY".to_owned(), &of.crs),
        LogicalType::Geography(of) => {
            let edges = of.algorithm.map(|a| a.to_string());
            let word = format!("GEOGRAPHY:{}", edges.unwrap_or_default());
            with(word, &of.crs)
        }
        LogicalType::Variant(of) => format!(
            "VARIANT:{}",
            of.specification_version
                .map(|v| v.to_string())
                .unwrap_or_default()
        ),
        _ => return None,
    })
}

/// Reverses [`word`].
fn of_word(word: &str) -> Option<LogicalType> {
    let (kind, crs) = match word.split_once(' ') {
        Some((kind, crs)) => (kind, Some(crs.to_owned())),
        None => (word, None),
    };
    let (kind, parameter) = kind.split_once(':').unwrap_or((kind, ""));
    Some(match kind {
        "ENUM" => LogicalType::Enum,
        "BSON" => LogicalType::Bson,
        "GEOMETRY" => LogicalType::geometry(crs),
        "GEOGRAPHY" => LogicalType::geography(crs, parameter.parse().ok()),
        "VARIANT" => LogicalType::variant(parameter.parse().ok()),
        _ => return None,
    })
}

/// GeoArrow's parameters of a geometry. Parquet means longitude and latitude where it names no
/// system of coordinates, and `srid:0` where there is none.
fn of_wkb(ty: &LogicalType) -> String {
    let (crs, edges) = match ty {
        LogicalType::Geometry(of) => (&of.crs, None),
        LogicalType::Geography(of) => (
            &of.crs,
            of.algorithm()
                .map(|edges| edges.to_string().to_ascii_lowercase()),
        ),
        _ => return String::new(),
    };
    let mut parameters = serde_json::Map::new();
    match crs.as_deref() {
        Some("srid:0") => None,
        None => parameters.insert("crs".to_owned(), "OGC:CRS84".into()),
        Some(crs) => {
            let object = serde_json::from_str(crs).map(serde_json::Value::Object);
            parameters.insert("crs".to_owned(), object.unwrap_or_else(|_| crs.into()))
        }
    };
    if let Some(edges) = edges {
        parameters.insert("edges".to_owned(), edges.into());
    }
    serde_json::Value::Object(parameters).to_string()
}

/// Whether what a file says of times and UTC counts.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Times {
    /// It does.
    Said,
    /// Writers of Arrow's types, which have no such times, say it of all (pyarrow).
    Unsaid,
}

/// `schema`, read of a file of `descriptor`, with what that says of its leaves and groups beside
/// their types.
pub(crate) fn with_marks(
    schema: &Schema,
    descriptor: &SchemaDescriptor,
    times: Times,
) -> SchemaRef {
    let mut leaves = descriptor.columns().iter();
    let mut mark = |field: Field| match leaves.next() {
        Some(leaf) => marked(field, leaf, times),
        None => field,
    };
    let fields: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| each_leaf(field, &mut mark))
        .collect();
    let mut variants = Vec::new();
    for root in descriptor.root_schema().get_fields() {
        variants_in(root, &mut variants);
    }
    let mut place = 0;
    let fields: Vec<_> = fields
        .iter()
        .map(|field| with_variants(field, &variants, &mut place))
        .collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// A variant is a group whose first member is a leaf, `metadata`.
fn begins_with_leaf(members: &Fields) -> bool {
    members
        .first()
        .is_some_and(|first| !first.data_type().is_nested())
}

/// Appends for each leaf of `ty` what is said of the group that it is the first member of, if that
/// is a variant.
fn variants_in(ty: &Type, variants: &mut Vec<Option<String>>) {
    if !ty.is_group() {
        return variants.push(None);
    }
    let first = variants.len();
    for member in ty.get_fields() {
        variants_in(member, variants);
    }
    if let (Some(of @ LogicalType::Variant(_)), Some(leaf)) = (
        ty.get_basic_info().logical_type_ref(),
        variants.get_mut(first),
    ) {
        *leaf = word(of);
    }
}

/// The field with the marks of variants. `place`: the number of its first leaf; afterwards, of the
/// next field's.
fn with_variants(field: &FieldRef, variants: &[Option<String>], place: &mut usize) -> FieldRef {
    use DataType::*;
    let mut new = field.as_ref().clone();
    new = match field.data_type() {
        Struct(members) => {
            let variant = variants.get(*place).cloned().flatten();
            let variant = variant.filter(|_| begins_with_leaf(members));
            let members = members
                .iter()
                .map(|member| with_variants(member, variants, place))
                .collect();
            let new = new.with_data_type(Struct(members));
            match variant {
                Some(variant) => with(new, OTHER, &variant),
                None => new,
            }
        }
        List(item) => new.with_data_type(List(with_variants(item, variants, place))),
        LargeList(item) => new.with_data_type(LargeList(with_variants(item, variants, place))),
        Map(entries, sorted) => {
            new.with_data_type(Map(with_variants(entries, variants, place), *sorted))
        }
        _ => {
            *place += 1;
            return field.clone();
        }
    };
    Arc::new(new)
}

/// The field with `change` made to each leaf in it, in the order of Parquet's leaves.
pub(crate) fn each_leaf(field: &FieldRef, change: &mut dyn FnMut(Field) -> Field) -> FieldRef {
    use DataType::*;
    let ty = match field.data_type() {
        Struct(fields) => Struct(fields.iter().map(|f| each_leaf(f, change)).collect()),
        List(item) => List(each_leaf(item, change)),
        LargeList(item) => LargeList(each_leaf(item, change)),
        ListView(item) => ListView(each_leaf(item, change)),
        LargeListView(item) => LargeListView(each_leaf(item, change)),
        FixedSizeList(item, n) => FixedSizeList(each_leaf(item, change), *n),
        Map(entries, sorted) => Map(each_leaf(entries, change), *sorted),
        _ => return Arc::new(change(field.as_ref().clone())),
    };
    Arc::new(field.as_ref().clone().with_data_type(ty))
}

/// What a leaf is, and the group that it is the first member of, where only metadata says it.
#[derive(Default)]
struct Leaf {
    ty: Option<LogicalType>,
    group: Option<LogicalType>,
}

/// The schema that Parquet writes for `schema`, with what [`with_marks`] noted; None where there is
/// nothing of that.
pub(crate) fn parquet_schema(schema: &Schema) -> Result<Option<SchemaDescriptor>> {
    let mut leaves = Vec::new();
    for field in schema.fields() {
        leaves_of(field, &mut leaves);
    }
    if leaves
        .iter()
        .all(|leaf| leaf.ty.is_none() && leaf.group.is_none())
    {
        return Ok(None);
    }
    let plain = ArrowSchemaConverter::new().convert(schema)?;
    let root = rebuilt(&plain.root_schema_ptr(), &mut leaves.into_iter().peekable())?;
    Ok(Some(SchemaDescriptor::new(root)))
}

fn leaves_of(field: &Field, leaves: &mut Vec<Leaf>) {
    match field.data_type() {
        DataType::Struct(members) => {
            let first = leaves.len();
            members.iter().for_each(|member| leaves_of(member, leaves));
            let of = field.metadata().get(OTHER).and_then(|word| of_word(word));
            let of =
                of.filter(|of| matches!(of, LogicalType::Variant(_)) && begins_with_leaf(members));
            if let (Some(of), Some(leaf)) = (of, leaves.get_mut(first)) {
                leaf.group = Some(of);
            }
        }
        DataType::Map(entries, _) => leaves_of(entries, leaves),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => leaves_of(item, leaves),
        _ => leaves.push(Leaf {
            ty: logical(field),
            group: None,
        }),
    }
}

fn logical(field: &Field) -> Option<LogicalType> {
    use DataType::*;
    let key = |key: &str| field.metadata().get(key).map(String::as_str);
    let ty = match field.data_type() {
        Dictionary(_, value) => value,
        ty => ty,
    };
    match (ty, key(NAME), key(OTHER)) {
        (FixedSizeBinary(16), Some(UUID), _) => Some(LogicalType::Uuid),
        (Utf8 | LargeUtf8 | Utf8View, Some(JSON), _) => Some(LogicalType::Json),
        (Binary | LargeBinary | BinaryView, _, Some(word)) => {
            of_word(word).filter(|ty| !matches!(ty, LogicalType::Variant(_)))
        }
        _ => None,
    }
}

/// `ty` with what `leaves` say of its leaves and groups.
fn rebuilt(ty: &TypePtr, leaves: &mut Peekable<impl Iterator<Item = Leaf>>) -> Result<TypePtr> {
    let mut new = ty.as_ref().clone();
    match &mut new {
        Type::GroupType { basic_info, fields } => {
            let first = fields.first().is_some_and(|first| first.is_primitive());
            let variant = leaves
                .peek_mut()
                .filter(|_| first)
                .and_then(|leaf| leaf.group.take());
            for field in fields.iter_mut() {
                *field = rebuilt(field, leaves)?;
            }
            if variant.is_some() {
                let id = basic_info.has_id().then(|| basic_info.id());
                let built = Type::group_type_builder(basic_info.name())
                    .with_repetition(basic_info.repetition())
                    .with_fields(fields.clone())
                    .with_id(id)
                    .with_logical_type(variant);
                new = built.build()?;
            }
        }
        Type::PrimitiveType {
            basic_info,
            physical_type,
            type_length,
            ..
        } => {
            let leaf = leaves.next().context("fewer leaves than Parquet has")?;
            let Some(logical) = leaf.ty else {
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
