//! Files that others hand us: regular ones only, and never more than a limit; and
//! files that we write.
//!
//! Errors of reading do not name the path: the caller does, once.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use biglittle::{Error, ErrorKind, Result};
use tempfile::NamedTempFile;

/// Reads a whole regular file of at most `limit` bytes, whatever size it claims.
/// One that is larger is an error of `kind`.
pub fn read(path: &Path, limit: u64, kind: ErrorKind) -> Result<Vec<u8>> {
    // Asked before opening: opening a pipe waits for its writer.
    regular(&fs::metadata(path).map_err(cannot_read)?)?;
    let file = File::open(path).map_err(cannot_read)?;
    let metadata = file.metadata().map_err(cannot_read)?;
    regular(&metadata)?;
    if metadata.len() > limit {
        let size = metadata.len();
        return Err(Error::new(kind, format!("has {size} bytes: it may have at most {limit}")));
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    file.take(limit + 1).read_to_end(&mut bytes).map_err(cannot_read)?;
    if bytes.len() as u64 > limit {
        return Err(Error::new(kind, format!("has more than the {limit} bytes it may have")));
    }
    Ok(bytes)
}

/// The error of something that the system does not let us read.
pub fn cannot_read(error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot be read: {error}")).with_source(error)
}

fn regular(metadata: &fs::Metadata) -> Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let what = if metadata.is_dir() { "a folder" } else { "a pipe or device" };
    Err(Error::new(ErrorKind::Io, format!("cannot be read: it is {what}: give a regular file")))
}

/// Refuses to write over a file that does not begin like what is written there,
/// which is a `what`: it was given by mistake.
pub fn may_replace(path: &Path, beginning: &[u8], what: &str) -> Result<()> {
    let Ok(metadata) = fs::metadata(path) else {
        return has_folder(path).map_err(|error| error.context(path.display()));
    };
    let mut start = vec![0; beginning.len()];
    let is_one = metadata.is_file()
        && File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && start.eq_ignore_ascii_case(beginning);
    if is_one {
        return Ok(());
    }
    let message =
        format!("exists already and is no {what}, so it is not replaced: give another name");
    Err(Error::new(ErrorKind::InvalidArgument, message).context(path.display()))
}

/// Refuses a file in a folder that does not exist: commands make no folders but
/// those that they are asked for.
pub fn has_folder(path: &Path) -> Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) if !folder.is_dir() => {
            let message =
                format!("its folder {} does not exist: create it first", folder.display());
            Err(Error::new(ErrorKind::Io, message))
        }
        _ => Ok(()),
    }
}

/// Writes all of it or nothing.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let written = || -> io::Result<()> {
        let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        file.write_all(bytes)?;
        make_readable(&file)?;
        file.persist(path)?;
        Ok(())
    };
    written().map_err(|error| {
        let message = format!("{}: cannot be written: {}", path.display(), error.kind());
        Error::new(ErrorKind::Io, message).with_source(error)
    })
}

/// Temporary files are their owner's only; these are to be shown around.
#[cfg(unix)]
fn make_readable(file: &NamedTempFile) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &NamedTempFile) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_within_the_limit_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("four");
        fs::write(&file, b"1234").unwrap();
        assert_eq!(read(&file, 4, ErrorKind::InvalidData).unwrap(), b"1234");
        let refused = |path: &Path, kind, words: &str| {
            let error = read(path, 3, ErrorKind::InvalidData).unwrap_err();
            assert_eq!(error.kind(), kind);
            assert!(error.to_string().contains(words), "{error}");
        };
        refused(&file, ErrorKind::InvalidData, "4 bytes: it may have at most 3");
        refused(folder.path(), ErrorKind::Io, "it is a folder");
        refused(&folder.path().join("none"), ErrorKind::Io, "cannot be read");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_size_of_0_is_not_believed() {
        // Has 0 bytes, says the system, and then has some.
        let error = read(Path::new("/proc/self/status"), 3, ErrorKind::InvalidData).unwrap_err();
        assert!(error.to_string().contains("more than the 3 bytes"), "{error}");
    }
}
