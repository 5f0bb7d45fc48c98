//! Bundles as folders, and whole files read within a limit and written all or
//! nothing.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Files, MAX_BUNDLE_BYTES, MAX_FILES, invalid};
use crate::error::{Error, ErrorKind, Result};

pub(super) fn read(path: &Path) -> Result<Files> {
    let mut files = Files::new();
    let mut left = MAX_BUNDLE_BYTES;
    for entry in fs::read_dir(path).map_err(|error| io_error("cannot be listed", error))? {
        let entry = entry.map_err(|error| io_error("cannot be listed", error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if files.len() == MAX_FILES {
            return Err(invalid(format!("has more than {MAX_FILES} files, which no bundle has")));
        }
        if !entry.path().is_file() {
            return Err(invalid(format!(
                "{name}: is not a file: a bundle has only files; remove it"
            )));
        }
        let bytes = read_file(&entry.path(), left).map_err(|error| error.context(&name))?;
        left -= bytes.len() as u64;
        files.insert(name, bytes.into());
    }
    Ok(files)
}

/// Reads a whole file of at most `limit` bytes, whatever size it claims.
pub(super) fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let cannot = |error| io_error("cannot be read", error);
    let file = File::open(path).map_err(cannot)?;
    let size = file.metadata().map_err(cannot)?.len();
    if size > limit {
        return Err(invalid(format!("has {size} bytes: at most {limit} are read")));
    }
    let mut bytes = Vec::with_capacity(size as usize);
    file.take(limit + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > limit {
        return Err(invalid(format!("has more than the {limit} bytes that are read")));
    }
    Ok(bytes)
}

/// Writes beside the target first, then renames, so that a reader never sees
/// half a file.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = beside(path);
    let written = (|| {
        let mut file = File::create_new(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    })();
    written.map_err(|error| {
        // Best effort: what matters is the error that is returned.
        let _ = fs::remove_file(&temporary);
        io_error("cannot be written", error)
    })
}

pub(super) fn write(path: &Path, files: &[(String, Arc<[u8]>)]) -> Result<()> {
    if path.exists() {
        let error = io::Error::from(io::ErrorKind::AlreadyExists);
        return Err(io_error("exists already: give a new name, or remove it first", error));
    }
    let temporary = beside(path);
    let written = (|| {
        fs::create_dir(&temporary)?;
        for (name, bytes) in files {
            fs::write(temporary.join(name), bytes)?;
        }
        fs::rename(&temporary, path)
    })();
    written.map_err(|error| {
        let _ = fs::remove_dir_all(&temporary);
        io_error("cannot be written", error)
    })
}

/// A name in the same folder that this process alone uses.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

fn io_error(what: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("{what}: {error}")).with_source(error)
}
