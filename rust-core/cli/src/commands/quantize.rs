//! `quantize`: a bundle in float32 becomes one in int8.

use std::io::{self, Write};

use biglittle::network::RangeMethod;
use biglittle::{Engine, EngineOptions, ModelBundle, Opening, Result};
use serde::Serialize;

use super::table::{duration, percent, plural};
use crate::args::QuantizeArgs;
use crate::data::{DataSet, Labelling};
use crate::output::print_warning;
use crate::quantize::{Judged, RUNS, Sets, chosen, judged, p_value, quantized, replaced};
use crate::target::{check_new, write_new};

#[derive(Debug, Serialize)]
struct Report {
    /// The bundle that was written.
    bundle: String,
    networks: Vec<Judged>,
}

pub fn run(args: &QuantizeArgs) -> Result<()> {
    check_new(&args.output)?;
    let bundle = ModelBundle::open(&args.bundle)?;
    let named = |error: biglittle::Error| error.context(args.bundle.display());
    let numbers = chosen(bundle.manifest(), &args.networks).map_err(named)?;
    let method = match args.leave_out {
        0.0 => RangeMethod::MinMax,
        share => RangeMethod::LeaveOut(share),
    };
    method.validate()?;
    // A manifest that misdescribes its networks is told from bad images here.
    let eager = EngineOptions { opening: Opening::Eager, ..EngineOptions::default() };
    Engine::open(bundle.clone(), &eager).map_err(named)?;
    let data = DataSet::open(&args.data, bundle.labels(), Labelling::Optional)?;
    let most = usize::try_from(args.images).unwrap_or(usize::MAX);
    let sets = Sets::divide(&data, &args.split.spec(), most)
        .map_err(|error| error.context(args.data.display()))?;
    let manifest = bundle.manifest();
    let networks = numbers
        .iter()
        .map(|&number| Ok((number, quantized(&bundle, &manifest.networks[number], &sets, method)?)))
        .collect::<Result<Vec<_>>>()?;
    let written = replaced(bundle.clone(), &networks, method)?;
    let networks = numbers
        .iter()
        .map(|&number| judged(&bundle, &written, number, &sets))
        .collect::<Result<Vec<_>>>()?;
    write_new(&written, &args.output)?;
    let report = Report { bundle: args.output.display().to_string(), networks };
    for network in &report.networks {
        for reason in &network.keep_float32 {
            print_warning(&format!(
                "network {:?} should stay in float32 (name the others with --network): {reason}",
                network.network
            ));
        }
    }
    args.out.print(&report, |out| write(out, &report))
}

fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    for network in &report.networks {
        write_network(out, network)?;
    }
    writeln!(
        out,
        "Wrote {} without certificates, which were of other answers: run `biglittle trace` and \
         `biglittle calibrate` on it.",
        report.bundle
    )
}

fn write_network(out: &mut dyn Write, network: &Judged) -> io::Result<()> {
    let Judged { images, range_images, bytes, .. } = network;
    let kilobytes = bytes.map(|bytes| bytes as f64 / 1e3);
    writeln!(out, "{}: {:.1} kB, was {:.1} kB", network.network, kilobytes[1], kilobytes[0])?;
    writeln!(
        out,
        "  ranges of {}, judged on {} others by {}{}",
        plural(*range_images, "image"),
        images,
        network.runtime,
        if network.takes_pixels { ", which take the pixels as they are" } else { "" }
    )?;
    let [low, high] = network.agreement_ci95;
    writeln!(
        out,
        "  same answer for {} ({} to {}); an output value differs by {:.4} on average",
        percent(network.agreement, 2),
        percent(low, 2),
        percent(high, 2),
        network.mean_output_difference
    )?;
    match network.median_ns {
        Some([float, int8]) => writeln!(
            out,
            "  {} a run, was {}: {:.2} times as fast on this machine (medians of {RUNS} runs each, \
             in turn)",
            duration(int8 as f64),
            duration(float as f64),
            float as f64 / int8.max(1) as f64
        )?,
        None => writeln!(out, "  time not measured: this machine has no fast int8")?,
    }
    let Some(labelled) = &network.labelled else {
        return writeln!(out, "  without labels nothing is known about accuracy");
    };
    for (side, name) in ["float32", "int8"].into_iter().enumerate() {
        let [low, high] = labelled.accuracy_ci95[side];
        let auroc = labelled.margin_auroc[side];
        let auroc = auroc.map_or("not defined".to_owned(), |auroc| format!("{auroc:.4}"));
        writeln!(
            out,
            "  {name:>7}: {} right ({} to {}), {} only by it; AUROC of the margin {auroc}",
            percent(labelled.accuracy[side], 2),
            percent(low, 2),
            percent(high, 2),
            labelled.only_right[side],
        )?;
    }
    if labelled.only_right == [0, 0] {
        return Ok(());
    }
    writeln!(
        out,
        "  were both equally good, as large a difference would have {} (McNemar's exact test)",
        p_value(labelled.mcnemar_p)
    )
}
