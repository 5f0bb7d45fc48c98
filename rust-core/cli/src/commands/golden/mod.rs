//! `golden`: the tensor that a network is given for a picture, as a NumPy file, to
//! compare with a pipeline of one's own.

mod layout;

use std::path::{Path, PathBuf};

use biglittle::bundle::NetworkSpec;
use biglittle::preprocess::Preprocessor;
use biglittle::{Error, ErrorKind, InputTensor, ModelBundle, Result};
use serde::Serialize;

use crate::args::GoldenArgs;
use crate::data::Picture;
use crate::files;
use layout::Camera;

const MAGIC: &[u8] = b"\x93NUMPY";

#[derive(Debug, Serialize)]
struct Written {
    file: String,
    network: String,
    layout: String,
    shape: [usize; 4],
    min: f32,
    max: f32,
    mean: f64,
}

pub fn run(args: &GoldenArgs) -> Result<()> {
    let bundle = ModelBundle::open(&args.bundle)?;
    let network = choose(&bundle, args)?;
    let picture = Picture::open(&args.picture)?;
    let mut preprocessor = Preprocessor::new(&network.input)?;
    let mut tensor = preprocessor.make_tensor()?;
    match args.layout {
        None => preprocessor.run(&picture.frame()?, &mut tensor)?,
        Some(layout) => {
            let camera = Camera::new(picture.into_image().to_rgb8(), layout, args.encoding());
            preprocessor.run(&camera.frame()?, &mut tensor)?;
        }
    }
    let file = args.output.clone().unwrap_or_else(|| beside(&args.picture));
    files::may_replace(&file, MAGIC, "NumPy file")?;
    files::write(&file, &npy(&tensor))?;
    let data = tensor.data();
    let written = Written {
        file: file.display().to_string(),
        network: network.id.clone(),
        layout: match args.layout {
            None => "of the file".to_owned(),
            Some(layout) => format!("{layout:?}").to_lowercase(),
        },
        shape: tensor.shape(),
        min: data.iter().copied().fold(f32::INFINITY, f32::min),
        max: data.iter().copied().fold(f32::NEG_INFINITY, f32::max),
        mean: data.iter().map(|value| f64::from(*value)).sum::<f64>() / data.len() as f64,
    };
    args.out.print(&written, |out| {
        let Written { file, network, layout, shape, min, max, mean } = &written;
        let [n, c, h, w] = shape;
        writeln!(
            out,
            "{file}: float32 {n} x {c} x {h} x {w} for {network}, layout {layout}; from {min} to \
             {max}, mean {mean:.4}"
        )
    })
}

/// The network asked for, by name or as the first of a level.
fn choose<'a>(bundle: &'a ModelBundle, args: &GoldenArgs) -> Result<&'a NetworkSpec> {
    let manifest = bundle.manifest();
    let id = match &args.network {
        Some(id) => id,
        None => {
            let level = manifest.levels.get(args.level).ok_or_else(|| {
                let last = manifest.levels.len() - 1;
                invalid(format!("there is no level {}: it must be from 0 to {last}", args.level))
            })?;
            &level.networks[0]
        }
    };
    manifest.networks.iter().find(|network| network.id == *id).ok_or_else(|| {
        let known: Vec<&str> = manifest.networks.iter().map(|n| n.id.as_str()).collect();
        invalid(format!("there is no network {id:?}: the bundle has {}", known.join(", ")))
    })
}

/// The picture's name with another ending, in the working folder.
fn beside(picture: &Path) -> PathBuf {
    Path::new(picture.file_name().unwrap_or(picture.as_os_str())).with_extension("npy")
}

/// Version 1.0 of NumPy's format: magic, version, length of the header, the header
/// filled up to a multiple of 64, and the values in C order.
fn npy(tensor: &InputTensor) -> Vec<u8> {
    let [n, c, h, w] = tensor.shape();
    let header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({n}, {c}, {h}, {w}), }}");
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = [MAGIC, &[1, 0]].concat();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(format!("{header:<width$}\n", width = length - 1).bytes());
    bytes.extend(tensor.data().iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}
