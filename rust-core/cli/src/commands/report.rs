//! `report`: one HTML page of a trace.

use biglittle::bundle::Manifest;
use biglittle::calibrate::Loss;
use biglittle::{Error, ErrorKind, ModelBundle, Result};
use serde::Serialize;

use super::calibrate::check_models;
use super::table::{percent, plural};
use crate::args::ReportArgs;
use crate::certify::has_scores;
use crate::files;
use crate::report::{Gallery, Rows, Summary, render};
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
    files::may_replace(&args.output, b"<!DOCTYPE html>", "HTML page")?;
    let trace = Trace::open(&args.trace)?;
    let bundle = args.bundle.as_ref().map(ModelBundle::open).transpose()?;
    let manifest = bundle.as_ref().map_or(&trace.meta().manifest, ModelBundle::manifest);
    let source = check_models(&trace.meta().manifest, manifest)
        .and_then(|()| source(&trace, manifest))
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

/// The trace with the scores that `manifest` asks for.
fn source<'a>(trace: &'a Trace, manifest: &Manifest) -> Result<Source<'a>> {
    let meta = trace.meta();
    let has_scores = has_scores(&meta.manifest, &meta.norm_orders, manifest);
    if !has_scores && !meta.has_outputs {
        let message = "has no raw values, but the bundle's temperature or norm is not the recorded \
                       one: record it again with this bundle";
        return Err(Error::new(ErrorKind::InvalidData, message));
    }
    Ok(Source { trace, split: None, rescored: (!has_scores).then(|| manifest.clone()) })
}
