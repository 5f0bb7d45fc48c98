//! The sections of a report, and what all of them are about.

mod certificate;
mod cost;
mod opening;
mod pictures;
mod provenance;
mod scores;
mod words;

use super::front::Front;
use super::ranking::{Histogram, Ranking, Reliability};
use super::sweep::Sweep;
use super::{Gallery, Summary};
use crate::page::{Page, Script};
use crate::rows::{Chosen, Rows};
use crate::trace::{Source, Trace};
use biglittle::Result;
use biglittle::bundle::{LevelAnswer, Manifest};
use words::Words;

const SCRIPT: &str = include_str!("page.js");

/// What all sections are about.
struct Subject<'a> {
    trace: &'a Trace,
    manifest: &'a Manifest,
    rows: &'a Rows,
    /// The names of the levels.
    names: Vec<&'a str>,
    words: Words,
    sweep: Sweep,
    rankings: Vec<Option<Ranking>>,
    reliabilities: Vec<Option<Reliability>>,
    histogram: Histogram,
    front: Option<Front>,
    summary: &'a Summary,
    gallery: &'a Gallery,
}

/// The page of `rows` of a trace, judged with the thresholds of `manifest`.
///
/// # Errors
/// When the trace cannot be read once more.
pub fn render(
    source: &Source<'_>,
    rows: &Rows,
    manifest: &Manifest,
    chosen: Chosen,
    gallery: &Gallery,
) -> Result<(String, Summary)> {
    let names: Vec<&str> = manifest.levels.iter().map(|level| level.name.as_str()).collect();
    let last = rows.last();
    let reference: Vec<usize> = match manifest.levels[last].answer {
        LevelAnswer::Own => vec![last],
        LevelAnswer::Committee => (0..=last).collect(),
    };
    let certified = manifest
        .certificate_in_use()
        // With more levels it is about these thresholds only.
        .filter(|_| last == 1)
        .and_then(|certificate| certificate.thresholds.first().copied());
    let sweep = Sweep::new(rows, &reference, certified);
    let rankings: Vec<_> = (0..=last).map(|level| Ranking::of(rows, level)).collect();
    let reliabilities: Vec<_> = (0..=last).map(|level| Reliability::of(rows, level)).collect();
    let summary = Summary::new(rows, chosen, &names, &sweep, &rankings, &reliabilities);
    let subject = Subject {
        trace: source.trace,
        manifest,
        rows,
        words: Words::of(rows.loss, names[last]),
        names,
        sweep,
        rankings,
        reliabilities,
        histogram: Histogram::of(rows),
        front: Front::of(source, manifest, rows, chosen)?,
        summary: &summary,
        gallery,
    };
    let page = page(&subject)?;
    Ok((page, summary))
}

fn page(subject: &Subject<'_>) -> Result<String> {
    let title = format!("{} {}", subject.manifest.name, subject.manifest.version);
    let page = Page {
        title: &title,
        kind: "report",
        header: opening::header(subject, &title),
        headline: opening::headline(subject),
        sections: vec![
            ("try", "Threshold", opening::threshold(subject)?),
            ("promise", "Promise", certificate::section(subject)),
            ("scores", "Scores", scores::section(subject)?),
            ("cost", "Cost", cost::section(subject)?),
            ("samples", "Samples", pictures::section(subject)),
            ("data", "What was counted", provenance::section(subject)),
        ],
        script: Some(Script { code: SCRIPT, data: ("steps", opening::steps(subject)) }),
    };
    Ok(page.into_html())
}
