//! `inspect`: what is in a bundle or a network.

use std::io::{self, Write};

use biglittle::bundle::{LevelAnswer, Manifest, NetworkSpec};
use biglittle::clock::Clock;
use biglittle::engine::{SystemClock, open_network};
use biglittle::network::{Model, ModelSummary, OpenOptions, OpenPhase, Part, Runtime, TractLayer};
use biglittle::{ModelBundle, Result};
use serde::Serialize;

use super::table::{count, duration, percent};
use crate::args::TargetArgs;
use crate::target::Target;

/// What a network file holds, for `--json`.
#[derive(Debug, Serialize)]
struct NetworkReport {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(flatten)]
    summary: ModelSummary,
    /// What runs it on this machine, and why if it is not the kernels.
    runtime: String,
    /// The same in its parts: which layers run where.
    execution: Runtime,
}

impl NetworkReport {
    /// `open` opens the network.
    fn new(
        id: Option<String>,
        open: impl FnOnce(&mut dyn FnMut(OpenPhase)) -> Result<Model>,
    ) -> Result<Self> {
        let clock = SystemClock::new();
        let mut before = clock.now();
        let model = open(&mut |phase| {
            let now = clock.now();
            log::debug!("{phase:?} after {}", duration((now - before).wall_ns as f64));
            before = now;
        })?;
        let (summary, execution) = (model.summary().clone(), model.runtime().clone());
        Ok(NetworkReport { id, summary, runtime: execution.to_string(), execution })
    }
}

/// What a bundle holds, for `--json`.
#[derive(Debug, Serialize)]
struct BundleReport {
    manifest: Manifest,
    labels: usize,
    networks: Vec<NetworkReport>,
}

pub fn run(args: &TargetArgs) -> Result<()> {
    let out = args.out;
    let named = |error: biglittle::Error| error.context(args.target.display());
    match Target::read(&args.target)? {
        Target::Network(bytes) => {
            let open = |watch: &mut dyn FnMut(OpenPhase)| {
                Model::open_watched(&bytes, OpenOptions::default(), watch)
            };
            let report = NetworkReport::new(None, open).map_err(named)?;
            out.print(&report, |out| write_network(out, &report))
        }
        Target::Bundle(bundle) => {
            let report = report(&bundle).map_err(named)?;
            out.print(&report, |out| write_bundle(out, &report))
        }
    }
}

fn report(bundle: &ModelBundle) -> Result<BundleReport> {
    let network = |spec: &NetworkSpec| {
        let open = |watch: &mut dyn FnMut(OpenPhase)| {
            open_network(bundle, spec, OpenOptions::default(), watch)
        };
        NetworkReport::new(Some(spec.id.clone()), open)
            .map_err(|error| error.context(format!("network {:?}", spec.id)))
    };
    Ok(BundleReport {
        manifest: bundle.manifest().clone(),
        labels: bundle.labels().len(),
        networks: bundle.manifest().networks.iter().map(network).collect::<Result<_>>()?,
    })
}

fn write_bundle(out: &mut dyn Write, report: &BundleReport) -> io::Result<()> {
    let Manifest { name, version, description, provenance, levels, .. } = &report.manifest;
    writeln!(out, "{name} {version}: {description}")?;
    writeln!(out, "{} labels; {}; {}", report.labels, provenance.licence, provenance.source)?;
    for (index, level) in levels.iter().enumerate() {
        let committee = match level.answer {
            LevelAnswer::Own => "",
            LevelAnswer::Committee => ", committee with all before",
        };
        let threshold = match level.threshold {
            Some(threshold) => format!(", accepts above {threshold}"),
            None => ", final".into(),
        };
        let networks = level.networks.join(" + ");
        writeln!(out, "level {index} {}: {networks}{committee}{threshold}", level.name)?;
    }
    write_certificates(out, &report.manifest)?;
    if let Some(scores) = &report.manifest.calibration_scores {
        let count = scores.histogram.counts.iter().sum::<u64>();
        writeln!(out, "drift is watched against the {count} scores of the calibration")?;
    }
    for (network, spec) in report.networks.iter().zip(&report.manifest.networks) {
        writeln!(out, "\nnetwork {} ({}, {} bytes)", spec.id, spec.file.path, spec.file.bytes)?;
        write_network(out, network)?;
    }
    Ok(())
}

/// The certificates, and whether the thresholds in use keep one.
pub fn write_certificates(out: &mut dyn Write, manifest: &Manifest) -> io::Result<()> {
    manifest.certificates.iter().try_for_each(|c| super::calibrate::write_certificate(out, c))?;
    match (manifest.certificate_in_use(), manifest.certificates.is_empty()) {
        (Some(used), _) => {
            let (loss, eps) = (used.loss, percent(used.eps, 3));
            writeln!(out, "thresholds in use: certified for {loss} of at most {eps}")
        }
        (None, false) => writeln!(out, "thresholds in use: of none of the certificates"),
        (None, true) => writeln!(out, "thresholds in use: not certified"),
    }
}

fn write_network(out: &mut dyn Write, network: &NetworkReport) -> io::Result<()> {
    let ModelSummary {
        input_shape,
        output_shape,
        macs,
        parameters,
        memory_bytes,
        opset,
        operators,
    } = &network.summary;
    writeln!(out, "  input {input_shape:?}, output {output_shape:?}, opset {opset}")?;
    writeln!(
        out,
        "  {} MACs, {} parameters, at most {} bytes of memory",
        count(*macs as f64),
        count(*parameters as f64),
        count(*memory_bytes as f64)
    )?;
    let operators: Vec<_> = operators.iter().map(|(name, n)| format!("{n} {name}")).collect();
    writeln!(out, "  {}", operators.join(", "))?;
    writeln!(out, "  runs on {}", network.runtime)?;
    match &network.execution {
        Runtime::Mixed { parts, .. } => parts.iter().try_for_each(|part| write_part(out, part)),
        Runtime::Tract { layers, .. } => write_layers(out, layers),
        _ => Ok(()),
    }
}

fn write_part(out: &mut dyn Write, part: &Part) -> io::Result<()> {
    match part {
        Part::Kernels { layers, macs, .. } => {
            let ends = match &layers[..] {
                [first, .., last] => format!("{first} to {last}"),
                layers => layers.concat(),
            };
            let (layers, macs) = (layers.len(), count(*macs as f64));
            writeln!(out, "    kernels: {layers} layers, {macs} MACs: {ends}")
        }
        Part::Tract { layers, .. } => write_layers(out, layers),
        _ => Ok(()),
    }
}

/// Each reason once, with the first layers that it holds for.
fn write_layers(out: &mut dyn Write, layers: &[TractLayer]) -> io::Result<()> {
    const SHOWN: usize = 3;
    let mut groups: Vec<(&str, Vec<&TractLayer>)> = vec![];
    for layer in layers {
        match groups.iter_mut().find(|(reason, _)| *reason == layer.reason) {
            Some((_, group)) => group.push(layer),
            None => groups.push((&layer.reason, vec![layer])),
        }
    }
    for (reason, group) in groups {
        let names = group.iter().take(SHOWN).map(|one| format!("{} ({})", one.name, one.operator));
        let names: Vec<String> = names.collect();
        let more = match group.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        writeln!(out, "    tract: {}{more}: {reason}", names.join(", "))?;
    }
    Ok(())
}
