//! `demo`: real handwritten digits through the bundle that is built in.

use std::io::{self, Write};

use biglittle::{Engine, EngineOptions, ModelBundle, Opening, Outcome, Result};

use crate::args::DemoArgs;
use crate::data::{DataSet, IdxImages};
use crate::measure;
use crate::terminal;

/// Digits drawn at the end, and how many fit beside each other in 80 columns.
const DRAWN: usize = 6;
const DRAWN_A_ROW: usize = 3;

macro_rules! mnist {
    ($file:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/mnist/", $file))
    };
}

/// The MNIST bundle, in the program so that it runs anywhere.
const BUNDLE: [(&str, &[u8]); 5] = [
    ("manifest.json", mnist!("bundle/manifest.json")),
    ("manifest.sha256", mnist!("bundle/manifest.sha256")),
    ("labels.txt", mnist!("bundle/labels.txt")),
    ("little.onnx", mnist!("bundle/little.onnx")),
    ("big.onnx", mnist!("bundle/big.onnx")),
];
const IMAGES: &[u8] = mnist!("t10k-images-idx3-ubyte.gz");
const LABELS: &[u8] = mnist!("t10k-labels-idx1-ubyte.gz");

/// An answer of the big network, for the drawing.
struct Escalated {
    index: usize,
    truth: u32,
    little: Option<u32>,
    big: Option<u32>,
    margin: f32,
}

pub fn run(args: &DemoArgs) -> Result<()> {
    let out = args.out;
    let bundle = ModelBundle::from_memory(BUNDLE)?;
    let mut digits = IdxImages::parse(IMAGES, LABELS)?;
    digits.truncate(args.samples as usize);
    let options = EngineOptions { opening: Opening::WarmUp, ..EngineOptions::default() };
    let mut engine = Engine::open(bundle, &options)?;
    let data = DataSet::Idx(digits);
    let mut escalated = Vec::new();
    let mut observe = |index, truth, outcome: &Outcome| {
        if let [little, big, ..] = &outcome.levels[..] {
            let (little, big, margin) = (little.label, big.label, little.score);
            escalated.push(Escalated { index, truth, little, big, margin });
        }
    };
    let comparison = measure::compare(&mut engine, &data, !out.json, &mut observe)?;
    let DataSet::Idx(digits) = &data else { unreachable!("it was made of idx files above") };
    out.print(&comparison, |out| {
        super::table::write(out, &comparison)?;
        draw(out, digits, escalated)
    })
}

/// Draws the digits that the little network was least sure of.
fn draw(out: &mut dyn Write, digits: &IdxImages, mut escalated: Vec<Escalated>) -> io::Result<()> {
    if escalated.is_empty() {
        return Ok(());
    }
    escalated.sort_by(|left, right| left.margin.total_cmp(&right.margin));
    writeln!(out, "\nThe little network was least sure of these:\n")?;
    let name = |label: Option<u32>| label.map_or("?".into(), |label| label.to_string());
    let images: Vec<_> = escalated
        .iter()
        .take(DRAWN)
        .map(|digit| {
            let Escalated { index, truth, little, big, .. } = digit;
            let caption = format!("is {truth}: {} -> {}", name(*little), name(*big));
            (digits.pixels(*index), caption)
        })
        .collect();
    let (width, height) = digits.size();
    for row in images.chunks(DRAWN_A_ROW) {
        terminal::draw(out, row, width, height)?;
    }
    writeln!(out, "\n(the label: little's answer -> big's answer)")
}
