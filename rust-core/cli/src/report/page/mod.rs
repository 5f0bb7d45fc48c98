//! One HTML file that needs nothing else: no network, no font, no script but
//! its own.
//!
//! Every text that comes from a trace, a bundle or a file name goes through
//! maud, which escapes it. The Content-Security-Policy forbids everything but
//! the page's own style and script, by their hashes, and pictures in it.

mod certificate;
mod chart;
mod cost;
mod opening;
mod pictures;
mod provenance;
mod scores;
mod words;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use biglittle::Result;
use biglittle::bundle::{LevelAnswer, Manifest};
use maud::{DOCTYPE, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::front::Front;
use super::ranking::{Histogram, Ranking, Reliability};
use super::sweep::Sweep;
use super::{Chosen, Gallery, Rows, Summary};
use crate::trace::{Source, Trace};
use words::Words;

const STYLE: &str = include_str!("page.css");
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
    let policy = format!(
        "default-src 'none'; img-src data:; style-src 'sha256-{}'; script-src 'sha256-{}'; \
         base-uri 'none'; form-action 'none'",
        sha256_base64(STYLE),
        sha256_base64(SCRIPT)
    );
    let sections = [
        ("try", "Threshold", opening::threshold(subject)?),
        ("promise", "Promise", certificate::section(subject)),
        ("scores", "Scores", scores::section(subject)?),
        ("cost", "Cost", cost::section(subject)?),
        ("samples", "Samples", pictures::section(subject)),
        ("data", "What was counted", provenance::section(subject)),
    ];
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "biglittle " (env!("CARGO_PKG_VERSION")) };
                title { (title) " · biglittle report" }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { (opening::header(subject, &title)) }
                nav aria-label="Sections" {
                    @for (id, name, _) in &sections { a href={ "#" (id) } { (name) } }
                }
                main {
                    (opening::headline(subject))
                    @for (id, _, section) in &sections { section id=(id) { (section) } }
                }
                script type="application/json" id="steps" { (PreEscaped(opening::steps(subject))) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    Ok(page.into_string())
}

fn sha256_base64(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}
