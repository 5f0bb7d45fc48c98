//! `pack`: a folder with a draft manifest becomes a bundle.

use biglittle::network::{ModelLimits, check_model};
use biglittle::{Engine, EngineOptions, ModelBundle, Opening, Result};
use serde::Serialize;

use super::table::plural;
use crate::args::PackArgs;
use crate::target::has_ending;

#[derive(Debug, Serialize)]
struct Packed {
    bundle: String,
    networks: usize,
    levels: usize,
}

pub fn run(args: &PackArgs) -> Result<()> {
    let out = args.out;
    let count_macs = |id: &str, bytes: &[u8]| {
        check_model(bytes, &ModelLimits::default())
            .map(|summary| summary.macs)
            .map_err(|error| error.context(format!("network {id:?}")))
    };
    let bundle = ModelBundle::from_draft(&args.folder, count_macs)?;
    // Nothing is written that `verify` would refuse.
    let options = EngineOptions { opening: Opening::Eager, ..EngineOptions::default() };
    Engine::open(bundle.clone(), &options).map_err(|e| e.context(args.folder.display()))?;
    if has_ending(&args.output, "biglittle") {
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
        let (networks, levels) = (plural(*networks, "network"), plural(*levels, "level"));
        writeln!(out, "{bundle}: packed {networks} in {levels}")
    })
}
