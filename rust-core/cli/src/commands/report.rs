//! `report`: one HTML page of a trace.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use biglittle::bundle::Manifest;
use biglittle::calibrate::Loss;
use biglittle::{Error, ErrorKind, ModelBundle, Result};
use serde::Serialize;
use tempfile::NamedTempFile;

use super::calibrate::check_models;
use super::table::{percent, plural};
use crate::args::ReportArgs;
use crate::certify::has_scores;
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
    check_output(&args.output).map_err(|error| error.context(args.output.display()))?;
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
    write(&args.output, page.as_bytes()).map_err(|error| {
        let message = format!("{}: cannot be written: {}", args.output.display(), error.kind());
        Error::new(ErrorKind::Io, message).with_source(error)
    })?;
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

/// A trace that was given for the output by mistake is not written over.
fn check_output(path: &Path) -> Result<()> {
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    let mut start = [0; 15];
    let is_page = metadata.is_file()
        && File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && start.eq_ignore_ascii_case(b"<!DOCTYPE html>");
    if is_page {
        return Ok(());
    }
    let message = "exists already and is no HTML page, so it is not replaced: give another name";
    Err(Error::new(ErrorKind::InvalidArgument, message))
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

/// All of it or nothing.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    make_readable(&file)?;
    file.persist(path)?;
    Ok(())
}

/// Temporary files are their owner's only; a report is to be shown around.
#[cfg(unix)]
fn make_readable(file: &NamedTempFile) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &NamedTempFile) -> io::Result<()> {
    Ok(())
}
