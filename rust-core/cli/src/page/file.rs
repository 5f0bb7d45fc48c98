//! Writing a page.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use biglittle::{Error, ErrorKind, Result};
use tempfile::NamedTempFile;

/// A trace that was given for the output by mistake is not written over.
pub fn check_output(path: &Path) -> Result<()> {
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    let mut start = [0; 15];
    let is_page = metadata.is_file()
        && File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && start.eq_ignore_ascii_case(b"<!DOCTYPE html>");
    if is_page {
        return Ok(());
    }
    let message = "exists already and is no HTML page, so it is not replaced: give another name";
    Err(Error::new(ErrorKind::InvalidArgument, message).context(path.display()))
}

/// Writes a page: all of it or nothing.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, bytes).map_err(|error| {
        let message = format!("{}: cannot be written: {}", path.display(), error.kind());
        Error::new(ErrorKind::Io, message).with_source(error)
    })
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    make_readable(&file)?;
    file.persist(path)?;
    Ok(())
}

/// Temporary files are their owner's only; a report is to be shown around.
#[cfg(unix)]
fn make_readable(file: &NamedTempFile) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &NamedTempFile) -> io::Result<()> {
    Ok(())
}
