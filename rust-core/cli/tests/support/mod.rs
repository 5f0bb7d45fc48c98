//! Runs the program as a process, for the tests of the command line.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod device;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use biglittle::bundle::sha256_hex;
use serde_json::Value;

pub const SUCCESS: i32 = 0;
pub const BAD_DATA: i32 = 1;
pub const BAD_USAGE: i32 = 2;

pub fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models").canonicalize().unwrap()
}

/// The MNIST bundle as it is committed, with its certificate.
pub fn certified() -> String {
    models().join("mnist/bundle").display().to_string()
}

/// The same without the certificate and the scores of its calibration, which are
/// void once a test changes the bundle: a copy that all tests share.
pub fn bundle() -> String {
    static FOLDER: LazyLock<String> = LazyLock::new(|| {
        let from = models().join("mnist/bundle");
        let manifest = fs::read(from.join("manifest.json")).unwrap();
        let shared = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = shared.join(format!("mnist-{:.12}", sha256_hex(&manifest)));
        if !folder.exists() {
            let made = tempfile::tempdir_in(shared).unwrap().keep();
            for file in ["labels.txt", "little.onnx", "big.onnx"] {
                fs::copy(from.join(file), made.join(file)).unwrap();
            }
            let mut manifest: Value = serde_json::from_slice(&manifest).unwrap();
            let fields = manifest.as_object_mut().unwrap();
            assert!(fields.remove("certificates").is_some());
            fields.remove("calibration_scores");
            reseal(made.to_str().unwrap(), &manifest.to_string());
            // Another test's process may have been first.
            if fs::rename(&made, &folder).is_err() {
                fs::remove_dir_all(&made).unwrap();
            }
        }
        folder.display().to_string()
    });
    FOLDER.clone()
}

pub fn biglittle(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_biglittle")).args(args).output().unwrap()
}

pub fn good(args: &[&str]) -> String {
    let output = biglittle(args);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(SUCCESS), "{args:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

pub fn json(args: &[&str]) -> Value {
    serde_json::from_str(&good(args)).unwrap()
}

/// One line on standard error with all of `words`, nothing on standard output.
pub fn refused(args: &[&str], code: i32, words: &[&str]) {
    let output = biglittle(args);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
    assert!(words.iter().all(|word| text.contains(word)), "{args:?}: {text:?} lacks {words:?}");
    assert!(!text.contains("panicked"), "{args:?}: {text}");
    assert!(output.stdout.is_empty(), "{args:?}");
    if code == BAD_DATA {
        assert_eq!(text.lines().count(), 1, "{args:?}: {text}");
    }
}

/// A folder with the files of one test.
pub struct Scratch(pub tempfile::TempDir);

impl Scratch {
    pub fn new() -> Self {
        Scratch(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }

    /// The first test digits as PNG files, with their labels.
    pub fn digits(&self, count: usize) -> Vec<(String, u8)> {
        let (pixels, labels) = test_digits();
        let save = |index: usize| {
            let path = self.path(&format!("digit{index}.png"));
            let pixels = pixels[index * 784..][..784].to_vec();
            image::GrayImage::from_raw(28, 28, pixels).unwrap().save(&path).unwrap();
            (path, labels[index])
        };
        (0..count).map(save).collect()
    }
}

pub fn test_digits() -> (Vec<u8>, Vec<u8>) {
    let unzip = |name: &str, header: usize| {
        let file = fs::File::open(models().join("mnist").join(name)).unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(file), &mut bytes).unwrap();
        bytes.split_off(header)
    };
    (unzip("t10k-images-idx3-ubyte.gz", 16), unzip("t10k-labels-idx1-ubyte.gz", 8))
}

/// The MNIST bundle with a manifest that passes every sum but has `old` replaced
/// by `new`.
pub fn resealed(scratch: &Scratch, name: &str, old: &str, new: &str) -> String {
    let folder = scratch.path(name);
    good(&["pack", &bundle(), "-o", &folder]);
    let path = Path::new(&folder).join("manifest.json");
    let manifest = fs::read_to_string(&path).unwrap();
    assert!(manifest.contains(old), "{manifest}");
    // The last place: the big network's.
    let (before, after) = manifest.rsplit_once(old).unwrap();
    let manifest = format!("{before}{new}{after}");
    reseal(&folder, &manifest);
    folder
}

/// Writes a manifest and its sum.
pub fn reseal(folder: &str, manifest: &str) {
    let sum = format!("{}  manifest.json\n", sha256_hex(manifest.as_bytes()));
    fs::write(Path::new(folder).join("manifest.json"), manifest).unwrap();
    fs::write(Path::new(folder).join("manifest.sha256"), sum).unwrap();
}
