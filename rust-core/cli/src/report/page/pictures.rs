//! Samples worth looking at.

use maud::{Markup, html};

use super::super::gallery::Shown;
use super::Subject;

pub fn section(subject: &Subject<'_>) -> Markup {
    let Subject { gallery, names, words, rows, .. } = subject;
    let (little, big) = (names[0], names[names.len() - 1]);
    html! {
        h2 { "Samples worth looking at" }
        @if !rows.left_out.has_names {
            p.note { "The trace has no column " code { "sample" } ", so samples are called by their row." }
        } @else if !gallery.has_pictures {
            p.note { "Names only: give the folder that was traced with " code { "--data" } " to see pictures." }
        }
        h3 { "The worst: " (little) " is sure, and its answer is " (words.loss) }
        @if gallery.worst.is_empty() {
            p { "There is none: no answer of " (little) " is " (words.loss) "." }
        } @else {
            p.soft { "The surest first. What is accepted gets through at the threshold in use; what is caught escalates." }
            ul.gallery { @for shown in &gallery.worst { (card(subject, shown)) } }
        }
        h3 { "Typical escalations: " (little) " is unsure and " (big) " is asked" }
        @if gallery.escalated.is_empty() {
            p { "Nothing escalates at the threshold in use." }
        } @else {
            p.soft { "Evenly spread over the scores of all that escalate, the surest first." }
            ul.gallery { @for shown in &gallery.escalated { (card(subject, shown)) } }
        }
    }
}

fn card(subject: &Subject<'_>, shown: &Shown) -> Markup {
    let Subject { rows, names, trace, words, .. } = subject;
    let row = shown.row;
    let labels = &trace.meta().labels;
    let label = |index: Option<u32>| {
        index.and_then(|index| labels.get(index as usize)).map_or("no answer", String::as_str)
    };
    let name = match rows.block.samples.get(row) {
        Some(name) => name.clone(),
        None => format!("row {row}"),
    };
    let truth = rows.block.labels[row];
    let score = rows.score(row, 0);
    let is_accepted = rows.thresholds[0].accepts(score);
    let last = rows.last();
    let class = |level: usize| {
        words.has_labels.then(|| if rows.is_right(row, level) { "right" } else { "wrong" })
    };
    html! {
        li {
            @match &shown.picture {
                Some(Ok(uri)) => {
                    // Small pictures are PNG, and shown pixel by pixel.
                    img.tiny[uri.starts_with("data:image/png")] src=(uri) alt={ "sample " (name) };
                }
                Some(Err(why)) => p.soft { "No picture: " (why) },
                None => {}
            }
            b { (name) } br;
            @if truth.is_some() { "label " b { (label(truth)) } br; }
            span class=[class(0)] { (names[0]) ": " (label(rows.answer(row, 0))) } " "
            span.soft { @if score.is_finite() { "(" (format!("{score:.3}")) ")" } @else { "(no score)" } } br;
            span class=[class(last)] { (names[last]) ": " (label(rows.answer(row, last))) } br;
            @if rows.is_bad(row, 0) {
                span.tag.warn[is_accepted] { @if is_accepted { "accepted" } @else { "caught" } }
            }
        }
    }
}
