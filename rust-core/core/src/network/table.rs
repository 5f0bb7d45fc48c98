//! The calibration table: by which ranges a network's layers are run in int8.
//!
//! Decides the file's format and which range belongs to which tensor of the
//! lowered graph. How ranges become scales and zero points is the kernels'
//! business, how they are found that of `quantize`.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use biglittle_kernels::{self as kernels, Graph, Op, Range};
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// The version of the format that this library writes and reads.
const FORMAT_VERSION: u32 = 1;
/// The most bytes of a file: some hundred for each of a network's tensors.
const MAX_BYTES: usize = 16 << 20;

/// How the range of a tensor was taken from the values seen in calibration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RangeMethod {
    /// From the least to the largest.
    MinMax,
    /// The shortest range that leaves out this share of the values on each side:
    /// at least 0, below 0.5. Rare large values no longer cost all others their
    /// resolution.
    LeaveOut(f64),
}

impl RangeMethod {
    /// Whether the share is in its range.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when it is not.
    pub fn validate(self) -> Result<()> {
        match self {
            RangeMethod::LeaveOut(share) if !(0.0..0.5).contains(&share) => Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "the share of values to leave out is {share}: it must be from 0 to below 0.5"
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// A network's calibration table, a JSON file beside its ONNX file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationTable {
    /// The version of this format: 1.
    pub format_version: u32,
    /// The SHA-256 of the ONNX file that the table is for.
    pub network_sha256: String,
    /// The SHA-256 of the float32 network that it was quantized from.
    pub float_network_sha256: String,
    /// The number of calibration images, at least 1.
    pub images: u64,
    /// How the ranges were found.
    pub method: RangeMethod,
    /// How far the values that the input's bytes stand for are above those that are
    /// meant: where pixels are the input, the fraction that the zero point was rounded
    /// by. In int8 the biases of the first layers make up for it.
    #[serde(default)]
    pub input_offset: f32,
    /// The least and the largest value of each tensor, by the name of what
    /// computes it; `input` is the network's input. Names of no tensor are not
    /// looked at: another version may have joined two layers.
    #[serde(deserialize_with = "each_name_once")]
    pub ranges: BTreeMap<String, [f32; 2]>,
}

impl CalibrationTable {
    /// A table of the present format.
    #[must_use]
    pub fn new(
        network_sha256: String,
        float_network_sha256: String,
        images: u64,
        method: RangeMethod,
        input_offset: f32,
        ranges: BTreeMap<String, [f32; 2]>,
    ) -> CalibrationTable {
        CalibrationTable {
            format_version: FORMAT_VERSION,
            network_sha256,
            float_network_sha256,
            images,
            method,
            input_offset,
            ranges,
        }
    }

    /// Reads a table.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBundle`] when it is malformed or has more than 16 MiB, or
    /// when a number is out of range: the sentence names it.
    pub fn from_json(json: &[u8]) -> Result<CalibrationTable> {
        if json.len() > MAX_BYTES {
            return Err(invalid(format!(
                "it has {} bytes: at most {MAX_BYTES} are read",
                json.len()
            )));
        }
        let table: CalibrationTable = serde_json::from_slice(json).map_err(|error| {
            invalid(format!(
                "it is no calibration table of format version {FORMAT_VERSION}: {error}"
            ))
            .with_source(error)
        })?;
        if table.format_version != FORMAT_VERSION {
            return Err(invalid(format!(
                "format_version is {}, but this library reads {FORMAT_VERSION}: run `biglittle \
                 quantize` again",
                table.format_version
            )));
        }
        table.validate()?;
        Ok(table)
    }

    fn validate(&self) -> Result<()> {
        if self.images == 0 {
            return Err(invalid(
                "images is 0: it must be at least 1; run `biglittle quantize` again",
            ));
        }
        self.method.validate().map_err(invalid)?;
        for (name, [low, high]) in &self.ranges {
            if !(low.is_finite() && high.is_finite() && low <= high) {
                return Err(invalid(format!(
                    "the range of {name:?} is {low} to {high}: it must be finite, the lesser \
                     first; run `biglittle quantize` again"
                )));
            }
        }
        if let Some([low, high]) = self.ranges.get("input")
            && self.input_offset.abs() > high - low
        {
            return Err(invalid(format!(
                "input_offset is {}, but the input's range is only {} wide; run `biglittle \
                 quantize` again",
                self.input_offset,
                high - low
            )));
        }
        Ok(())
    }

    /// The bytes of the file.
    #[must_use]
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self);
        json.expect("a table has string keys only and no failing serialisers") + "\n"
    }

    /// Whether the table is for the ONNX file of this SHA-256.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBundle`] when it is for another.
    pub fn check(&self, network_sha256: &str) -> Result<()> {
        if self.network_sha256 == network_sha256 {
            return Ok(());
        }
        Err(invalid(format!(
            "it is for a network with SHA-256 {}, but this one has {network_sha256}: run \
             `biglittle quantize` again, or fetch the matching table",
            self.network_sha256
        )))
    }

    /// The range of each value of a simplified graph.
    pub(super) fn ranges_of(&self, graph: &Graph) -> Result<Vec<Range>> {
        let names = value_names(graph);
        let range = |name: &String| match self.ranges.get(name) {
            Some(&[lo, hi]) => Ok(Range { lo, hi }),
            None => Err(invalid(format!(
                "it has no range for {name:?}, one of the network's {} tensors: run `biglittle \
                 quantize` again with this version",
                names.len()
            ))),
        };
        names.iter().map(range).collect()
    }
}

/// Has the biases of the layers that read the input make up for values that are
/// `offset` too large. Padding is not accounted for.
pub(super) fn without_offset(
    graph: &mut Graph,
    offset: f32,
) -> std::result::Result<(), kernels::Error> {
    let input = graph.input();
    let first = |node: &&kernels::Node| matches!(node.op(), Op::Conv(conv) if conv.x == input);
    let first: Vec<_> = graph.nodes().filter(first).map(|n| (n.out(), n.op().clone())).collect();
    for (out, op) in first {
        let Op::Conv(mut conv) = op else { continue };
        let weights = conv.weights.to_f32().into_owned();
        conv.bias.resize(conv.out_channels, 0.0);
        let rows = weights.chunks_exact(weights.len() / conv.out_channels);
        for (bias, row) in conv.bias.iter_mut().zip(rows) {
            let sum: f64 = row.iter().copied().map(f64::from).sum();
            *bias = (f64::from(*bias) - sum * f64::from(offset)) as f32;
        }
        graph.replace(out, Op::Conv(conv))?;
    }
    Ok(())
}

/// A name for each value of a graph, each once.
pub(super) fn value_names(graph: &Graph) -> Vec<String> {
    let mut used = HashSet::new();
    graph.values().map(|(_, name, _)| unused_name(&mut used, name)).collect()
}

/// `wanted` or, where that is `used`, the same with a number.
pub(super) fn unused_name(used: &mut HashSet<String>, wanted: &str) -> String {
    // ONNX leaves out what has no name.
    let wanted = if wanted.is_empty() { "node" } else { wanted };
    let mut name = wanted.to_owned();
    let mut number = 1;
    while !used.insert(name.clone()) {
        number += 1;
        name = format!("{wanted}_{number}");
    }
    name
}

/// A map of which JSON has each name once: of two ranges one would be lost.
fn each_name_once<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<BTreeMap<String, [f32; 2]>, D::Error> {
    struct Ranges;

    impl<'de> Visitor<'de> for Ranges {
        type Value = BTreeMap<String, [f32; 2]>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("ranges by name")
        }

        fn visit_map<A: MapAccess<'de>>(
            self,
            mut map: A,
        ) -> std::result::Result<Self::Value, A::Error> {
            let mut ranges = BTreeMap::new();
            while let Some((name, range)) = map.next_entry()? {
                match ranges.entry(name) {
                    Entry::Vacant(entry) => entry.insert(range),
                    Entry::Occupied(entry) => {
                        let message = format!("the range of {:?} is there twice", entry.key());
                        return Err(de::Error::custom(message));
                    }
                };
            }
            Ok(ranges)
        }
    }

    deserializer.deserialize_map(Ranges)
}

fn invalid(message: impl fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidBundle, format!("the calibration table: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> CalibrationTable {
        let ranges =
            BTreeMap::from([("input".to_owned(), [-1.0, 0.1]), ("a".to_owned(), [0.0; 2])]);
        let method = RangeMethod::LeaveOut(1e-4);
        CalibrationTable::new("ab".to_owned(), "cd".to_owned(), 500, method, -0.25, ranges)
    }

    #[test]
    fn it_survives_its_file() {
        let table = table();
        assert_eq!(CalibrationTable::from_json(table.to_json().as_bytes()).unwrap(), table);
        table.check("ab").unwrap();
        let error = table.check("cd").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidBundle);
        assert!(error.to_string().contains("is for a network with SHA-256 ab"), "{error}");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (from, to, expected) in [
            ("\"format_version\": 1", "\"format_version\": 2", "format_version is 2"),
            ("0.1", "-1.5", "the range of \"input\" is -1 to -1.5"),
            ("0.1", "1e99", "number out of range"),
            ("0.1", "NaN", "expected value"),
            ("500", "0", "images is 0: it must be at least 1"),
            ("500", "-1", "invalid value: integer `-1`"),
            ("0.0001", "0.5", "is 0.5: it must be from 0 to below 0.5"),
            ("-0.25", "-1.5", "input_offset is -1.5, but the input's range is only 1.1 wide"),
            ("\"a\"", "\"input\"", "the range of \"input\" is there twice"),
            ("]\n  }", "", "it is no calibration table"),
            ("\"images\"", "\"pictures\"", "unknown field `pictures`"),
            ("{", "[", "it is no calibration table"),
        ] {
            let json = table().to_json().replacen(from, to, 1);
            let error = CalibrationTable::from_json(json.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidBundle);
            assert!(error.to_string().contains(expected), "{error}");
        }
        let long = format!("{}{}", table().to_json(), " ".repeat(MAX_BYTES));
        let error = CalibrationTable::from_json(long.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("at most 16777216 are read"), "{error}");
    }
}
