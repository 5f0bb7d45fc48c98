//! `simulate`: a phone's day with recorded frames.

use std::path::Path;
use std::time::Instant;

use biglittle::device::{DeviceTrace, TraceEvent};
use biglittle::engine::RuntimeOptions;
use biglittle::{Error, ErrorKind, ModelBundle, Result, Threshold};

use super::calibrate::check_models;
use crate::files;
use crate::page::check_output;
use crate::rows::Rows;
use crate::simulate::args::{ModeArg, SimulateArgs};
use crate::simulate::compare::World;
use crate::simulate::phone::Phone;
use crate::simulate::replay::replay;
use crate::simulate::summary::{Comparison, DaySummary, Setting};
use crate::simulate::text::span;
use crate::simulate::{Draw, Samples, page};
use crate::trace::{Source, Trace};

/// The largest recording, in bytes.
const MAX_DEVICE_BYTES: u64 = 64 << 20;

pub fn run(args: &SimulateArgs) -> Result<()> {
    if let Some(report) = &args.report {
        check_output(report)?;
    }
    let bundle = ModelBundle::open(&args.bundle)?;
    let manifest = bundle.manifest();
    let trace = Trace::open(&args.trace)?;
    let named = |error: Error| error.context(args.trace.display());
    let source = check_models(&trace.meta().manifest, manifest)
        .and_then(|()| Source::scored_by(&trace, manifest))
        .map_err(named)?;
    let rows = Rows::read(&source, manifest, args.split)?;
    let samples = Samples::of(&rows, manifest, bundle.labels().len()).map_err(named)?;
    let options = RuntimeOptions::of_bundle(&bundle)?;
    let setting = Setting {
        bundle: format!("{} {}", manifest.name, manifest.version),
        rows: samples.all.len(),
        split: args.split.name(),
        order: Setting::order_name(args.order),
        seed: args.seed,
        frames_per_second: args.fps,
        loss: samples.loss,
        promised: Setting::promise(manifest),
    };
    match (&args.device, &args.phone) {
        (Some(device), _) => follow(args, device, &samples, options, setting),
        (None, Some(phone)) => {
            let fixed = manifest.levels[0].threshold.unwrap_or(Threshold::NEVER_ESCALATE);
            let mut phone = Phone::open(phone)?;
            if args.big_ms.is_some() {
                phone.big_milliseconds = args.big_ms;
                phone.validate().map_err(|error| error.context("--big-ms"))?;
            }
            live(args, &phone, &samples, options, setting, fixed).map_err(|error| {
                match error.kind() {
                    ErrorKind::InvalidData => named(error),
                    _ => error,
                }
            })
        }
        (None, None) => unreachable!("one of the two is required"),
    }
}

/// A recorded phone.
fn follow(
    args: &SimulateArgs,
    device: &Path,
    samples: &Samples,
    options: RuntimeOptions,
    setting: Setting,
) -> Result<()> {
    let named = |error: Error| error.context(device.display());
    let mut recording = read_device(device).map_err(named)?;
    let start_ms = recording.events.first().map_or(0, TraceEvent::at_ms);
    let options = args.options(options, start_ms);
    // The user's choice at the beginning is an event like any other.
    if args.mode != ModeArg::Balanced {
        let mode = args.mode.into();
        recording.events.insert(0, TraceEvent::Mode { at_ms: start_ms, mode });
    }
    let bundle = setting.bundle.clone();
    let draw = Draw::new(args.order, args.seed);
    let began = Instant::now();
    let replayed =
        replay(&recording, samples, draw, &options, &bundle, args.pace()).map_err(|error| {
            match error.kind() {
                ErrorKind::InvalidData => named(error),
                _ => error,
            }
        })?;
    let took = began.elapsed().as_secs_f64();
    let names = (&*recording.header.name, &*recording.header.description);
    let summary = DaySummary::new(setting, names, samples, &replayed, args.milliwatts);
    if let Some(report) = &args.report {
        files::write(
            report,
            page::of_day(&summary, &replayed.day, samples, args.milliwatts)?.as_bytes(),
        )?;
    }
    args.out.print(&summary, |out| {
        summary.write(out)?;
        let speed = summary.seconds / took.max(1e-9);
        writeln!(
            out,
            "{} simulated in {took:.2} s, {speed:.0} times as fast",
            span(summary.seconds)
        )?;
        args.report.iter().try_for_each(|report| writeln!(out, "{}: written", report.display()))
    })
}

fn read_device(path: &Path) -> Result<DeviceTrace> {
    let bytes = files::read(path, MAX_DEVICE_BYTES, ErrorKind::InvalidData)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let message = format!("is not UTF-8 text: {}", error.utf8_error());
        Error::new(ErrorKind::InvalidData, message).with_source(error)
    })?;
    DeviceTrace::parse(&text)
}

/// A modelled phone.
fn live(
    args: &SimulateArgs,
    phone: &Phone,
    samples: &Samples,
    options: RuntimeOptions,
    setting: Setting,
    fixed: Threshold,
) -> Result<()> {
    let options = args.options(options, 0);
    let floor = options
        .policy
        .certificates
        .iter()
        .find(|certificate| certificate.eps == options.policy.promise_eps)
        .map_or(fixed, |certificate| certificate.threshold);
    let world = World {
        phone,
        samples,
        draw: Draw::new(args.order, args.seed),
        options: &options,
        bundle: &setting.bundle.clone(),
        mode: args.mode.into(),
        fixed,
        floor,
        pace: args.pace(),
        hours: args.hours,
    };
    let lived = world.live()?;
    let comparison = Comparison::new(setting, phone, &lived);
    if let Some(report) = &args.report {
        files::write(report, page::of_comparison(&comparison, &lived, samples)?.as_bytes())?;
    }
    args.out.print(&comparison, |out| {
        comparison.write(out)?;
        args.report.iter().try_for_each(|report| writeln!(out, "{}: written", report.display()))
    })
}
