//! Bundles as folders, and whole files read within a limit and written all or
//! nothing.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use super::{Files, MAX_BUNDLE_BYTES, MAX_FILES, invalid};
use crate::error::{Error, ErrorKind, Result};

pub(super) fn read(path: &Path) -> Result<Files> {
    let mut files = Files::new();
    let mut left = MAX_BUNDLE_BYTES;
    for entry in fs::read_dir(path).map_err(|error| io_error("cannot be listed", error))? {
        let entry = entry.map_err(|error| io_error("cannot be listed", error))?;
        let name = entry.file_name().to_string_lossy().escape_debug().to_string();
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
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size as usize).map_err(|error| {
        Error::new(ErrorKind::Io, format!("has {size} bytes, for which there is no memory"))
            .with_source(error)
    })?;
    file.take(limit + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > limit {
        return Err(invalid(format!("has more than the {limit} bytes that are read")));
    }
    Ok(bytes)
}

/// Writes beside the target first, then renames, so that a reader never sees
/// half a file. What was written is removed where that fails.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let mut file = temporary(0o666).tempfile_in(parent(path))?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|error| io_error("cannot be written", error))
}

pub(super) fn write(path: &Path, files: &[(String, Arc<[u8]>)]) -> Result<()> {
    if path.exists() {
        return Err(Error::new(
            ErrorKind::Io,
            "exists already: give a new name, or remove it first",
        ));
    }
    let write = || {
        let folder = temporary(0o777).tempdir_in(parent(path))?;
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes)?;
        }
        fs::rename(folder.path(), path)?;
        // It has another name now: there is nothing left to remove.
        let _ = folder.keep();
        Ok(())
    };
    write().map_err(|error| io_error("cannot be written", error))
}

/// A name of its own beside the target, with the permissions of any new file.
fn temporary(mode: u32) -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".biglittle-").suffix(".tmp");
    #[cfg(not(unix))]
    let _ = mode;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    builder
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn io_error(what: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("{what}: {error}")).with_source(error)
}
