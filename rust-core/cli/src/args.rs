//! What can be said on the command line.

use std::path::PathBuf;

use biglittle::network::Isa;
use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::commands::bench::Choice;
use crate::output::Output;

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
    /// Compare little alone, big alone and the cascade on labelled data
    Evaluate(EvaluateArgs),
    /// Measure how long a bundle or a network takes to open and to run, on one core
    Bench(BenchArgs),
    /// Make a bundle of a folder with a manifest, networks and labels
    Pack(PackArgs),
    /// Check a bundle or a network to the last byte and open it
    Verify(TargetArgs),
    /// Show what is in a bundle or a network
    Inspect(TargetArgs),
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
pub struct BenchArgs {
    /// A bundle (folder or .biglittle file) or an ONNX file
    pub target: PathBuf,
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
    pub fn choice(&self) -> Choice {
        match (self.isa, self.runtime) {
            (Some(isa), _) => Choice::Kernels(isa.into()),
            (None, RuntimeArg::Tract) => Choice::Tract,
            (None, RuntimeArg::Fastest) => Choice::Fastest,
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
pub struct CompletionsArgs {
    /// The shell to complete in
    pub shell: Shell,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.01..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("give a number from 0.01 to 3600".into()),
    }
}
