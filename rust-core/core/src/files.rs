//! Whole files, read within a limit and written all or nothing.
//!
//! Decides nothing about what is in them. Called by [`bundle`](crate::bundle) and
//! [`state_file`](crate::state_file).

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};

/// Reads a whole file of at most `limit` bytes, whatever size it claims; a larger
/// one is an error of the kind `too_large`.
pub(crate) fn read(path: &Path, limit: u64, too_large: ErrorKind) -> Result<Vec<u8>> {
    let cannot = |error| io_error("cannot be read", error);
    let file = File::open(path).map_err(cannot)?;
    let size = file.metadata().map_err(cannot)?.len();
    if size > limit {
        return Err(Error::new(too_large, format!("has {size} bytes: at most {limit} are read")));
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size as usize).map_err(|error| {
        Error::new(ErrorKind::Io, format!("has {size} bytes, for which there is no memory"))
            .with_source(error)
    })?;
    file.take(limit + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > limit {
        return Err(Error::new(
            too_large,
            format!("has more than the {limit} bytes that are read"),
        ));
    }
    Ok(bytes)
}

/// Writes beside the target first, then renames, so that a reader never sees
/// half a file. What was written is removed where that fails.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let mut file = temporary(0o666).tempfile_in(parent(path))?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|error| io_error("cannot be written", error))
}

/// A name of its own beside the target, with the permissions of any new file.
pub(crate) fn temporary(mode: u32) -> tempfile::Builder<'static, 'static> {
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

pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

pub(crate) fn io_error(what: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("{what}: {error}")).with_source(error)
}
