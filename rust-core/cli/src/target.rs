//! What a command is pointed at: a bundle or a bare ONNX file.

use std::fs;
use std::path::Path;

use biglittle::{Error, ErrorKind, ModelBundle, ModelLimits, Result};

use crate::files;

/// Something to verify, inspect or bench.
pub enum Target {
    Bundle(Box<ModelBundle>),
    Network(Vec<u8>),
}

impl Target {
    /// Reads `path`: a network if it ends in `.onnx`, else a bundle.
    pub fn read(path: &Path) -> Result<Self> {
        let named = |error: Error| error.context(path.display());
        let metadata = fs::metadata(path).map_err(files::cannot_read).map_err(named)?;
        if has_ending(path, "onnx") && !metadata.is_dir() {
            let limit = ModelLimits::default().max_file_bytes as u64;
            let bytes = files::read(path, limit, ErrorKind::InvalidModel).map_err(named)?;
            return Ok(Target::Network(bytes));
        }
        if !metadata.is_dir() && !metadata.is_file() {
            return Err(named(Error::new(
                ErrorKind::Io,
                "is a pipe or device: give an .onnx file, a .biglittle file or a folder",
            )));
        }
        match ModelBundle::open(path) {
            Ok(bundle) => Ok(Target::Bundle(Box::new(bundle))),
            Err(error)
                if metadata.is_file()
                    && !has_ending(path, "biglittle")
                    && error.kind() == ErrorKind::InvalidBundle =>
            {
                Err(named(Error::new(
                    ErrorKind::InvalidBundle,
                    "ends neither in .onnx nor in .biglittle and is no bundle: give an .onnx file, \
                     a .biglittle file or a folder",
                )
                .with_source(error)))
            }
            Err(error) => Err(error),
        }
    }
}

/// Writes a new bundle: one file if `path` ends in .biglittle, else a folder.
pub fn write_new(bundle: &ModelBundle, path: &Path) -> Result<()> {
    check_new(path)?;
    if has_ending(path, "biglittle") {
        bundle.write_archive(path)
    } else {
        bundle.write_folder(path)
    }
}

/// Refuses a path that exists or that nothing can be written to: before long work,
/// rather than after it.
pub fn check_new(path: &Path) -> Result<()> {
    let named = |error: Error| error.context(path.display());
    if path.exists() {
        let message = "exists already: give a new name, or remove it first";
        return Err(named(Error::new(ErrorKind::Io, message)));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match tempfile::tempfile_in(folder.unwrap_or(Path::new("."))) {
        Ok(_) => Ok(()),
        Err(error) => Err(named(
            Error::new(
                ErrorKind::Io,
                format!(
                    "cannot be written: {error}: give a path in a folder that you can write to"
                ),
            )
            .with_source(error),
        )),
    }
}

/// Whether `path` ends in `.ending`, in capitals or not.
pub fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending))
}
