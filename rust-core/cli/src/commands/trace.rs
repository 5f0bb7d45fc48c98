//! `trace`: every network on every sample, once, into a Parquet file.

use biglittle::{ModelBundle, Result};
use serde::Serialize;

use super::table::plural;
use crate::args::TraceArgs;
use crate::data::{DataSet, Labelling};
use crate::output;
use crate::trace::record::{Options, record};
use crate::trace::{Skipped, TraceMeta};

#[derive(Debug, Serialize)]
struct Recorded {
    trace: String,
    rows: u64,
    skipped: u64,
    first_skipped: Vec<Skipped>,
    data_sha256: String,
    models_sha256: String,
}

pub fn run(args: &TraceArgs) -> Result<()> {
    let out = args.out;
    let bundle = ModelBundle::open(&args.bundle)?;
    let mut data = DataSet::open(&args.data, bundle.labels(), Labelling::Optional)?;
    if let Some(samples) = args.samples {
        data.truncate(usize::try_from(samples).unwrap_or(usize::MAX));
    }
    let options = Options {
        split: args.split.spec(),
        outputs: !args.no_outputs,
        skipped_percent: args.allow_skipped,
        progress: !out.json,
    };
    let meta = record(bundle, &data, &args.output, options)?;
    let TraceMeta { data, models_sha256, .. } = meta;
    for Skipped { sample, reason } in &data.first_skipped {
        output::print_warning(&format!("skipped {sample}: {reason}"));
    }
    let recorded = Recorded {
        trace: args.output.display().to_string(),
        rows: data.samples - data.skipped,
        skipped: data.skipped,
        first_skipped: data.first_skipped,
        data_sha256: data.sha256,
        models_sha256,
    };
    out.print(&recorded, |out| {
        let rows = plural(recorded.rows as usize, "row");
        writeln!(out, "{}: {rows}, {} skipped", recorded.trace, recorded.skipped)
    })
}
