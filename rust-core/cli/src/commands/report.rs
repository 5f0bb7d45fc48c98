//! `report`: one HTML page of a trace.

use biglittle::calibrate::Loss;
use biglittle::{ModelBundle, Result};
use serde::Serialize;

use super::calibrate::check_models;
use super::table::{percent, plural};
use crate::args::ReportArgs;
use crate::files;
use crate::page::check_output;
use crate::report::{Gallery, Summary, render};
use crate::rows::Rows;
use crate::trace::{Source, Trace};

#[derive(Debug, Serialize)]
struct Reported<'a> {
    report: String,
    bytes: usize,
    thumbnails: usize,
    #[serde(flatten)]
    summary: &'a Summary,
}

pub fn run(args: &ReportArgs) -> Result<()> {
    let out = args.out;
    check_output(&args.output)?;
    let trace = Trace::open(&args.trace)?;
    let bundle = args.bundle.as_ref().map(ModelBundle::open).transpose()?;
    let manifest = bundle.as_ref().map_or(&trace.meta().manifest, ModelBundle::manifest);
    let source = check_models(&trace.meta().manifest, manifest)
        .and_then(|()| Source::scored_by(&trace, manifest))
        .map_err(|error| error.context(args.trace.display()))?;
    let rows = Rows::read(&source, manifest, args.split)?;
    let gallery = Gallery::new(&rows, args.data.as_deref(), &trace.meta().labels)?;
    let thumbnails = gallery.pictures();
    let (page, summary) = render(&source, &rows, manifest, args.split, &gallery)?;
    files::write(&args.output, page.as_bytes())?;
    let report = args.output.display().to_string();
    let reported = Reported { report, bytes: page.len(), thumbnails, summary: &summary };
    out.print(&reported, |out| {
        let rows = plural(summary.rows, "row");
        writeln!(
            out,
            "{}: {rows} of the split {}, {} {}, escalated {}",
            reported.report,
            summary.split,
            if summary.loss == Loss::Harm { "accuracy" } else { "agreement with the last level" },
            percent(summary.accuracy.share, 2),
            percent(summary.escalation, 2)
        )
    })
}
