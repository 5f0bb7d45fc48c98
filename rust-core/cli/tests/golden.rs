//! `golden`: the tensor of a picture as a NumPy file.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::Path;

use image::{GrayImage, Luma, Rgb, RgbImage};
use support::*;

/// Those of the bundle's manifest.
const MEAN: f32 = 33.3285;
const STD: f32 = 78.5655;

/// The values of a NumPy file, after its header was checked.
fn values(file: &Path, shape: &str) -> Vec<f32> {
    let bytes = fs::read(file).unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let length = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert!(length.is_multiple_of(64) && bytes[length - 1] == b'\n');
    let header = std::str::from_utf8(&bytes[10..length]).unwrap();
    let expected = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    assert_eq!(header.trim_end(), expected);
    let (values, rest) = bytes[length..].as_chunks::<4>();
    assert!(rest.is_empty());
    values.iter().map(|value| f32::from_le_bytes(*value)).collect()
}

#[test]
fn a_pixel_of_the_picture_is_a_value_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("digit.png");
    let gray = GrayImage::from_fn(28, 28, |x, y| Luma([(x * 9 + y) as u8]));
    gray.save(&picture).unwrap();
    let (picture, file) = (picture.to_str().unwrap(), folder.path().join("out.npy"));
    let name = file.to_str().unwrap();
    let bundle = bundle();
    let report = json(&["golden", "--bundle", &bundle, picture, "-o", name, "--json"]);
    assert_eq!(report["network"], "little");
    assert_eq!(report["shape"], serde_json::json!([1, 1, 28, 28]));
    let tensor = values(&file, "(1, 1, 28, 28)");
    for (value, pixel) in tensor.iter().zip(gray.iter()) {
        assert_eq!(*value, (f32::from(*pixel) - MEAN) / STD);
    }
    // A second time it is replaced; what is no such file is not.
    good(&["golden", "--bundle", &bundle, picture, "-o", name, "--network", "big"]);
    refused(&["golden", "-b", &bundle, picture, "-o", picture], BAD_DATA, &["no NumPy file"]);
    let level = ["golden", "-b", &bundle, picture, "-o", name, "--level", "7"];
    refused(&level, BAD_DATA, &["no level 7: it must be from 0 to 1"]);
    let network = ["golden", "-b", &bundle, picture, "--network", "huge"];
    refused(&network, BAD_DATA, &["\"huge\": the bundle has little, big"]);
    refused(&["golden", "-b", &bundle, picture, "--layout", "nv13"], BAD_USAGE, &["nv12"]);
}

#[test]
fn layouts_of_a_camera_give_nearly_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("colour.png");
    // Odd sides, and colours that change slowly, as chroma does in photographs.
    let colour = |x: u32, y: u32| Rgb([(x * 3) as u8, (y * 3) as u8, (160 - x - y) as u8]);
    RgbImage::from_fn(71, 65, colour).save(&picture).unwrap();
    let (picture, bundle) = (picture.to_str().unwrap(), bundle());
    let tensor = |more: &[&str]| {
        let file = folder.path().join("t.npy");
        let arguments = ["golden", "-b", &bundle, picture, "-o", file.to_str().unwrap()];
        good(&[&arguments[..], more].concat());
        values(&file, "(1, 1, 28, 28)")
    };
    let reference = tensor(&[]);
    for layout in ["rgb8", "rgba8", "bgra8"] {
        assert_eq!(tensor(&["--layout", layout]), reference);
    }
    let planar = tensor(&["--layout", "yuv420"]);
    assert_eq!(tensor(&["--layout", "nv12"]), planar);
    assert_eq!(tensor(&["--layout", "nv21"]), planar);
    for matrix in ["bt601", "bt709"] {
        for range in ["full", "limited"] {
            let options = ["--layout", "nv12", "--matrix", matrix, "--range", range];
            for (a, b) in tensor(&options).iter().zip(&reference) {
                assert!((a - b).abs() * STD <= 2.5, "{matrix} {range}: {a} and {b}");
            }
        }
    }
}
