//! `evaluate`: what a bundle is worth on labelled data.

use biglittle::{Engine, EngineOptions, ModelBundle, Opening, Result};

use crate::args::EvaluateArgs;
use crate::data::{DataSet, Labelling};
use crate::measure;

pub fn run(args: &EvaluateArgs) -> Result<()> {
    let out = args.out;
    let bundle = ModelBundle::open(&args.bundle)?;
    let mut data = DataSet::open(&args.data, bundle.labels(), Labelling::Required)?;
    if let Some(samples) = args.samples {
        data.truncate(usize::try_from(samples).unwrap_or(usize::MAX));
    }
    let options = EngineOptions { opening: Opening::WarmUp, ..EngineOptions::default() };
    let mut engine =
        Engine::open(bundle, &options).map_err(|error| error.context(args.bundle.display()))?;
    let comparison = measure::compare(&mut engine, &data, !out.json, &mut |_, _, _| {})?;
    out.print(&comparison, |out| super::table::write(out, &comparison))
}
