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
use subject::Source;

/// What was measured, for `--json`.
#[derive(Debug, Serialize)]
struct Report {
    networks: Vec<NetworkFigures>,
    /// `None` for an ONNX file.
    open: Option<OpenFigures>,
}

pub fn run(args: &BenchArgs) -> Result<()> {
    let target = Target::read(&args.target)?;
    let subjects = subjects(&target, args)?;
    if args.interactive {
        let [subject] = &subjects[..] else {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "the bundle has {} networks, but --interactive runs one: choose it with \
                     --network",
                    subjects.len()
                ),
            ));
        };
        return interactive::serve(subject.open(args.execution())?);
    }
    let time = Duration::from_secs_f64(args.seconds);
    let mut peaks = Peaks::default();
    let networks = subjects
        .iter()
        .map(|subject| {
            let subject = subject.open(args.execution())?;
            let name = subject.name.clone();
            let int8 = subject.model.input_quantization().is_some();
            let peak = if int8 { None } else { Some(peaks.of(subject.model.isa())?) };
            let measured = figures::measure(subject, time, peak, args.profile);
            measured.map_err(|error| error.context(name))
        })
        .collect::<Result<Vec<_>>>()?;
    let whole_bundle = matches!(target, Target::Bundle(_)) && args.network.is_none();
    let open = whole_bundle.then(|| opening::measure(&args.target)).transpose()?;
    let report = Report { networks, open };
    args.out.print(&report, |out| {
        report.networks.iter().try_for_each(|figures| figures.write(out))?;
        report.open.as_ref().map_or(Ok(()), |figures| figures.write(out, &args.target))
    })
}

/// What is to be measured of `target`.
fn subjects<'a>(target: &'a Target, args: &'a BenchArgs) -> Result<Vec<Source<'a>>> {
    let refused = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
    match (target, &args.network) {
        (Target::Network(bytes), None) => Ok(vec![Source::File { path: &args.target, bytes }]),
        (Target::Network(_), Some(_)) => {
            refused("--network chooses one of a bundle's networks: give a bundle".to_owned())
        }
        (Target::Bundle(bundle), None) => {
            let networks = bundle.manifest().networks.iter();
            Ok(networks.map(|spec| Source::OfBundle { bundle, spec }).collect())
        }
        (Target::Bundle(bundle), Some(id)) => match bundle.manifest().network(id) {
            Some(spec) => Ok(vec![Source::OfBundle { bundle, spec }]),
            None => {
                let ids = bundle.manifest().networks.iter().map(|spec| spec.id.as_str());
                let ids: Vec<_> = ids.collect();
                refused(format!("the bundle has no network {id:?}: it has {}", ids.join(", ")))
            }
        },
    }
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
