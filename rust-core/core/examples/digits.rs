//! What the tests of other languages compare themselves with: the MNIST digits
//! unpacked, the bundle as one file, and the core's own answer to every digit.
//!
//! `cargo run -p biglittle --example digits -- models/mnist FOLDER`
//!
//! `answers.txt` has a line a digit: label, level, the bits of the score.

use std::error::Error;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use biglittle::{Engine, EngineOptions, FrameView, ModelBundle, PixelFormat};
use flate2::read::GzDecoder;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(mnist), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: digits models/mnist FOLDER".into());
    };
    fs::create_dir_all(&folder)?;
    let images = unpack(&mnist, &folder, "t10k-images-idx3-ubyte")?;
    unpack(&mnist, &folder, "t10k-labels-idx1-ubyte")?;

    let bundle = ModelBundle::open(mnist.join("bundle"))?;
    bundle.write_archive(folder.join("mnist.biglittle"))?;

    let mut engine = Engine::open(bundle, &EngineOptions::default())?;
    let mut answers = String::new();
    let (_, pixels) = images.split_at_checked(16).ok_or("the file of images has no header")?;
    for digit in pixels.chunks_exact(28 * 28) {
        let outcome =
            engine.classify(&FrameView::packed(PixelFormat::Gray8, 28, 28, digit, 28)?)?;
        let label = outcome.label.ok_or("a digit has no label")?;
        writeln!(answers, "{label} {} {}", outcome.tier, outcome.score.to_bits())?;
    }
    fs::write(folder.join("answers.txt"), answers)?;
    Ok(())
}

fn unpack(from: &Path, to: &Path, name: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut bytes = Vec::new();
    GzDecoder::new(File::open(from.join(format!("{name}.gz")))?).read_to_end(&mut bytes)?;
    fs::write(to.join(name), &bytes)?;
    Ok(bytes)
}
