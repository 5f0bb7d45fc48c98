//! Blocks of rows into a Parquet file.

use std::io::Write;
use std::sync::Arc;

use biglittle::{Error, ErrorKind, Result};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, FloatType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};

use super::block::{Block, LevelBlock, NetworkBlock};
use super::column::reason_name;
use super::meta::TraceMeta;
use super::schema;

/// Writes blocks as row groups.
pub struct TraceWriter<W: Write + Send> {
    file: SerializedFileWriter<W>,
    models_sha256: ByteArray,
    has_outputs: bool,
}

impl<W: Write + Send> TraceWriter<W> {
    /// A writer of rows that `meta` describes, with `extra` beside it.
    pub fn new(out: W, meta: &TraceMeta, extra: Vec<KeyValue>) -> Result<Self> {
        let make = || {
            let properties = Arc::new(schema::properties(meta, extra));
            SerializedFileWriter::new(out, schema::schema(meta)?, properties)
        };
        Ok(TraceWriter {
            file: make().map_err(cannot_write)?,
            models_sha256: ByteArray::from(meta.models_sha256.as_str()),
            has_outputs: meta.has_outputs,
        })
    }

    /// Writes a block, whose every column is filled, as one row group.
    pub fn write(&mut self, block: &Block) -> Result<()> {
        if block.rows == 0 {
            return Ok(());
        }
        let (models, has_outputs) = (self.models_sha256.clone(), self.has_outputs);
        let write = || {
            let mut group = self.file.next_row_group()?;
            let out = &mut group;
            required::<ByteArrayType, _>(out, texts(&block.samples))?;
            required::<ByteArrayType, _>(out, texts(&block.image_sha256))?;
            let groups = block.groups.iter().map(|g| g.as_deref().map(ByteArray::from));
            optional::<ByteArrayType, _>(out, groups)?;
            optional::<Int32Type, _>(out, indices(&block.labels))?;
            let splits = block.splits.iter().map(|split| ByteArray::from(split.name()));
            required::<ByteArrayType, _>(out, splits)?;
            required::<ByteArrayType, _>(out, std::iter::repeat_n(models, block.rows))?;
            block.levels.iter().try_for_each(|level| write_level(out, level))?;
            for network in &block.networks {
                write_network(out, network, block.rows, has_outputs)?;
            }
            group.close()?;
            Ok(())
        };
        write().map_err(cannot_write)
    }

    /// Writes what a reader needs and hands back what was written to.
    pub fn finish(self) -> Result<W> {
        self.file.into_inner().map_err(cannot_write)
    }
}

type Group<'a, W> = SerializedRowGroupWriter<'a, W>;
type Written = std::result::Result<(), ParquetError>;

fn write_level<W: Write + Send>(out: &mut Group<'_, W>, level: &LevelBlock) -> Written {
    optional::<Int32Type, _>(out, indices(&level.answers))?;
    let flaws = level.flaws.iter().map(|flaw| flaw.map(|flaw| ByteArray::from(reason_name(flaw))));
    optional::<ByteArrayType, _>(out, flaws)?;
    for scores in &level.scores {
        optional::<FloatType, _>(out, scores.iter().map(|s| (!s.is_nan()).then_some(*s)))?;
    }
    for values in [&level.macs, &level.cpu_ns, &level.wall_ns] {
        required::<Int64Type, _>(out, longs(values))?;
    }
    Ok(())
}

fn write_network<W: Write + Send>(
    out: &mut Group<'_, W>,
    network: &NetworkBlock,
    rows: usize,
    has_outputs: bool,
) -> Written {
    for values in [&network.cpu_ns, &network.wall_ns] {
        required::<Int64Type, _>(out, longs(values))?;
    }
    if has_outputs {
        let definition = vec![1; network.outputs.len()];
        let start_of_row = |index| i16::from(index % network.width != 0);
        let repetition: Vec<i16> = (0..rows * network.width).map(start_of_row).collect();
        write_column::<FloatType, _>(out, &network.outputs, Some(&definition), Some(&repetition))?;
    }
    Ok(())
}

fn required<T: DataType, W: Write + Send>(
    out: &mut Group<'_, W>,
    values: impl Iterator<Item = T::T>,
) -> Written {
    write_column::<T, W>(out, &values.collect::<Vec<_>>(), None, None)
}

fn optional<T: DataType, W: Write + Send>(
    out: &mut Group<'_, W>,
    values: impl Iterator<Item = Option<T::T>>,
) -> Written {
    let mut definition = Vec::new();
    let mut there = Vec::new();
    for value in values {
        definition.push(i16::from(value.is_some()));
        there.extend(value);
    }
    write_column::<T, W>(out, &there, Some(&definition), None)
}

fn write_column<T: DataType, W: Write + Send>(
    out: &mut Group<'_, W>,
    values: &[T::T],
    definition: Option<&[i16]>,
    repetition: Option<&[i16]>,
) -> Written {
    let column = out.next_column()?;
    let mut column =
        column.ok_or_else(|| ParquetError::General("there is no column left".into()))?;
    column.typed::<T>().write_batch(values, definition, repetition)?;
    column.close()
}

fn texts(values: &[String]) -> impl Iterator<Item = ByteArray> {
    values.iter().map(|text| ByteArray::from(text.as_str()))
}

fn indices(values: &[Option<u32>]) -> impl Iterator<Item = Option<i32>> {
    values.iter().map(|index| index.map(|index| index as i32))
}

fn longs(values: &[u64]) -> impl Iterator<Item = i64> {
    values.iter().map(|value| *value as i64)
}

pub fn cannot_write(error: ParquetError) -> Error {
    Error::new(ErrorKind::Io, format!("cannot be written: {error}")).with_source(error)
}
