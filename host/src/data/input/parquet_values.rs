//! Which row groups of a Parquet file can have a value, by what the file says of them.

use std::ops::Range;

use anyhow::{Context, Result};
use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::properties::ReaderProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::serialized_reader::ReadOptionsBuilder;
use parquet::file::statistics::Statistics;

use super::chunks::Chunks;
use super::file::InputFile;

/// What a file says of the values of one column in one row group.
pub(crate) struct Values<'a> {
    kind: Kind,
    column: &'a ColumnChunkMetaData,
    bloom: Option<&'a Sbbf>,
}

/// The types whose statistics are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Whole numbers with a sign.
    Whole,
    /// Texts.
    Text,
    /// Others.
    Other,
}

impl Values<'_> {
    /// What they are.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether some may be this number; of other kinds, true.
    pub(crate) fn may_be_whole(&self, value: i64) -> bool {
        let (low, high) = match self.column.statistics() {
            Some(Statistics::Int64(range)) => (range.min_opt().copied(), range.max_opt().copied()),
            Some(Statistics::Int32(range)) => (
                range.min_opt().map(|n| i64::from(*n)),
                range.max_opt().map(|n| i64::from(*n)),
            ),
            _ => (None, None),
        };
        if self.kind != Kind::Whole {
            return true;
        }
        let in_range = low.is_none_or(|low| low <= value) && high.is_none_or(|high| value <= high);
        in_range
            && self
                .bloom
                .is_none_or(|bloom| match self.column.column_type() {
                    Type::INT32 => i32::try_from(value).is_ok_and(|value| bloom.check(&value)),
                    _ => bloom.check(&value),
                })
    }

    /// Whether some may be this text; of other kinds, true.
    pub(crate) fn may_be_text(&self, value: &str) -> bool {
        if self.kind != Kind::Text {
            return true;
        }
        // Bounds that are cut are still bounds. Old ones compare bytes with signs.
        let statistics = self.column.statistics();
        let in_range = statistics
            .filter(|range| !range.is_min_max_deprecated())
            .is_none_or(|range| {
                let value = value.as_bytes();
                range.min_bytes_opt().is_none_or(|min| min <= value)
                    && range.max_bytes_opt().is_none_or(|max| value <= max)
            });
        in_range && self.bloom.is_none_or(|bloom| bloom.check(&value))
    }
}

/// The rows of each row group of the file in which `may_have` finds the values of the field `path`
/// possible. Groups of a field that is no plain column, but for instance a list, are all there.
pub(crate) fn groups_with(
    file: &InputFile,
    path: &str,
    may_have: impl Fn(&Values<'_>) -> bool,
) -> Result<Vec<Range<u64>>> {
    let context = || {
        format!(
            "the Parquet footer of `{}` is not readable",
            file.path.display()
        )
    };
    let opened =
        Chunks::open(file).with_context(|| format!("cannot open `{}`", file.path.display()))?;
    let properties = ReaderProperties::builder().set_read_bloom_filter(true);
    let options = ReadOptionsBuilder::new().with_reader_properties(properties.build());
    let reader =
        SerializedFileReader::new_with_options(opened, options.build()).with_context(context)?;
    let (mut found, mut first) = (Vec::new(), 0);
    for (number, group) in reader.metadata().row_groups().iter().enumerate() {
        let rows = first..first + group.num_rows().max(0) as u64;
        first = rows.end;
        let columns = group.columns();
        let is = |path: &[&str]| columns.iter().position(|c| c.column_path().parts() == path);
        // A column with dots in its name comes first, as in the reader.
        let nested: Vec<&str> = path.split('.').collect();
        let may = match is(&[path]).or_else(|| is(&nested)) {
            Some(at) => {
                let kind = kind(&columns[at]);
                let opened = match kind {
                    Kind::Other => None,
                    _ => Some(reader.get_row_group(number).with_context(context)?),
                };
                may_have(&Values {
                    kind,
                    column: &columns[at],
                    bloom: opened
                        .as_ref()
                        .and_then(|group| group.get_column_bloom_filter(at)),
                })
            }
            None => true,
        };
        if may {
            found.push(rows);
        }
    }
    Ok(found)
}

fn kind(column: &ColumnChunkMetaData) -> Kind {
    let description = column.column_descr();
    if description.max_rep_level() > 0 {
        return Kind::Other;
    }
    let (logical, converted) = (description.logical_type_ref(), description.converted_type());
    match (description.physical_type(), logical, converted) {
        (Type::BYTE_ARRAY, Some(LogicalType::String), _)
        | (Type::BYTE_ARRAY, None, ConvertedType::UTF8) => Kind::Text,
        (
            Type::INT32 | Type::INT64,
            None,
            ConvertedType::NONE
            | ConvertedType::INT_8
            | ConvertedType::INT_16
            | ConvertedType::INT_32
            | ConvertedType::INT_64,
        ) => Kind::Whole,
        (Type::INT32 | Type::INT64, Some(LogicalType::Integer(int)), _) if int.is_signed => {
            Kind::Whole
        }
        _ => Kind::Other,
    }
}
