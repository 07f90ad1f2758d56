//! Finds the type that holds the values of two, for files of one dataset whose columns differ.
//!
//! [`conform`](super::conform) checks whether each value survives: a 64-bit whole number in a
//! column of doubles, or a time in the year 3000 in nanoseconds, may not.

use super::convert::is_text;
use super::hugging_face;
use super::logical;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, TimeUnit};
use std::cell::Cell;
use std::sync::Arc;

/// Two types without a common one.
#[derive(Debug)]
pub(crate) struct Clash {
    /// Names joined by dots.
    pub(crate) path: String,
    pub(crate) first: DataType,
    pub(crate) second: DataType,
}

/// The columns of both: those of `a` in their order, then the new ones of `b`. Keeps the metadata
/// of both (`huggingface`, `pandas`); where they differ, that of `a`.
pub(crate) fn unify(a: &Schema, b: &Schema) -> Result<Schema, Clash> {
    let fields = unify_fields(a.fields(), b.fields())?;
    let mut metadata = b.metadata().clone();
    metadata.extend(
        a.metadata()
            .iter()
            .map(|(key, value)| (key.clone(), value.clone())),
    );
    let described = |schema: &Schema| schema.metadata().get(hugging_face::KEY).cloned();
    let (of_a, of_b) = (described(a), described(b));
    match hugging_face::unified(
        (of_a.as_deref(), a.fields()),
        (of_b.as_deref(), b.fields()),
        &fields,
    ) {
        Some(text) => metadata.insert(hugging_face::KEY, text),
        None => metadata.remove(hugging_face::KEY),
    };
    Ok(Schema::new_with_metadata(fields, metadata))
}

fn unify_fields(a: &Fields, b: &Fields) -> Result<Fields, Clash> {
    if a == b {
        return Ok(a.clone());
    }
    let mut fields: Vec<FieldRef> = Vec::new();
    for field in a {
        fields.push(match b.find(field.name()) {
            Some((_, other)) => {
                unify_field(field, other).map_err(|clash| clash.below(field.name()))?
            }
            None => Arc::new(field.as_ref().clone().with_nullable(true)),
        });
    }
    let new = b.iter().filter(|f| a.find(f.name()).is_none());
    fields.extend(new.map(|f| Arc::new(f.as_ref().clone().with_nullable(true))));
    Ok(fields.into())
}

fn unify_field(a: &FieldRef, b: &FieldRef) -> Result<FieldRef, Clash> {
    let ty = unify_types(a.data_type(), b.data_type())?;
    let mut metadata = b.metadata().clone();
    metadata.extend(
        a.metadata()
            .iter()
            .map(|(key, value)| (key.clone(), value.clone())),
    );
    // What is JSON in one file may be any text in the other.
    if ![a, b].iter().any(|f| f.data_type() == &DataType::Null) {
        metadata.retain(|key, _| {
            !logical::is_of_values(key) || a.metadata().get(key) == b.metadata().get(key)
        });
    }
    let nullable =
        a.is_nullable() || b.is_nullable() || [a, b].iter().any(|f| f.data_type() != &ty);
    Ok(Arc::new(
        retyped(a, ty)
            .with_metadata(metadata)
            .with_nullable(nullable),
    ))
}

/// `field` with another type, without metadata that describes the old one.
pub(crate) fn retyped(field: &Field, ty: DataType) -> Field {
    let mut field = field.clone();
    if !ty.equals_datatype(field.data_type()) {
        field
            .metadata_mut()
            .retain(|key, _| !key.starts_with("ARROW:extension:"));
    }
    field.with_data_type(ty)
}

impl Clash {
    fn below(mut self, name: &str) -> Self {
        self.path = if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{name}.{}", self.path)
        };
        self
    }
}

/// The narrowest type that holds the values of both.
fn unify_types(a: &DataType, b: &DataType) -> Result<DataType, Clash> {
    use DataType::*;
    let clash = || Clash {
        path: String::new(),
        first: a.clone(),
        second: b.clone(),
    };
    Ok(match (a, b) {
        (a, b) if a == b => a.clone(),
        (Null, ty) | (ty, Null) => ty.clone(),
        (Dictionary(key, value), Dictionary(other, values)) => Dictionary(
            Box::new(integer(key, other)),
            Box::new(unify_types(value, values)?),
        ),
        (a, b) if is_text(a) && is_text(b) => {
            if matches!((a, b), (LargeUtf8, _) | (_, LargeUtf8)) {
                LargeUtf8
            } else {
                Utf8
            }
        }
        (Dictionary(_, value), other) | (other, Dictionary(_, value)) => unify_types(value, other)?,
        (RunEndEncoded(_, value), other) | (other, RunEndEncoded(_, value)) => {
            unify_types(value.data_type(), other)?
        }
        (a, b) if is_bytes(a) && is_bytes(b) => {
            if matches!((a, b), (LargeBinary, _) | (_, LargeBinary)) {
                LargeBinary
            } else {
                Binary
            }
        }
        (UInt64, b) if b.is_unsigned_integer() => UInt64,
        (a, UInt64) if a.is_unsigned_integer() => UInt64,
        (a, b) if a.is_integer() && b.is_integer() => Int64,
        (a, b) if (a.is_integer() || a.is_floating()) && (b.is_integer() || b.is_floating()) => {
            Float64
        }
        (a, b) if a.is_decimal() || b.is_decimal() => decimal(a, b).ok_or_else(clash)?,
        (Date32, Date64) | (Date64, Date32) => Date32,
        (Time32(a) | Time64(a), Time32(b) | Time64(b)) => match finer(*a, *b) {
            unit @ (TimeUnit::Second | TimeUnit::Millisecond) => Time32(unit),
            unit => Time64(unit),
        },
        (Duration(a), Duration(b)) => Duration(finer(*a, *b)),
        (Timestamp(unit, zone), Timestamp(other, second)) => match (zone, second) {
            (a, b) if a == b => Timestamp(finer(*unit, *other), a.clone()),
            (Some(a), Some(b)) if is_utc(a) && is_utc(b) => {
                Timestamp(finer(*unit, *other), Some("UTC".into()))
            }
            _ => return Err(clash()),
        },
        (Struct(a), Struct(b)) => Struct(unify_fields(a, b)?),
        (Map(a, sorted), Map(b, also)) => Map(entries(a, b).ok_or_else(clash)??, *sorted && *also),
        (a, b) => {
            let (Some(item), Some(other)) = (list_item(a), list_item(b)) else {
                return Err(clash());
            };
            let item = unify_field(item, other).map_err(|clash| clash.below("[]"))?;
            let is_large = |ty: &DataType| matches!(ty, LargeList(_) | LargeListView(_));
            match (a, b) {
                (FixedSizeList(_, n), FixedSizeList(_, m)) if n == m => FixedSizeList(item, *n),
                (a, b) if is_large(a) || is_large(b) => LargeList(item),
                _ => List(item),
            }
        }
    })
}

/// The item of a list of any layout.
pub(crate) fn list_item(ty: &DataType) -> Option<&FieldRef> {
    use DataType::*;
    match ty {
        List(item)
        | LargeList(item)
        | FixedSizeList(item, _)
        | ListView(item)
        | LargeListView(item) => Some(item),
        _ => None,
    }
}

/// Key and value fields of two maps, whatever they are called.
fn entries(a: &FieldRef, b: &FieldRef) -> Option<Result<FieldRef, Clash>> {
    let (DataType::Struct(first), DataType::Struct(second)) = (a.data_type(), b.data_type()) else {
        return None;
    };
    let ([key, value], [other_key, other_value]) = (&first[..], &second[..]) else {
        return None;
    };
    let unified = || {
        let key = unify_field(key, other_key)
            .map_err(|clash| clash.below("key"))?
            .as_ref()
            .clone()
            .with_nullable(false);
        let value = unify_field(value, other_value).map_err(|clash| clash.below("value"))?;
        Ok(Arc::new(a.as_ref().clone().with_data_type(
            DataType::Struct(vec![Arc::new(key), value].into()),
        )))
    };
    Some(unified())
}

/// Whether a column of this type has bytes.
pub(super) fn is_bytes(ty: &DataType) -> bool {
    matches!(
        ty,
        DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_)
    )
}

/// Key type of a merged dictionary: at least 32 bits, because it holds the entries of all files.
fn integer(a: &DataType, b: &DataType) -> DataType {
    let is_wide =
        |ty: &DataType| matches!(ty, DataType::Int64 | DataType::UInt64 | DataType::UInt32);
    if is_wide(a) || is_wide(b) {
        DataType::Int64
    } else {
        DataType::Int32
    }
}

/// `field` with `change` made to it and to all fields within it, but for those of unions.
fn each(field: &FieldRef, change: &dyn Fn(Field) -> Field) -> FieldRef {
    use DataType::*;
    let inner = |field: &FieldRef| each(field, change);
    let ty = match field.data_type() {
        Struct(fields) => Struct(fields.iter().map(inner).collect()),
        List(item) => List(inner(item)),
        LargeList(item) => LargeList(inner(item)),
        FixedSizeList(item, len) => FixedSizeList(inner(item), *len),
        Map(entries, sorted) => Map(inner(entries), *sorted),
        plain => plain.clone(),
    };
    Arc::new(change(field.as_ref().clone().with_data_type(ty)))
}

/// The field with keys of dictionaries that have room for the values of all rows, and ends of runs
/// for the rows of all files, also of those within it: each file, and each part of one, has a
/// dictionary of its own.
pub(crate) fn with_wide_keys(field: &FieldRef) -> FieldRef {
    use DataType::*;
    each(field, &|field| {
        let wide = match field.data_type() {
            Dictionary(key, value) if matches!(**key, Int8 | Int16 | UInt8 | UInt16) => {
                Dictionary(Box::new(integer(key, key)), value.clone())
            }
            RunEndEncoded(ends, values) if *ends.data_type() == Int16 => {
                let ends = ends.as_ref().clone().with_data_type(Int32);
                RunEndEncoded(Arc::new(ends), values.clone())
            }
            _ => return field,
        };
        field.with_data_type(wide)
    })
}

/// The field with dictionaries whose values have no order. It is that of their places, and each
/// file, row group and batch has places of its own.
pub(crate) fn without_order(field: &FieldRef) -> FieldRef {
    each(field, &|field| field.with_dict_is_ordered(false))
}

/// Whether the field, or one within it, is a dictionary whose values have an order.
pub(crate) fn has_order(field: &FieldRef) -> bool {
    let found = Cell::new(false);
    each(field, &|field| {
        found.set(found.get() || field.dict_is_ordered() == Some(true));
        field
    });
    found.get()
}

/// A decimal with enough digits before and after the point for both.
fn decimal(a: &DataType, b: &DataType) -> Option<DataType> {
    let ((precision, scale), (other, second)) = (digits(a)?, digits(b)?);
    let scales = scale.max(second);
    let whole = (i16::from(precision) - i16::from(scale)).max(i16::from(other) - i16::from(second));
    let precision = u8::try_from(whole + i16::from(scales)).ok()?;
    let size = |ty: &DataType| match ty {
        DataType::Decimal32(..) => 9,
        DataType::Decimal64(..) => 18,
        DataType::Decimal128(..) => 38,
        DataType::Decimal256(..) => 76,
        _ => 0,
    };
    Some(match precision.max(size(a)).max(size(b)) {
        0..=9 => DataType::Decimal32(precision, scales),
        10..=18 => DataType::Decimal64(precision, scales),
        19..=38 => DataType::Decimal128(precision, scales),
        39..=76 => DataType::Decimal256(precision, scales),
        _ => return None,
    })
}

/// Precision and scale.
fn digits(ty: &DataType) -> Option<(u8, i8)> {
    use DataType::*;
    Some(match ty {
        Decimal32(precision, scale)
        | Decimal64(precision, scale)
        | Decimal128(precision, scale)
        | Decimal256(precision, scale) => (*precision, *scale),
        Int8 | UInt8 => (3, 0),
        Int16 | UInt16 => (5, 0),
        Int32 | UInt32 => (10, 0),
        Int64 => (19, 0),
        UInt64 => (20, 0),
        _ => return None,
    })
}

fn finer(a: TimeUnit, b: TimeUnit) -> TimeUnit {
    a.max(b)
}

/// The names that libraries write for UTC.
fn is_utc(zone: &str) -> bool {
    const NAMES: [&str; 12] = [
        "utc",
        "z",
        "+00:00",
        "-00:00",
        "+0000",
        "+00",
        "etc/utc",
        "uct",
        "etc/uct",
        "zulu",
        "etc/zulu",
        "universal",
    ];
    NAMES.contains(&zone.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use DataType::*;

    fn list(ty: DataType) -> DataType {
        List(Arc::new(Field::new_list_field(ty, true)))
    }

    /// What pyarrow's `unify_schemas(promote_options="permissive")` returns, except for decimals with
    /// doubles and bytes with text.
    #[test]
    fn types_unite() {
        let large = |ty: DataType| LargeList(Arc::new(Field::new_list_field(ty, true)));
        let (us, ms, s) = (
            TimeUnit::Microsecond,
            TimeUnit::Millisecond,
            TimeUnit::Second,
        );
        let words = |key: DataType| Dictionary(Box::new(key), Box::new(Utf8));
        for (a, b, both) in [
            (Int8, Int32, Int64),
            (Int64, UInt64, Int64),
            (UInt8, UInt64, UInt64),
            (UInt8, UInt32, Int64),
            (Int64, Float32, Float64),
            (Null, Date32, Date32),
            (Utf8, LargeUtf8, LargeUtf8),
            (Binary, LargeBinary, LargeBinary),
            (FixedSizeBinary(4), Binary, Binary),
            (list(Int8), large(Int64), large(Int64)),
            (
                FixedSizeList(Arc::new(Field::new_list_field(Int8, true)), 2),
                list(Int8),
                list(Int8),
            ),
            (
                Timestamp(s, Some("UTC".into())),
                Timestamp(us, Some("+00:00".into())),
                Timestamp(us, Some("UTC".into())),
            ),
            (Time32(s), Time64(us), Time64(us)),
            (Duration(s), Duration(ms), Duration(ms)),
            (Decimal128(5, 2), Decimal128(38, 2), Decimal128(38, 2)),
            (Decimal128(5, 2), Decimal128(10, 6), Decimal128(10, 6)),
            (Decimal128(38, 0), Decimal128(10, 6), Decimal256(44, 6)),
            (Int64, Decimal128(5, 2), Decimal128(21, 2)),
            (words(Int8), words(Int32), words(Int32)),
            (words(Int8), Utf8, Utf8),
            (words(Int8), words(Int8), words(Int8)),
        ] {
            assert_eq!(unify_types(&a, &b).unwrap(), both, "{a} {b}");
            assert_eq!(unify_types(&b, &a).unwrap(), both, "{b} {a}");
        }
        for (a, b) in [
            (Boolean, Int8),
            (Utf8, Int64),
            (Utf8, Binary),
            (Float64, Decimal128(5, 2)),
            (Date32, Timestamp(s, None)),
            (Timestamp(s, None), Timestamp(s, Some("UTC".into()))),
            (
                Timestamp(s, Some("UTC".into())),
                Timestamp(s, Some("Europe/Berlin".into())),
            ),
            (Decimal256(76, 0), Decimal128(10, 6)),
        ] {
            assert!(unify_types(&a, &b).is_err(), "{a} {b}");
        }
    }

    #[test]
    fn keys_get_room_wherever_they_are() {
        let words = |key: DataType| Dictionary(Box::new(key), Box::new(Utf8));
        let nested = |key: DataType| {
            let member = Field::new("m", list(words(key)), true);
            Arc::new(Field::new("o", list(Struct(vec![member].into())), false))
        };
        assert_eq!(with_wide_keys(&nested(UInt8)), nested(Int32));
        assert_eq!(with_wide_keys(&nested(UInt32)), nested(UInt32));
    }

    #[test]
    fn a_clash_names_the_member() {
        let inner = |ty: DataType| {
            Schema::new(vec![Field::new(
                "meta",
                Struct(vec![Field::new("x", list(ty), true)].into()),
                true,
            )])
        };
        let clash = unify(&inner(Int8), &inner(Utf8)).unwrap_err();
        assert_eq!(
            (&*clash.path, clash.first, clash.second),
            ("meta.x.[]", Int8, Utf8)
        );
    }
}
