//! `calibrate`: thresholds with a guarantee, from a trace into a new bundle.

use std::io::{self, Write};

use biglittle::bundle::{Manifest, NetworkSpec};
use biglittle::calibrate::{Certificate, Split, SplitSpec, check_date};
use biglittle::{Error, ErrorKind, ModelBundle, Result};
use serde::Serialize;

use super::table::percent;
use crate::args::CalibrateArgs;
use crate::certify::{Found, Request, calibrate, method_name};
use crate::target::write_new;
use crate::trace::{Trace, TraceMeta};

#[derive(Debug, Serialize)]
struct Report {
    /// The bundle that was written, if one was.
    bundle: Option<String>,
    #[serde(flatten)]
    found: Found,
}

pub fn run(args: &CalibrateArgs) -> Result<()> {
    let out = args.out;
    let named = |error: Error| error.context(args.trace.display());
    if let Some(date) = &args.date {
        check_date(date)?;
    }
    if let Some(eps) = twice(&args.eps) {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("--eps has {eps} twice, and each would cost a part of delta: give it once"),
        ));
    }
    let trace = Trace::open(&args.trace)?;
    check_precision(trace.meta()).map_err(named)?;
    let bundle = args.bundle.as_ref().map(ModelBundle::open).transpose()?;
    if let Some(bundle) = &bundle {
        check_models(&trace.meta().manifest, bundle.manifest()).map_err(named)?;
    }
    let recorded = trace.meta().split;
    let split = (args.split.is_some() || args.seed.is_some()).then(|| {
        let [tune_percent, calibrate_percent, test_percent] = args.split.unwrap_or([
            recorded.tune_percent,
            recorded.calibrate_percent,
            recorded.test_percent,
        ]);
        let seed = args.seed.unwrap_or(recorded.seed);
        SplitSpec { seed, tune_percent, calibrate_percent, test_percent }
    });
    let request = Request {
        loss: args.loss.into(),
        eps: args.eps.clone(),
        delta: args.delta,
        confidence: args.confidence.map(Into::into),
        split,
        tune: !args.no_tune,
        // Without a bundle to write, nothing is certified and no day is needed.
        date: args.date.clone().unwrap_or_default(),
    };
    let base = bundle.as_ref().map_or(&trace.meta().manifest, ModelBundle::manifest);
    let found = calibrate(&trace, &request, base)?;
    let reused = found.certificates[0].data.reused_rows;
    if args.output.is_some() && reused > 0 && !args.force {
        return Err(named(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "{reused} of the calibration rows were used before, for calibration or test, which \
                 voids the promise: record a trace of new data, or give --force, and the \
                 certificate will say so"
            ),
        )));
    }
    let written = match (bundle, &args.output) {
        (Some(bundle), Some(output)) => {
            let bundle = bundle.with_manifest(found.manifest.clone())?;
            write_new(&bundle, output)?;
            Some(output.display().to_string())
        }
        _ => None,
    };
    let report = Report { bundle: written, found };
    out.print(&report, |out| write(out, &report))
}

/// A network in int8 gives other answers where it has to be run in float32: those
/// certify nothing for phones that run it in int8.
fn check_precision(meta: &TraceMeta) -> Result<()> {
    let networks = meta.manifest.networks.iter().zip(&meta.runtimes);
    let wrong = |(network, runtime): &(&NetworkSpec, &String)| {
        network.calibration_table.is_some() && !runtime.contains("int8")
    };
    match { networks }.find(wrong) {
        None => Ok(()),
        Some((network, runtime)) => Err(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "network {:?} is for int8, but was recorded on {runtime}: record the trace on a \
                 machine that runs it in int8",
                network.id
            ),
        )),
    }
}

/// The first value that is there before.
fn twice(values: &[f64]) -> Option<f64> {
    let is_before = |(at, value): &(usize, &f64)| values[..*at].contains(value);
    values.iter().enumerate().find(is_before).map(|(_, value)| *value)
}

/// A bundle may have other thresholds, confidences and temperatures than the
/// traced one, but not other networks.
pub fn check_models(traced: &Manifest, given: &Manifest) -> Result<()> {
    let plain = |manifest: &Manifest| {
        let mut manifest = manifest.clone();
        manifest.networks.iter_mut().for_each(|network| network.output.temperature = 1.0);
        manifest.models_sha256()
    };
    if plain(traced) == plain(given) {
        return Ok(());
    }
    let differs = |network: &&NetworkSpec| {
        let files = |network: &NetworkSpec| {
            let table = network.calibration_table.as_ref().map(|table| table.sha256.clone());
            (network.file.sha256.clone(), table)
        };
        traced.network(&network.id).is_none_or(|traced| files(traced) != files(network))
    };
    let what = match given.networks.iter().find(differs) {
        Some(network) => format!("another network {:?}", network.id),
        None => "other inputs, outputs, levels or networks".to_owned(),
    };
    Err(Error::new(
        ErrorKind::InvalidArgument,
        format!("was recorded with {what} than the bundle has: record one with this bundle"),
    ))
}

fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let Found { certificates, fits, unusable, not_finite, .. } = &report.found;
    for fit in fits {
        let what = if fit.kept { "kept" } else { "not kept" };
        let edge = if fit.at_edge { " at the edge of what is tried" } else { "" };
        writeln!(
            out,
            "level {}: {} {:.3} fitted{edge}, {what} (AURC {:.6} with it, {:.6} without)",
            fit.level, fit.parameter, fit.fitted, fit.aurc_fitted, fit.aurc_before
        )?;
    }
    for certificate in certificates {
        write_certificate(out, certificate)?;
    }
    if *unusable > 0 {
        writeln!(out, "{unusable} calibration rows have no usable score: they escalate.")?;
    }
    if *not_finite > 0 {
        writeln!(out, "{not_finite} scores in the trace are NaN or infinite: they escalate.")?;
    }
    match &report.bundle {
        Some(bundle) => writeln!(out, "{bundle}: written"),
        None => writeln!(out, "Nothing was written: give --bundle, --output and --date for that."),
    }
}

/// A certificate in words.
pub fn write_certificate(out: &mut dyn Write, certificate: &Certificate) -> io::Result<()> {
    let Certificate { loss, eps, delta, family, n, k, thresholds, .. } = certificate;
    let thresholds: Vec<_> = thresholds.iter().map(ToString::to_string).collect();
    let confidence = 1.0 - delta / f64::from(*family);
    writeln!(
        out,
        "certificate: {loss} at most {} with {} confidence, by {}: n = {n}, k = {k}, threshold {}",
        percent(*eps, 3),
        percent(confidence, 2),
        method_name(certificate.method),
        thresholds.join(", ")
    )?;
    if let Some(test) = &certificate.test {
        let interval = test.loss_ci95.map_or(String::new(), |[low, high]| {
            format!(" (95 % Clopper-Pearson {}-{})", percent(low, 3), percent(high, 3))
        });
        let accuracy = match (test.accuracy, test.reference_accuracy) {
            (Some(own), Some(reference)) => {
                format!(", accuracy {} (last level {})", percent(own, 2), percent(reference, 2))
            }
            _ => String::new(),
        };
        writeln!(
            out,
            "  on {} test samples: {loss} {}{interval}, {} escalated{accuracy}",
            test.n,
            percent(test.loss, 3),
            percent(test.escalation, 2),
        )?;
    }
    let [tune, calibrate, test] = certificate.data.rows;
    let rows = Split::ALL.iter().zip([tune, calibrate, test]);
    let rows: Vec<_> = rows.map(|(split, count)| format!("{count} {split}")).collect();
    write!(out, "  rows: {}; data {:.12}", rows.join(", "), certificate.data.sha256)?;
    match certificate.caveat() {
        Some(caveat) => writeln!(out, "\n  careful: {caveat}"),
        None => writeln!(out),
    }
}
