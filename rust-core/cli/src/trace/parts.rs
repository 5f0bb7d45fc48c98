//! A trace on its way: parts that are whole, so that what a killed run has
//! recorded is not lost.
//!
//! Beside the trace `T` stands the folder `T.parts` with `trace.json`, what the
//! run is of, and one Parquet file for each stretch of samples, named by the
//! first and the one after the last. A file gets its name once it is on the
//! disk, and the folder goes once `T` has its own.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use biglittle::{Error, ErrorKind, Result};
use parquet::file::metadata::KeyValue;
use sha2::{Digest, Sha256};

use super::block::Block;
use super::invalid;
use super::meta::{DataMeta, Skipped, TraceMeta};
use super::reader::{Trace, Wanted};
use super::writer::TraceWriter;

const HEADER: &str = "trace.json";
/// The key of a part's skipped samples in its metadata.
const SKIPPED: &str = "biglittle.skipped";
/// Of how many skipped samples a trace keeps the reason.
const SKIPPED_KEPT: usize = 20;

/// The parts that are on the disk.
pub struct Parts {
    folder: PathBuf,
    target: PathBuf,
    meta: TraceMeta,
    /// The samples that they cover, from the first on.
    pub done: usize,
    /// The samples among those that have no row.
    pub skipped: Vec<Skipped>,
    /// Held as long as this run goes on.
    _lock: File,
}

impl Parts {
    /// Begins the trace at `target`, or goes on with it where a run like this
    /// one ended early. `identity` tells runs of other data apart.
    pub fn open(target: &Path, meta: TraceMeta, identity: &str) -> Result<Self> {
        if target.exists() {
            return Err(Error::new(
                ErrorKind::Io,
                "exists already: give a new name, or remove it first",
            ));
        }
        crate::files::has_folder(target)?;
        let mut folder = OsString::from(target);
        folder.push(".parts");
        let folder = PathBuf::from(folder);
        let header = format!("{}\n{identity}\n", meta.to_json());
        let path = folder.join(HEADER);
        if !path.exists() {
            fs::create_dir_all(&folder).map_err(cannot_write)?;
            write_whole(&path, |file| file.write_all(header.as_bytes()).map_err(cannot_write))?;
        }
        let lock = File::open(&path).map_err(cannot_write)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(
                    ErrorKind::Io,
                    "is being recorded by another run: wait for it, or give another name",
                ));
            }
            Err(TryLockError::Error(error)) => return Err(cannot_write(error)),
        }
        if fs::read(&path).map_err(cannot_write)? != header.as_bytes() {
            return Err(invalid(format!(
                "was begun with another bundle, data set or options: give those again, another \
                 name, or remove {}",
                folder.display()
            )));
        }
        let target = target.to_owned();
        let mut parts = Parts { folder, target, meta, done: 0, skipped: Vec::new(), _lock: lock };
        for (range, path) in parts.list()? {
            if range.start != parts.done {
                return Err(parts.damaged(&path));
            }
            let trace = Trace::open(&path)?;
            let skipped = trace.value(SKIPPED).and_then(|json| serde_json::from_str(json).ok());
            let skipped: Vec<Skipped> = skipped.ok_or_else(|| parts.damaged(&path))?;
            if trace.rows() + skipped.len() != range.len() {
                return Err(parts.damaged(&path));
            }
            parts.done = range.end;
            parts.skipped.extend(skipped);
        }
        Ok(parts)
    }

    fn damaged(&self, path: &Path) -> Error {
        invalid(format!(
            "{} does not follow the part before: remove {}",
            path.display(),
            self.folder.display()
        ))
    }

    /// The parts in order.
    fn list(&self) -> Result<Vec<(Range<usize>, PathBuf)>> {
        let mut parts = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(cannot_write)? {
            let path = entry.map_err(cannot_write)?.path();
            let Some(range) = range_of(&path) else { continue };
            parts.push((range, path));
        }
        parts.sort_by_key(|(range, _)| range.start);
        Ok(parts)
    }

    /// Keeps `block` and `skipped`: all samples up to `end`.
    pub fn add(&mut self, block: &Block, skipped: Vec<Skipped>, end: usize) -> Result<()> {
        if end == self.done {
            return Ok(());
        }
        let path = self.folder.join(format!("{:010}-{end:010}.parquet", self.done));
        let json = serde_json::to_string(&skipped).expect("two texts each");
        write_whole(&path, |file| {
            let extra = vec![KeyValue::new(SKIPPED.to_owned(), json)];
            let mut writer = TraceWriter::new(file, &self.meta, extra)?;
            writer.write(block)?;
            writer.finish().map(|_| ())
        })?;
        self.skipped.extend(skipped);
        self.done = end;
        Ok(())
    }

    /// Joins the parts to the trace and removes them.
    pub fn finish(mut self) -> Result<TraceMeta> {
        let parts = self.list()?;
        let names = Wanted { names: true, ..Wanted::default() };
        let mut hash = Sha256::new();
        for (_, path) in &parts {
            Trace::open(path)?.for_each_block(names, |_, block| {
                hash_rows(&mut hash, block);
                Ok(())
            })?;
        }
        let digest = hash.finalize();
        self.meta.data = DataMeta {
            sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            samples: self.done as u64,
            skipped: self.skipped.len() as u64,
            first_skipped: self.skipped.drain(..).take(SKIPPED_KEPT).collect(),
        };
        write_whole(&self.target, |file| {
            let mut writer = TraceWriter::new(file, &self.meta, Vec::new())?;
            for (_, path) in &parts {
                let part = Trace::open(path)?;
                part.for_each_block(Wanted::all(&self.meta), |_, block| writer.write(block))?;
            }
            writer.finish().map(|_| ())
        })?;
        fs::remove_dir_all(&self.folder).map_err(cannot_write)?;
        Ok(self.meta)
    }
}

/// `0000000000-0000004096.parquet`: the samples of a part.
fn range_of(path: &Path) -> Option<Range<usize>> {
    let name = path.file_name()?.to_str()?.strip_suffix(".parquet")?;
    let (start, end) = name.split_once('-')?;
    Some(start.parse().ok()?..end.parse().ok()?)
}

/// Adds every row's sample, image, group and label, each text after its length.
fn hash_rows(hash: &mut Sha256, block: &Block) {
    let mut text = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    for row in 0..block.rows {
        text(&block.samples[row]);
        text(&block.image_sha256[row]);
        text(block.groups[row].as_deref().unwrap_or_default());
        text(&block.labels[row].map_or(String::new(), |label| label.to_string()));
    }
}

/// Writes beside `path`, to the disk, then gives it its name.
pub fn write_whole(path: &Path, write: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut file = tempfile::Builder::new()
        .prefix(".biglittle-")
        .suffix(".tmp")
        .tempfile_in(parent.unwrap_or(Path::new(".")))
        .map_err(cannot_write)?;
    write(file.as_file_mut())?;
    file.as_file().sync_all().map_err(cannot_write)?;
    make_readable(file.as_file()).map_err(cannot_write)?;
    file.persist(path).map_err(|error| cannot_write(error.error))?;
    Ok(())
}

/// Temporary files are their owner's only; results are everybody's to read.
fn make_readable(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

fn cannot_write(error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot be written: {error}")).with_source(error)
}
