//! What a command is pointed at: a bundle or a bare ONNX file.

use std::fs;
use std::path::Path;

use biglittle::{Error, ErrorKind, ModelBundle, ModelLimits, Result};

/// Something to verify, inspect or bench.
pub enum Target {
    Bundle(Box<ModelBundle>),
    Network(Vec<u8>),
}

impl Target {
    /// Reads `path`: an ONNX file by its ending, else a bundle.
    pub fn read(path: &Path) -> Result<Self> {
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("onnx")) {
            Ok(Target::Network(read_network(path)?))
        } else {
            Ok(Target::Bundle(Box::new(ModelBundle::open(path)?)))
        }
    }
}

fn read_network(path: &Path) -> Result<Vec<u8>> {
    let cannot = |error: std::io::Error| {
        Error::new(ErrorKind::Io, format!("{}: cannot be read: {error}", path.display()))
            .with_source(error)
    };
    let size = fs::metadata(path).map_err(cannot)?.len();
    let limit = ModelLimits::default().max_file_bytes;
    if size > limit as u64 {
        return Err(Error::new(
            ErrorKind::InvalidModel,
            format!("{}: has {size} bytes: a network may have at most {limit}", path.display()),
        ));
    }
    fs::read(path).map_err(cannot)
}
