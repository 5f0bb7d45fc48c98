//! `bench`: how long networks take to open and to run, on one core, and how long
//! a bundle takes to open.
//!
//! Decides what is measured and in which words; [`figures`] measures runs,
//! [`layers`] what each layer takes, [`opening`] a bundle, and [`interactive`]
//! runs on command.

mod figures;
mod interactive;
mod layers;
mod opening;
mod subject;

use std::collections::BTreeMap;
use std::time::Duration;

use biglittle::network::Isa;
use biglittle::{Error, ErrorKind, Result};
use serde::Serialize;

use crate::args::BenchArgs;
use crate::target::Target;
use figures::NetworkFigures;
use opening::OpenFigures;
pub use subject::Choice;
use subject::Subject;

/// What was measured, for `--json`.
#[derive(Debug, Serialize)]
struct Report {
    networks: Vec<NetworkFigures>,
    /// `None` for an ONNX file.
    open: Option<OpenFigures>,
}

pub fn run(args: &BenchArgs) -> Result<()> {
    let target = Target::read(&args.target)?;
    let is_bundle = matches!(target, Target::Bundle(_));
    let networks: Vec<(String, Vec<u8>)> = match target {
        Target::Network(bytes) => vec![(args.target.display().to_string(), bytes)],
        Target::Bundle(bundle) => {
            let bytes = |spec| bundle.network_bytes(spec).map(|bytes| bytes.to_vec());
            let networks = bundle.manifest().networks.iter();
            networks.filter_map(|spec| Some((spec.id.clone(), bytes(spec)?))).collect()
        }
    };
    if args.interactive {
        let [(name, bytes)] = &networks[..] else {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "a bundle has {} networks, but --interactive runs one: give an .onnx file",
                    networks.len()
                ),
            ));
        };
        let subject = Subject::open(name, bytes, args.choice())?;
        return interactive::serve(subject);
    }
    let time = Duration::from_secs_f64(args.seconds);
    let mut peaks = Peaks::default();
    let networks = networks
        .iter()
        .map(|(name, bytes)| {
            let subject = Subject::open(name, bytes, args.choice())?;
            let peak = peaks.of(subject.model.isa())?;
            let measured = figures::measure(subject, time, peak, args.profile);
            measured.map_err(|error| error.context(name))
        })
        .collect::<Result<Vec<_>>>()?;
    let open = is_bundle.then(|| opening::measure(&args.target)).transpose()?;
    let report = Report { networks, open };
    args.out.print(&report, |out| {
        report.networks.iter().try_for_each(|figures| figures.write(out))?;
        report.open.as_ref().map_or(Ok(()), |figures| figures.write(out, &args.target))
    })
}

/// The core's peaks, each measured when it is first asked for.
#[derive(Default)]
struct Peaks(BTreeMap<&'static str, f64>);

impl Peaks {
    /// In GFLOP/s; that of the best set where the kernels do not run a network.
    fn of(&mut self, isa: Option<Isa>) -> Result<f64> {
        let isa = isa.unwrap_or_else(Isa::detect);
        if let Some(peak) = self.0.get(isa.name()) {
            return Ok(*peak);
        }
        let peak = isa
            .measure_peak()
            .map_err(|error| Error::new(ErrorKind::InvalidArgument, error.to_string()))?;
        self.0.insert(isa.name(), peak);
        Ok(peak)
    }
}
