//! Bundles as folders: whole ones read within a limit and written all or nothing.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::{Files, MAX_BUNDLE_BYTES, MAX_FILES, invalid};
use crate::error::{Error, ErrorKind, Result};
use crate::files;

pub(super) fn read(path: &Path) -> Result<Files> {
    let mut found = Files::new();
    let mut left = MAX_BUNDLE_BYTES;
    for entry in fs::read_dir(path).map_err(|error| files::io_error("cannot be listed", error))? {
        let entry = entry.map_err(|error| files::io_error("cannot be listed", error))?;
        let name = entry.file_name().to_string_lossy().escape_debug().to_string();
        if found.len() == MAX_FILES {
            return Err(invalid(format!("has more than {MAX_FILES} files, which no bundle has")));
        }
        if !entry.path().is_file() {
            return Err(invalid(format!(
                "{name}: is not a file: a bundle has only files; remove it"
            )));
        }
        let bytes = read_file(&entry.path(), left).map_err(|error| error.context(&name))?;
        left -= bytes.len() as u64;
        found.insert(name, bytes.into());
    }
    Ok(found)
}

/// Reads a file of a bundle of at most `limit` bytes.
pub(super) fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>> {
    files::read(path, limit, ErrorKind::InvalidBundle)
}

pub(super) fn write(path: &Path, contents: &[(String, Arc<[u8]>)]) -> Result<()> {
    if path.exists() {
        return Err(Error::new(
            ErrorKind::Io,
            "exists already: give a new name, or remove it first",
        ));
    }
    let write = || {
        let folder = files::temporary(0o777).tempdir_in(files::parent(path))?;
        for (name, bytes) in contents {
            fs::write(folder.path().join(name), bytes)?;
        }
        fs::rename(folder.path(), path)?;
        // It has another name now: there is nothing left to remove.
        let _ = folder.keep();
        Ok(())
    };
    write().map_err(|error| files::io_error("cannot be written", error))
}
