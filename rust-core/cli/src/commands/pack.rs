//! `pack`: a folder with a draft manifest becomes a bundle.

use biglittle::network::{ModelLimits, check_model};
use biglittle::{ModelBundle, Result};
use serde::Serialize;

use crate::args::PackArgs;
use crate::output::Output;

#[derive(Debug, Serialize)]
struct Packed {
    bundle: String,
    networks: usize,
    levels: usize,
}

pub fn run(args: &PackArgs, out: Output) -> Result<()> {
    let count_macs = |id: &str, bytes: &[u8]| {
        check_model(bytes, &ModelLimits::default())
            .map(|summary| summary.macs)
            .map_err(|error| error.context(format!("network {id:?}")))
    };
    let bundle = ModelBundle::from_draft(&args.folder, count_macs)?;
    if args.output.extension().is_some_and(|ending| ending == "biglittle") {
        bundle.write_archive(&args.output)?;
    } else {
        bundle.write_folder(&args.output)?;
    }
    let manifest = bundle.manifest();
    let packed = Packed {
        bundle: args.output.display().to_string(),
        networks: manifest.networks.len(),
        levels: manifest.levels.len(),
    };
    out.print(&packed, |out| {
        let Packed { bundle, networks, levels } = &packed;
        writeln!(out, "{bundle}: packed {networks} networks in {levels} levels")
    })
}
