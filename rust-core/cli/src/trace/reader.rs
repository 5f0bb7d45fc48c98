//! Rows out of a Parquet file that may be anybody's, a few thousand at a time.

use std::fs::File;
use std::path::{Path, PathBuf};

use biglittle::calibrate::Split;
use biglittle::{Error, ErrorKind, Result};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, FloatType, Int32Type, Int64Type};
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

use super::block::{Block, LevelBlock, NetworkBlock, SCORES, ScoreKind};
use super::column::{ColumnRecords, damaged, guarded, reason, utf8};
use super::meta::{META_KEY, TraceMeta};
use super::{invalid, schema};

/// The most rows of a block that is read.
const BLOCK_ROWS: usize = 8_192;
/// The most raw values of a block that is read, where a row has fewer.
const BLOCK_VALUES: usize = 4 << 20;

/// Which columns are read besides labels, splits and answers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// Samples and groups, and hashes of images.
    pub names: bool,
    /// Groups, if not all names.
    pub groups: bool,
    /// Flaws.
    pub flaws: bool,
    /// Which of [`SCORES`].
    pub scores: [bool; 4],
    /// MACs and times.
    pub costs: bool,
    /// Raw values.
    pub outputs: bool,
}

impl Wanted {
    /// Everything that there is.
    pub fn all(meta: &TraceMeta) -> Self {
        Wanted {
            names: true,
            groups: true,
            flaws: true,
            scores: [true; 4],
            costs: true,
            outputs: meta.has_outputs,
        }
    }

    /// This, and the scores of `kind`.
    #[must_use]
    pub fn score(mut self, kind: ScoreKind) -> Self {
        self.scores[kind as usize] = true;
        self
    }
}

/// An opened trace.
pub struct Trace {
    path: PathBuf,
    reader: SerializedFileReader<File>,
    meta: TraceMeta,
    rows: usize,
}

impl Trace {
    /// Opens the trace at `path`, whose metadata is checked.
    ///
    /// # Errors
    /// When it is no whole Parquet file, no trace, or one of another version.
    pub fn open(path: &Path) -> Result<Self> {
        guarded(|| Trace::open_unguarded(path)).map_err(|error| error.context(path.display()))
    }

    fn open_unguarded(path: &Path) -> Result<Self> {
        // Asked before opening: opening a pipe waits for its writer.
        let metadata = std::fs::metadata(path).map_err(crate::files::cannot_read)?;
        if !metadata.is_file() {
            return Err(invalid("is not a file: give a trace, which `biglittle trace` records"));
        }
        let file = File::open(path).map_err(crate::files::cannot_read)?;
        let reader = SerializedFileReader::new(file).map_err(|error| damaged(&error))?;
        let file = reader.metadata().file_metadata();
        let pairs = file.key_value_metadata().map(Vec::as_slice).unwrap_or_default();
        let json = pairs.iter().find(|pair| pair.key == META_KEY).and_then(|p| p.value.as_deref());
        let Some(json) = json else {
            return Err(invalid(format!(
                "is a Parquet file but no trace: its metadata has no {META_KEY}; record one with \
                 `biglittle trace`"
            )));
        };
        let meta = TraceMeta::from_json(json)?;
        let rows = usize::try_from(file.num_rows())
            .map_err(|_| invalid("has a negative number of rows: record it again"))?;
        Ok(Trace { path: path.to_owned(), reader, meta, rows })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn meta(&self) -> &TraceMeta {
        &self.meta
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// A value of the file's own metadata.
    pub fn value(&self, key: &str) -> Option<&str> {
        let pairs = self.reader.metadata().file_metadata().key_value_metadata()?;
        pairs.iter().find(|pair| pair.key == key)?.value.as_deref()
    }

    /// Whether the file has a column of that name.
    pub fn has_column(&self, name: &str) -> bool {
        self.has(&[name.to_owned()])
    }

    /// Whether every level has a column of that name.
    pub fn has_level_column(&self, name: &str) -> bool {
        let mut levels = self.meta.manifest.levels.iter();
        levels.all(|level| self.has(&schema::level_column(&level.name, name)))
    }

    /// Whether it says what every level and network took.
    pub fn has_costs(&self) -> bool {
        let times = [schema::CPU_NS, schema::WALL_NS];
        let mut networks = self.meta.manifest.networks.iter();
        self.has_level_column(schema::MACS)
            && times.iter().all(|time| self.has_level_column(time))
            && networks.all(|n| times.iter().all(|t| self.has(&schema::network_column(&n.id, t))))
    }

    fn has(&self, path: &[String]) -> bool {
        let columns = self.reader.metadata().file_metadata().schema_descr().columns();
        columns.iter().any(|column| column.path().parts() == path)
    }

    /// Reads all rows in order, a block at a time, and hands each block and the
    /// number of its first row to `take`. Memory is bounded by the block.
    ///
    /// # Errors
    /// When the file is damaged, lacks a wanted column, or a row says what
    /// cannot be; and what `take` says.
    pub fn for_each_block(
        &self,
        wanted: Wanted,
        mut take: impl FnMut(usize, &mut Block) -> Result<()>,
    ) -> Result<()> {
        self.read_blocks(wanted, &mut take).map_err(|error| error.context(self.path.display()))
    }

    fn empty_block(&self) -> Block {
        Block::new(self.meta.manifest.levels.len(), &self.widths())
    }

    fn widths(&self) -> Vec<usize> {
        let labels = self.meta.labels.len();
        let networks = self.meta.manifest.networks.iter();
        networks.map(|network| network.output.output_count(labels)).collect()
    }

    fn read_blocks(
        &self,
        wanted: Wanted,
        take: &mut dyn FnMut(usize, &mut Block) -> Result<()>,
    ) -> Result<()> {
        let mut block = self.empty_block();
        let values: usize = self.widths().iter().sum();
        let most = if wanted.outputs { BLOCK_VALUES / values.max(1) } else { BLOCK_ROWS };
        let most = most.clamp(1, BLOCK_ROWS);
        let mut first = 0;
        for index in 0..self.reader.num_row_groups() {
            let group = guarded(|| self.reader.get_row_group(index).map_err(|e| damaged(&e)))?;
            let mut columns = guarded(|| Columns::new(&*group, &self.meta, wanted))?;
            let mut left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
            while left > 0 {
                let rows = left.min(most);
                block.clear();
                guarded(|| columns.read(rows, &self.meta, &mut block)).map_err(|error| {
                    error.context(format!("rows {first} to {}", first + rows - 1))
                })?;
                take(first, &mut block)?;
                first += rows;
                left -= rows;
            }
        }
        Ok(())
    }
}

/// The wanted columns of a row group.
struct Columns {
    samples: Option<ColumnRecords<ByteArrayType>>,
    image_sha256: Option<ColumnRecords<ByteArrayType>>,
    groups: Option<ColumnRecords<ByteArrayType>>,
    labels: Option<ColumnRecords<Int32Type>>,
    splits: ColumnRecords<ByteArrayType>,
    models: ColumnRecords<ByteArrayType>,
    levels: Vec<LevelColumns>,
    networks: Vec<NetworkColumns>,
}

struct LevelColumns {
    answers: ColumnRecords<Int32Type>,
    flaws: Option<ColumnRecords<ByteArrayType>>,
    scores: [Option<ColumnRecords<FloatType>>; 4],
    costs: Option<[ColumnRecords<Int64Type>; 3]>,
}

struct NetworkColumns {
    times: Option<[ColumnRecords<Int64Type>; 2]>,
    outputs: Option<ColumnRecords<FloatType>>,
}

impl Columns {
    fn new(group: &dyn RowGroupReader, meta: &TraceMeta, wanted: Wanted) -> Result<Self> {
        let own = |name: &str| vec![name.to_owned()];
        let found = |name: &str, is_wanted: bool| match is_wanted {
            true => find(group, &own(name)),
            false => Ok(None),
        };
        let level = |name: &str| {
            let column = |column: &str| schema::level_column(name, column);
            let mut scores = [const { None }; 4];
            for (score, kind) in scores.iter_mut().zip(SCORES) {
                if wanted.scores[kind as usize] {
                    *score = Some(needed(group, &column(kind.name()))?);
                }
            }
            Ok(LevelColumns {
                answers: needed(group, &column(schema::ANSWER))?,
                flaws: wanted.flaws.then(|| needed(group, &column(schema::FLAW))).transpose()?,
                scores,
                costs: match wanted.costs {
                    false => None,
                    true => Some([
                        needed(group, &column(schema::MACS))?,
                        needed(group, &column(schema::CPU_NS))?,
                        needed(group, &column(schema::WALL_NS))?,
                    ]),
                },
            })
        };
        let network = |id: &str| {
            let column = |column: &str| schema::network_column(id, column);
            let outputs = || needed(group, &schema::outputs_column(id));
            Ok(NetworkColumns {
                times: match wanted.costs {
                    false => None,
                    true => Some([
                        needed(group, &column(schema::CPU_NS))?,
                        needed(group, &column(schema::WALL_NS))?,
                    ]),
                },
                outputs: wanted.outputs.then(outputs).transpose()?,
            })
        };
        Ok(Columns {
            samples: wanted.names.then(|| needed(group, &own(schema::SAMPLE))).transpose()?,
            image_sha256: found(schema::IMAGE_SHA256, wanted.names)?,
            groups: found(schema::GROUP, wanted.names || wanted.groups)?,
            labels: find(group, &own(schema::LABEL))?,
            splits: needed(group, &own(schema::SPLIT))?,
            models: needed(group, &own(schema::MODELS_SHA256))?,
            levels: meta.manifest.levels.iter().map(|l| level(&l.name)).collect::<Result<_>>()?,
            networks: meta
                .manifest
                .networks
                .iter()
                .map(|n| network(&n.id))
                .collect::<Result<_>>()?,
        })
    }

    fn read(&mut self, rows: usize, meta: &TraceMeta, block: &mut Block) -> Result<()> {
        block.rows = rows;
        for (column, texts) in [
            (&mut self.samples, &mut block.samples),
            (&mut self.image_sha256, &mut block.image_sha256),
        ] {
            let Some(column) = column else { continue };
            each(column, rows, |value| {
                texts.push(utf8(value.ok_or_else(null)?)?.to_owned());
                Ok(())
            })?;
        }
        if let Some(column) = &mut self.groups {
            each(column, rows, |value| {
                block.groups.push(value.map(|value| utf8(value).map(str::to_owned)).transpose()?);
                Ok(())
            })?;
        }
        let labels = meta.labels.len();
        match &mut self.labels {
            Some(column) => {
                each(column, rows, |value| index(value, labels, "label", &mut block.labels))?;
            }
            None => block.labels.resize(rows, None),
        }
        each(&mut self.splits, rows, |value| {
            block.splits.push(split(value.ok_or_else(null)?)?);
            Ok(())
        })?;
        each(&mut self.models, rows, |value| check_models(value.ok_or_else(null)?, meta))?;
        for (columns, level) in self.levels.iter_mut().zip(&mut block.levels) {
            columns.read(rows, labels, level)?;
        }
        for (columns, network) in self.networks.iter_mut().zip(&mut block.networks) {
            columns.read(rows, network)?;
        }
        Ok(())
    }
}

impl LevelColumns {
    fn read(&mut self, rows: usize, labels: usize, level: &mut LevelBlock) -> Result<()> {
        each(&mut self.answers, rows, |value| index(value, labels, "answer", &mut level.answers))?;
        if let Some(column) = &mut self.flaws {
            each(column, rows, |value| {
                level.flaws.push(value.map(|value| reason(utf8(value)?)).transpose()?);
                Ok(())
            })?;
        }
        for (column, scores) in self.scores.iter_mut().zip(&mut level.scores) {
            let Some(column) = column else { continue };
            let not_finite = &mut level.not_finite;
            column.read(rows, |value| {
                *not_finite += u64::from(value.is_some_and(|value| !value.is_finite()));
                scores.push(value.copied().unwrap_or(f32::NAN));
            })?;
        }
        if let Some([macs, cpu_ns, wall_ns]) = &mut self.costs {
            longs(macs, rows, &mut level.macs)?;
            longs(cpu_ns, rows, &mut level.cpu_ns)?;
            longs(wall_ns, rows, &mut level.wall_ns)?;
        }
        Ok(())
    }
}

impl NetworkColumns {
    fn read(&mut self, rows: usize, network: &mut NetworkBlock) -> Result<()> {
        if let Some([cpu_ns, wall_ns]) = &mut self.times {
            longs(cpu_ns, rows, &mut network.cpu_ns)?;
            longs(wall_ns, rows, &mut network.wall_ns)?;
        }
        match &mut self.outputs {
            Some(column) => column.read_lists(rows, network.width, &mut network.outputs),
            None => Ok(()),
        }
    }
}

/// The column at `path`, if the file has it.
fn find<T: DataType>(
    group: &dyn RowGroupReader,
    path: &[String],
) -> Result<Option<ColumnRecords<T>>> {
    let columns = group.metadata().columns();
    let Some(at) = columns.iter().position(|column| column.column_path().parts() == path) else {
        return Ok(None);
    };
    let reader = group.get_column_reader(at).map_err(|error| damaged(&error))?;
    ColumnRecords::new(&columns[at].column_descr_ptr(), reader).map(Some)
}

fn needed<T: DataType>(group: &dyn RowGroupReader, path: &[String]) -> Result<ColumnRecords<T>> {
    find(group, path)?.ok_or_else(|| {
        invalid(format!("has no column {}: record it again, with it", path.join(".")))
    })
}

/// [`ColumnRecords::read`] with what may fail.
fn each<T: DataType>(
    column: &mut ColumnRecords<T>,
    rows: usize,
    mut take: impl FnMut(Option<&T::T>) -> Result<()>,
) -> Result<()> {
    let mut result = Ok(());
    column.read(rows, |value| {
        if result.is_ok() {
            result = take(value);
        }
    })?;
    result
}

fn longs(column: &mut ColumnRecords<Int64Type>, rows: usize, all: &mut Vec<u64>) -> Result<()> {
    each(column, rows, |value| {
        let value = *value.ok_or_else(null)?;
        let value = u64::try_from(value)
            .map_err(|_| invalid(format!("has a cost of {value}: it must be at least 0")))?;
        all.push(value);
        Ok(())
    })
}

fn index(value: Option<&i32>, labels: usize, what: &str, all: &mut Vec<Option<u32>>) -> Result<()> {
    let checked = |value: &i32| {
        u32::try_from(*value).ok().filter(|index| (*index as usize) < labels).ok_or_else(|| {
            invalid(format!(
                "has the {what} {value}: the bundle has the labels 0 to {}",
                labels - 1
            ))
        })
    };
    all.push(value.map(checked).transpose()?);
    Ok(())
}

fn split(value: &ByteArray) -> Result<Split> {
    let text = utf8(value)?;
    Split::ALL.into_iter().find(|split| split.name() == text).ok_or_else(|| {
        invalid(format!("has the split {text:?}: it must be tune, calibrate or test"))
    })
}

/// Rows of other models say nothing about these.
fn check_models(value: &ByteArray, meta: &TraceMeta) -> Result<()> {
    if value.data() == meta.models_sha256.as_bytes() {
        return Ok(());
    }
    Err(invalid(format!(
        "has a row of other models (models_sha256 {:?} instead of {:?}): give each its own trace",
        utf8(value)?,
        meta.models_sha256
    )))
}

fn null() -> Error {
    Error::new(ErrorKind::InvalidData, "has a null where a value must be: record it again")
}
