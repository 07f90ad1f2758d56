//! A columnar export while it is written: Parquet or an Arrow stream.

use super::target::ExportFormat;
use crate::data::columns::logical::parquet_schema;
use crate::rundir::AtomicFile;
use anyhow::{Context, Result};
use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves,
};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use rayon::prelude::*;
use std::io::BufWriter;

/// A file being written, one group at a time.
pub(crate) enum ColumnarFile {
    Parquet(
        SerializedFileWriter<BufWriter<AtomicFile>>,
        ArrowRowGroupWriterFactory,
    ),
    Arrow(StreamWriter<BufWriter<AtomicFile>>),
}

impl ColumnarFile {
    /// Starts the file.
    pub(crate) fn new(file: AtomicFile, format: ExportFormat, schema: &SchemaRef) -> Result<Self> {
        let file = BufWriter::with_capacity(256 << 10, file);
        Ok(if format == ExportFormat::Parquet {
            // Level 1 is as fast as snappy here and a quarter smaller.
            // Readers look for `huggingface` and `pandas` next to Arrow's schema, not in it.
            let described = schema
                .metadata()
                .iter()
                .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
                .collect();
            let properties = WriterProperties::builder()
                .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
                .set_key_value_metadata(
                    Some(described).filter(|described: &Vec<KeyValue>| !described.is_empty()),
                )
                .build();
            let mut options = ArrowWriterOptions::new().with_properties(properties);
            if let Some(schema) = parquet_schema(schema)? {
                options = options.with_parquet_schema(schema);
            }
            let (writer, factory) =
                ArrowWriter::try_new_with_options(file, schema.clone(), options)?
                    .into_serialized_writer()?;
            Self::Parquet(writer, factory)
        } else {
            Self::Arrow(StreamWriter::try_new(file, schema)?)
        })
    }

    /// Encodes the groups in parallel and writes them in order. `pieces` gives the rows of a group.
    pub(crate) fn write<T: Send, P: Iterator<Item = Result<RecordBatch>>>(
        &mut self,
        groups: Vec<T>,
        pieces: impl Fn(T) -> P + Sync + Send,
    ) -> Result<()> {
        match self {
            Self::Parquet(writer, factory) => {
                let factory = &*factory;
                let first = writer.flushed_row_groups().len();
                let encode = |(i, group): (usize, T)| encode(pieces(group), factory, first + i);
                let encoded: Vec<Vec<ArrowColumnChunk>> = groups
                    .into_par_iter()
                    .enumerate()
                    .map(encode)
                    .collect::<Result<_>>()?;
                encoded
                    .into_iter()
                    .try_for_each(|chunks| append(writer, chunks))
            }
            Self::Arrow(writer) => {
                let made = groups
                    .into_par_iter()
                    .map(|group| pieces(group).collect::<Result<Vec<RecordBatch>>>());
                let made: Vec<_> = made.collect::<Result<_>>()?;
                Ok(made.iter().flatten().try_for_each(|b| writer.write(b))?)
            }
        }
    }

    /// Writes the pieces of one group, which needs at least one row. Takes the next piece when the
    /// one before is encoded.
    pub(crate) fn write_group(
        &mut self,
        mut pieces: impl Iterator<Item = Result<RecordBatch>>,
    ) -> Result<()> {
        match self {
            Self::Parquet(writer, factory) => {
                let chunks = encode(pieces, factory, writer.flushed_row_groups().len())?;
                append(writer, chunks)
            }
            Self::Arrow(writer) => pieces.try_for_each(|piece| Ok(writer.write(&piece?)?)),
        }
    }

    /// The file, with all of it written.
    pub(crate) fn finish(self) -> Result<AtomicFile> {
        let out = match self {
            Self::Parquet(writer, _) => writer.into_inner()?,
            Self::Arrow(writer) => writer.into_inner()?,
        };
        Ok(out.into_inner().map_err(|e| e.into_error())?)
    }
}

fn append(
    writer: &mut SerializedFileWriter<BufWriter<AtomicFile>>,
    chunks: Vec<ArrowColumnChunk>,
) -> Result<()> {
    let mut group = writer.next_row_group()?;
    chunks
        .into_iter()
        .try_for_each(|chunk| chunk.append_to_row_group(&mut group))?;
    group.close()?;
    Ok(())
}

/// Encodes a row group.
fn encode(
    pieces: impl Iterator<Item = Result<RecordBatch>>,
    factory: &ArrowRowGroupWriterFactory,
    group: usize,
) -> Result<Vec<ArrowColumnChunk>> {
    let mut writers = factory.create_column_writers(group)?;
    for piece in pieces {
        let piece = piece?;
        let mut leaf_writers = writers.iter_mut();
        for (field, array) in piece.schema().fields().iter().zip(piece.columns()) {
            for leaf in compute_leaves(field, array)? {
                leaf_writers
                    .next()
                    .context("fewer column writers than columns")?
                    .write(&leaf)?;
            }
        }
    }
    writers.into_iter().map(|w| Ok(w.close()?)).collect()
}
