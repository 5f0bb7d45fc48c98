//! `verify`: every byte checked, every network opened.

use biglittle::network::{ModelLimits, check_model};
use biglittle::{Engine, EngineOptions, Opening, Result};
use serde::Serialize;

use super::table::plural;
use crate::args::TargetArgs;
use crate::target::Target;

#[derive(Debug, Serialize)]
struct Verified {
    target: String,
    valid: bool,
    networks: usize,
}

pub fn run(args: &TargetArgs) -> Result<()> {
    let out = args.out;
    let named = |error: biglittle::Error| error.context(args.target.display());
    let networks = match Target::read(&args.target)? {
        Target::Network(bytes) => {
            check_model(&bytes, &ModelLimits::default()).map_err(named)?;
            1
        }
        Target::Bundle(bundle) => {
            let networks = bundle.manifest().networks.len();
            let options = EngineOptions { opening: Opening::WarmUp, ..EngineOptions::default() };
            Engine::open(*bundle, &options).map_err(named)?;
            networks
        }
    };
    let verified = Verified { target: args.target.display().to_string(), valid: true, networks };
    out.print(&verified, |out| {
        writeln!(out, "{}: good, {} opened", verified.target, plural(networks, "network"))
    })
}
