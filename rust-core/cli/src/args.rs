//! What can be said on the command line.

use std::path::PathBuf;

use biglittle::calibrate::{Loss, SplitSpec};
use biglittle::network::{Execution, Isa};
use biglittle::{PixelFormat, YuvEncoding, YuvMatrix, YuvRange};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::output::Output;
use crate::rows::Chosen;
use crate::search::Cost;
use crate::simulate::args::SimulateArgs;
use crate::trace::ScoreKind;

/// A little network first, the big one only when the answer is unsure.
#[derive(Debug, Parser)]
#[command(
    name = "biglittle",
    version,
    after_help = "Exit codes: 0 success; 1 a file, bundle, network or data set is missing, \
                  damaged or refused (the message says which and why); 2 wrong usage.\n\
                  Colours follow the terminal; NO_COLOR=1 turns them off."
)]
pub struct Args {
    /// Log what the library does, on standard error
    #[arg(long, short, global = true)]
    pub verbose: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Classify 10,000 handwritten digits and show what the cascade saves
    Demo(DemoArgs),
    /// Classify image files (PNG, JPEG), a line each
    Run(RunArgs),
    /// Make a bundle whose networks are run in int8 where the processor is made for
    /// it
    Quantize(QuantizeArgs),
    /// Compare little alone, big alone and the cascade on labelled data
    Evaluate(EvaluateArgs),
    /// Run every network on every sample once and record what it made of it
    Trace(TraceArgs),
    /// Find thresholds that keep a promise and certify them in a new bundle
    Calibrate(CalibrateArgs),
    /// Rank every pair, triple and committee of the networks in traces
    Search(SearchArgs),
    /// Make one HTML page of a trace: accuracy, cost, scores and the threshold
    Report(ReportArgs),
    /// Run a phone's day with recorded frames, far faster than it passes
    Simulate(Box<SimulateArgs>),
    /// Measure how long a bundle or a network takes to open and to run, on one core
    Bench(BenchArgs),
    /// Make a bundle of a folder with a manifest, networks and labels
    Pack(PackArgs),
    /// Check a bundle or a network to the last byte and open it
    Verify(TargetArgs),
    /// Show what is in a bundle or a network
    Inspect(TargetArgs),
    /// Write the tensor that a network is given for a picture, as a NumPy file
    Golden(GoldenArgs),
    /// Print the JSON Schema of a bundle's manifest
    Schema,
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Use only the first N digits
    #[arg(long, value_name = "N", default_value_t = 10_000,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub samples: u32,
    #[command(flatten)]
    pub out: Output,
}

#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// Image files, PNG or JPEG
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The bundle: a folder or a .biglittle file
    #[arg(long, short)]
    pub bundle: PathBuf,
    #[command(flatten)]
    pub out: Output,
}

#[derive(Debug, clap::Args)]
pub struct EvaluateArgs {
    /// The bundle: a folder or a .biglittle file
    #[arg(long, short)]
    pub bundle: PathBuf,
    /// A folder with idx files (*-images-idx3-ubyte and *-labels-idx1-ubyte,
    /// plain or .gz), with labels.csv (columns `file`, a path from the folder on,
    /// and `label`), or with one folder of images per label. A label is one of
    /// the bundle's names or, where none of them is a number, its index
    #[arg(long, short)]
    pub data: PathBuf,
    /// Use only the first N samples
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub samples: Option<u64>,
    #[command(flatten)]
    pub out: Output,
}

#[derive(Debug, clap::Args)]
pub struct TraceArgs {
    /// The bundle: a folder or a .biglittle file
    #[arg(long, short)]
    pub bundle: PathBuf,
    /// A folder as for `evaluate`, whose images need no labels: labels.csv may
    /// lack the column `label`, or the folder may have just images. A column
    /// `group` in labels.csv keeps samples together (video clips, persons)
    #[arg(long, short)]
    pub data: PathBuf,
    /// The trace to write, a Parquet file. A run that was killed goes on where
    /// it was when it is started again
    #[arg(long, short)]
    pub output: PathBuf,
    /// Use only the first N samples
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub samples: Option<u64>,
    #[command(flatten)]
    pub split: SplitArgs,
    /// Leave out the raw values of the networks: a fraction of the size, but no
    /// temperature can be fitted and no committee searched
    #[arg(long)]
    pub no_outputs: bool,
    /// The share of samples that may be skipped because they cannot be decoded
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0, value_parser = percent)]
    pub allow_skipped: f64,
    #[command(flatten)]
    pub out: Output,
}

#[derive(Debug, clap::Args)]
pub struct CalibrateArgs {
    /// The trace of the bundle
    pub trace: PathBuf,
    /// What is bounded: harm (wrong where the last level is right; needs labels)
    /// or disagree (not the last level's answer; needs none)
    #[arg(long, value_enum)]
    pub loss: LossArg,
    /// The largest share of such answers; several, with commas, give a
    /// certificate each, of which the first is in use
    #[arg(long, value_delimiter = ',', required = true)]
    pub eps: Vec<f64>,
    /// The largest probability that a promise is broken, over all of them
    #[arg(long, default_value_t = 0.05)]
    pub delta: f64,
    /// Another confidence for all levels but the last
    #[arg(long, value_enum)]
    pub confidence: Option<ConfidenceArg>,
    /// The bundle that was traced
    #[arg(long, short)]
    pub bundle: Option<PathBuf>,
    /// The bundle to write: one file if it ends in .biglittle, else a new
    /// folder. Without it the thresholds are only shown
    #[arg(long, short, requires_all = ["bundle", "date"])]
    pub output: Option<PathBuf>,
    /// The day, YYYY-MM-DD, that the certificate will bear
    #[arg(long)]
    pub date: Option<String>,
    /// Divide the rows differently than they were recorded, for studies
    #[arg(long, value_name = "TUNE,CALIBRATE,TEST", value_parser = percentages)]
    pub split: Option<[u8; 3]>,
    /// Divide the rows by another seed than they were recorded, for studies
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Keep the bundle's temperatures and norms
    #[arg(long)]
    pub no_tune: bool,
    /// Write a certificate of rows that were used before, which will say so
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub out: Output,
}

#[derive(Debug, clap::Args)]
pub struct QuantizeArgs {
    /// The bundle: a folder or a .biglittle file
    #[arg(long, short)]
    pub bundle: PathBuf,
    /// A folder as for `trace`. Ranges are taken from a part of the images that
    /// `trace` with the same --split and --seed will give to tuning; labels of the
    /// others, where there are any, tell how many answers become wrong
    #[arg(long, short)]
    pub data: PathBuf,
    /// The bundle to write: one file if it ends in .biglittle, else a new folder
    #[arg(long, short)]
    pub output: PathBuf,
    /// Quantize only this network; may be given several times
    #[arg(long = "network", value_name = "ID")]
    pub networks: Vec<String>,
    /// Take ranges from at most N images
    #[arg(long, value_name = "N", default_value_t = 500,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub images: u64,
    /// Leave this share of a tensor's values out of its range at either end, so that
    /// rare ones do not cost the others their resolution; 0 takes all
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub leave_out: f64,
    #[command(flatten)]
    pub split: SplitArgs,
    #[command(flatten)]
    pub out: Output,
}

#[derive(Debug, clap::Args)]
pub struct SearchArgs {
    /// Traces of the same data, with all networks that come into question
    #[arg(required = true)]
    pub traces: Vec<PathBuf>,
    /// What is bounded, against a cascade's own last level
    #[arg(long, value_enum)]
    pub loss: LossArg,
    /// The largest share of such answers
    #[arg(long)]
    pub eps: f64,
    /// The largest probability that the promise of one cascade is broken
    #[arg(long, default_value_t = 0.05)]
    pub delta: f64,
    /// What is expected to be least
    #[arg(long, value_enum, default_value = "macs")]
    pub cost: Cost,
    /// Show the N cheapest, and the front of cost and accuracy
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
    #[command(flatten)]
    pub out: Output,
}

/// [`Loss`] on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LossArg {
    Harm,
    Disagree,
}

impl From<LossArg> for Loss {
    fn from(loss: LossArg) -> Self {
        match loss {
            LossArg::Harm => Loss::Harm,
            LossArg::Disagree => Loss::Disagree,
        }
    }
}

/// [`ScoreKind`] on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum ConfidenceArg {
    Margin,
    MaxProbability,
    NegativeEntropy,
    #[value(name = "max_logit_p_norm")]
    MaxLogitPNorm,
}

impl From<ConfidenceArg> for ScoreKind {
    fn from(confidence: ConfidenceArg) -> Self {
        match confidence {
            ConfidenceArg::Margin => ScoreKind::Margin,
            ConfidenceArg::MaxProbability => ScoreKind::MaxProbability,
            ConfidenceArg::NegativeEntropy => ScoreKind::NegativeEntropy,
            ConfidenceArg::MaxLogitPNorm => ScoreKind::MaxLogitPNorm,
        }
    }
}

/// How samples are divided.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct SplitArgs {
    /// The percentages of samples to tune with, to calibrate with and to test
    /// with
    #[arg(long, value_name = "TUNE,CALIBRATE,TEST", default_value = "20,40,40",
          value_parser = percentages)]
    pub split: [u8; 3],
    /// Another seed divides the samples differently
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

impl SplitArgs {
    pub fn spec(self) -> SplitSpec {
        let [tune_percent, calibrate_percent, test_percent] = self.split;
        SplitSpec { seed: self.seed, tune_percent, calibrate_percent, test_percent }
    }
}

#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// The trace, which `biglittle trace` recorded
    pub trace: PathBuf,
    /// The HTML file to write; an HTML file of that name is replaced
    #[arg(long, short)]
    pub output: PathBuf,
    /// The bundle whose thresholds and certificate are shown, if they are not
    /// those that it had when it was traced
    #[arg(long, short)]
    pub bundle: Option<PathBuf>,
    /// The folder that was traced, for thumbnails of the worst and of typical
    /// samples: without it they are named only
    #[arg(long, short)]
    pub data: Option<PathBuf>,
    /// The rows to report on. Thresholds were chosen on the others
    #[arg(long, default_value = "test")]
    pub split: Chosen,
    #[command(flatten)]
    pub out: Output,
}

#[derive(Debug, clap::Args)]
pub struct BenchArgs {
    /// A bundle (folder or .biglittle file) or an ONNX file
    pub target: PathBuf,
    /// Measure only this network of the bundle
    #[arg(long, value_name = "ID")]
    pub network: Option<String>,
    /// Measure each network for this many seconds
    #[arg(long, default_value_t = 1.0, value_parser = seconds)]
    pub seconds: f64,
    /// Measure every layer too
    #[arg(long)]
    pub profile: bool,
    /// What runs the networks: what an engine would choose, or tract alone
    #[arg(long, value_enum, default_value_t = RuntimeArg::Fastest)]
    pub runtime: RuntimeArg,
    /// Run on the kernels with this instruction set only
    #[arg(long, value_enum, conflicts_with = "runtime")]
    pub isa: Option<IsaArg>,
    /// Print a line of JSON when the network is open, then for each line
    /// `run N` on standard input a line of N pairs wall_ns:cpu_ns; another word
    /// or the end of the input ends it
    #[arg(long, conflicts_with_all = ["profile", "seconds"])]
    pub interactive: bool,
    #[command(flatten)]
    pub out: Output,
}

impl BenchArgs {
    /// What shall run the networks.
    pub fn execution(&self) -> Execution {
        match (self.isa, self.runtime) {
            (Some(isa), _) => Execution::Kernels(isa.into()),
            (None, RuntimeArg::Tract) => Execution::Tract,
            (None, RuntimeArg::Fastest) => Execution::Fastest,
        }
    }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum RuntimeArg {
    Fastest,
    Tract,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum IsaArg {
    Avx512,
    Avx2,
    Neon,
    Scalar,
}

impl From<IsaArg> for Isa {
    fn from(isa: IsaArg) -> Isa {
        match isa {
            IsaArg::Avx512 => Isa::Avx512,
            IsaArg::Avx2 => Isa::Avx2,
            IsaArg::Neon => Isa::Neon,
            IsaArg::Scalar => Isa::Scalar,
        }
    }
}

#[derive(Debug, clap::Args)]
pub struct PackArgs {
    /// A folder with manifest.json, the networks and the labels. Sizes, SHA-256
    /// and MACs may be left out of the manifest: they are filled in
    pub folder: PathBuf,
    /// The bundle to write: one file if it ends in .biglittle, else a new folder
    #[arg(long, short)]
    pub output: PathBuf,
    #[command(flatten)]
    pub out: Output,
}

#[derive(Debug, clap::Args)]
pub struct TargetArgs {
    /// A bundle (folder or .biglittle file) or an ONNX file
    pub target: PathBuf,
    #[command(flatten)]
    pub out: Output,
}

#[derive(Debug, clap::Args)]
pub struct GoldenArgs {
    /// The picture, PNG or JPEG
    pub picture: PathBuf,
    /// The bundle: a folder or a .biglittle file
    #[arg(long, short)]
    pub bundle: PathBuf,
    /// The file to write; if it is not given, the picture's name with the ending
    /// .npy, in the working folder
    #[arg(long, short)]
    pub output: Option<PathBuf>,
    /// The first network of this level, counted from 0
    #[arg(long, default_value_t = 0)]
    pub level: usize,
    /// The network of this name
    #[arg(long, conflicts_with = "level")]
    pub network: Option<String>,
    /// The layout in which a camera delivers the picture; if it is not given, the one
    /// that the file has
    #[arg(long, value_parser = one_of(&[
        ("rgb8", PixelFormat::Rgb8), ("rgba8", PixelFormat::Rgba8), ("bgra8", PixelFormat::Bgra8),
        ("yuv420", PixelFormat::Yuv420), ("nv12", PixelFormat::Nv12), ("nv21", PixelFormat::Nv21),
    ]))]
    pub layout: Option<PixelFormat>,
    /// The weights of the colours in a YUV layout
    #[arg(long, default_value = "bt601",
          value_parser = one_of(&[("bt601", YuvMatrix::Bt601), ("bt709", YuvMatrix::Bt709)]))]
    pub matrix: YuvMatrix,
    /// The range of a YUV layout: 0 to 255, or 16 to 235
    #[arg(long, default_value = "full",
          value_parser = one_of(&[("full", YuvRange::Full), ("limited", YuvRange::Limited)]))]
    pub range: YuvRange,
    #[command(flatten)]
    pub out: Output,
}

/// A parser of names that stand for values.
fn one_of<T: Copy + Send + Sync>(
    names: &'static [(&'static str, T)],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(names.iter().map(|(name, _)| *name)).map(|given| {
        let found = names.iter().find(|(name, _)| *name == given);
        found.expect("the parser lets only these names pass").1
    })
}

impl GoldenArgs {
    pub fn encoding(&self) -> YuvEncoding {
        YuvEncoding { matrix: self.matrix, range: self.range }
    }
}

#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell to complete in
    pub shell: Shell,
}

fn percent(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("give a number from 0 to 100".into()),
    }
}

fn percentages(text: &str) -> Result<[u8; 3], String> {
    let parts: Result<Vec<u8>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    match parts.ok().and_then(|parts| <[u8; 3]>::try_from(parts).ok()) {
        Some(parts) if parts.iter().map(|part| u32::from(*part)).sum::<u32>() == 100 => Ok(parts),
        _ => Err("give three whole numbers that add up to 100, such as 20,40,40".into()),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.01..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("give a number from 0.01 to 3600".into()),
    }
}
