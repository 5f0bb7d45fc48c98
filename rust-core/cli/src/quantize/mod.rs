//! From a bundle in float32 to one whose networks are run in int8.
//!
//! Decides which images ranges are taken from, which the result is judged on, and
//! what of the old bundle the new one keeps: no certificate, since those are of
//! other answers. The arithmetic is the core's.

mod advice;
mod images;
mod judge;
mod runner;

pub use advice::p_value;
pub use images::Sets;
pub use judge::{Judged, judged};
pub use runner::RUNS;

use std::collections::HashSet;
use std::sync::Arc;

use biglittle::bundle::{FileRef, Manifest, NetworkSpec, sha256_hex};
use biglittle::network::{
    CalibrationTable, ModelLimits, QuantizeOptions, QuantizedNetwork, RangeMethod, quantize,
};
use biglittle::{Error, ErrorKind, ModelBundle, Result};

/// What the version of a bundle gets added.
const SUFFIX: &str = "-int8";

/// The networks to quantize, by their number in the manifest; all where none is
/// named.
pub fn chosen(manifest: &Manifest, ids: &[String]) -> Result<Vec<usize>> {
    let invalid = |message: String| Error::new(ErrorKind::InvalidArgument, message);
    if let Some(id) = ids.iter().find(|id| manifest.network(id).is_none()) {
        let known: Vec<&str> = manifest.networks.iter().map(|n| n.id.as_str()).collect();
        return Err(invalid(format!(
            "there is no network {id:?}: the bundle has {}",
            known.join(", ")
        )));
    }
    let numbered = manifest.networks.iter().enumerate();
    let chosen = numbered.filter(|(_, network)| ids.is_empty() || ids.contains(&network.id));
    let chosen: Vec<(usize, &NetworkSpec)> = chosen.collect();
    if let Some((_, network)) = chosen.iter().find(|(_, n)| n.calibration_table.is_some()) {
        return Err(invalid(format!(
            "network {:?} is in int8 already: quantize the float32 network that it was made from",
            network.id
        )));
    }
    Ok(chosen.into_iter().map(|(number, _)| number).collect())
}

/// The bundle with these networks, by their number, in place of its own.
pub fn replaced(
    bundle: ModelBundle,
    networks: &[(usize, QuantizedNetwork)],
    method: RangeMethod,
) -> Result<ModelBundle> {
    let mut manifest = bundle.manifest().clone();
    let mut files: Vec<(String, Arc<[u8]>)> = Vec::new();
    let networks_files = manifest.networks.iter().flat_map(|network| {
        [Some(&network.file), network.calibration_table.as_ref()].into_iter().flatten()
    });
    let mut names: HashSet<String> =
        networks_files.chain([&manifest.labels]).map(|file| file.path.clone()).collect();
    for (number, quantized) in networks {
        let network = &mut manifest.networks[*number];
        let before = network.file.clone();
        let stem = before.path.strip_suffix(".onnx").unwrap_or(&before.path);
        let [network_name, table_name] = unused_names(&mut names, stem);
        network.file = FileRef::of(network_name, &quantized.network);
        let input = options(network, method).input_quantization();
        let table = CalibrationTable::new(
            sha256_hex(&quantized.network),
            before.sha256.clone(),
            quantized.images,
            method,
            network.input.pixel_offset(input.scale, input.zero_point),
            quantized.ranges.clone(),
        );
        let json = table.to_json().into_bytes();
        let table = FileRef::of(table_name, &json);
        files.push((network.file.path.clone(), quantized.network.clone().into()));
        files.push((table.path.clone(), json.into()));
        network.calibration_table = Some(table);
        network.provenance.source += &format!(
            "; quantized to int8 by biglittle from {} (SHA-256 {})",
            before.path, before.sha256
        );
    }
    manifest.certificates.clear();
    manifest.calibration_scores = None;
    manifest.version += SUFFIX;
    bundle.with_files(manifest, files)
}

/// Names for a network and its table that no file of the bundle has: networks that
/// take other inputs may share a file, and so a name.
fn unused_names(names: &mut HashSet<String>, stem: &str) -> [String; 2] {
    let numbered = (1..).map(|number| match number {
        1 => format!("{stem}.int8"),
        number => format!("{stem}-{number}.int8"),
    });
    let pairs = numbered.map(|name| [format!("{name}.onnx"), format!("{name}.json")]);
    let free = { pairs }.find(|pair| pair.iter().all(|name| !names.contains(name)));
    let free = free.expect("numbers do not end before names do");
    names.extend(free.clone());
    free
}

/// Quantizes one network with the images of `sets`.
pub fn quantized(
    bundle: &ModelBundle,
    network: &NetworkSpec,
    sets: &Sets<'_>,
    method: RangeMethod,
) -> Result<QuantizedNetwork> {
    let bytes = bundle.network_bytes(network).expect("a bundle has every file it names");
    let pixels = sets.pixels(&network.input)?;
    let mut values = network.input.make_tensor()?;
    let mut each = |run: &mut dyn FnMut(&[f32]) -> Result<()>| {
        pixels.iter().try_for_each(|pixels| {
            network.input.normalize(pixels, &mut values);
            run(values.data())
        })
    };
    quantize(bytes, &options(network, method), &mut each)
        .map_err(|error| error.context(format!("network {:?}", network.id)))
}

fn options(network: &NetworkSpec, method: RangeMethod) -> QuantizeOptions {
    QuantizeOptions {
        limits: ModelLimits::default(),
        method,
        input_range: network.input.value_range(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_is_written_over_another() {
        let mut names = HashSet::from(["a.onnx".to_owned(), "b.int8.json".to_owned()]);
        assert_eq!(unused_names(&mut names, "a"), ["a.int8.onnx", "a.int8.json"]);
        assert_eq!(unused_names(&mut names, "a"), ["a-2.int8.onnx", "a-2.int8.json"]);
        assert_eq!(unused_names(&mut names, "b"), ["b-2.int8.onnx", "b-2.int8.json"]);
    }
}
