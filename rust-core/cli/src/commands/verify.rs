//! `verify`: every byte checked, every network opened.

use biglittle::bundle::NetworkSpec;
use biglittle::engine::open_network;
use biglittle::network::{Execution, Isa, ModelLimits, Runtime, check_model};
use biglittle::{Engine, EngineOptions, ModelBundle, Opening, Result};
use serde::Serialize;

use super::table::plural;
use crate::args::TargetArgs;
use crate::target::Target;

#[derive(Debug, Serialize)]
struct Verified {
    target: String,
    valid: bool,
    networks: usize,
    /// Certificates, all of them of these networks.
    certificates: usize,
    /// Whether the thresholds in use keep one of them; null for an ONNX file.
    certified: Option<bool>,
}

pub fn run(args: &TargetArgs) -> Result<()> {
    let out = args.out;
    let named = |error: biglittle::Error| error.context(args.target.display());
    let (networks, certificates, certified) = match Target::read(&args.target)? {
        Target::Network(bytes) => {
            check_model(&bytes, &ModelLimits::default()).map_err(named)?;
            (1, 0, None)
        }
        Target::Bundle(bundle) => {
            let manifest = bundle.manifest();
            let certified = manifest.certificate_in_use().is_some();
            let found = (manifest.networks.len(), manifest.certificates.len(), Some(certified));
            check_tables(&bundle).map_err(named)?;
            let options = EngineOptions { opening: Opening::WarmUp, ..EngineOptions::default() };
            Engine::open(*bundle, &options).map_err(named)?;
            found
        }
    };
    let target = args.target.display().to_string();
    let verified = Verified { target, valid: true, networks, certificates, certified };
    out.print(&verified, |out| {
        write!(out, "{}: good, {} opened", verified.target, plural(networks, "network"))?;
        match verified.certified {
            Some(true) => writeln!(out, ", thresholds certified"),
            Some(false) if certificates > 0 => writeln!(out, ", thresholds of no certificate"),
            _ => writeln!(out),
        }
    })
}

/// Plans networks in int8 on the portable instruction set: a machine without a fast
/// one would run them in float32, and call a table good that phones refuse. Returns
/// what they were planned for.
fn check_tables(bundle: &ModelBundle) -> Result<Vec<Runtime>> {
    let execution = Execution::Kernels(Isa::Scalar);
    let networks = bundle.manifest().networks.iter();
    let opened = |network: &NetworkSpec| {
        open_network(bundle, network, execution.into(), &mut |_| {})
            .map(|model| model.runtime().clone())
            .map_err(|error| error.context(format!("network {:?}", network.id)))
    };
    networks.filter(|network| network.calibration_table.is_some()).map(opened).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn tables_are_planned_for_the_portable_set() {
        let bundle = ModelBundle::open("../../models/mnist/bundle-int8").unwrap();
        let planned = check_tables(&bundle).unwrap();
        let words: Vec<String> = planned.iter().map(ToString::to_string).collect();
        assert_eq!(words, ["kernels (portable, int8)"; 2]);
        let float = ModelBundle::open("../../models/mnist/bundle").unwrap();
        assert_eq!(check_tables(&float).unwrap(), []);
    }
}
