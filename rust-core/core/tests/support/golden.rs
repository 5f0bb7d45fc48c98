//! Networks with an input and the output that another runtime has for it.
//!
//! A folder holds `NAME.onnx`, `NAME.input` and `NAME.output` (little-endian
//! f32) and a list of tab-separated lines that begin with the names. The
//! scripts in models/zoo write such folders.

use std::fs;
use std::path::{Path, PathBuf};

use biglittle::Result;
use biglittle::network::{Model, Session};

/// A network with an input and the output that is expected.
pub struct Golden {
    pub name: String,
    pub bytes: Vec<u8>,
    pub input: Vec<f32>,
    output: Vec<f32>,
}

impl Golden {
    fn read(folder: &Path, name: &str) -> Self {
        let bytes = |ending: &str| fs::read(folder.join(format!("{name}.{ending}"))).unwrap();
        let floats = |ending: &str| {
            let bytes = bytes(ending);
            assert_eq!(bytes.len() % 4, 0, "{name}.{ending}");
            bytes.chunks_exact(4).map(|f| f32::from_le_bytes(f.try_into().unwrap())).collect()
        };
        Golden {
            name: name.to_owned(),
            bytes: bytes("onnx"),
            input: floats("input"),
            output: floats("output"),
        }
    }

    /// The largest difference from the expected output, or NaN.
    /// `scale` is what the difference is divided by, given the expected value.
    pub fn difference(&self, model: &Model, scale: impl Fn(f32) -> f32) -> Result<f32> {
        let mut output = Vec::new();
        Session::new(model)?.run(&self.input, &mut output)?;
        assert_eq!(output.len(), self.output.len(), "{}", self.name);
        let pairs = output.iter().zip(&self.output);
        Ok(pairs.fold(0.0, |largest, (&value, &expected)| {
            if value == expected || (value.is_nan() && expected.is_nan()) {
                return largest;
            }
            let difference = (value - expected).abs() / scale(expected);
            if difference <= largest { largest } else { difference }
        }))
    }
}

/// The networks of the folder that the environment names, with the rest of
/// their lines in the folder's list.
pub fn read_all(variable: &str, list: &str) -> impl Iterator<Item = (Golden, String)> {
    let folder = std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} names a folder"));
    let folder = PathBuf::from(folder);
    let list = fs::read_to_string(folder.join(list)).unwrap();
    assert!(!list.is_empty(), "nothing in {}", folder.display());
    let lines: Vec<(String, String)> = list
        .lines()
        .map(|line| line.split_once('\t').expect("a name and a tab"))
        .map(|(name, rest)| (name.to_owned(), rest.to_owned()))
        .collect();
    lines.into_iter().map(move |(name, rest)| (Golden::read(&folder, &name), rest))
}
