//! What comes first: the headline numbers, and the slider.

use biglittle::Result;
use maud::{Markup, html};

use super::Subject;
use crate::commands::table::plural;
use crate::page::figure;
use crate::page::words;
use crate::page::words::percent;
use crate::report::charts;

pub fn header(subject: &Subject<'_>, title: &str) -> Markup {
    let Subject { summary, names, words, .. } = subject;
    let names = names.join(", then ");
    html! {
        h1 { (title) }
        p.soft {
            (subject.manifest.description) " The cascade asks " (names) ": each next one only where the one \
            before is unsure. Judged on " (plural(summary.rows, "sample")) " of the "
            @if summary.split == "all" { "whole trace" } @else { "split " b { (summary.split) } } "."
        }
        @if !words.has_labels {
            p.note.warn {
                "The trace has no labels. So nothing here says what is right: every figure says how often an \
                 answer is " (words.right) "."
            }
        }
        @if summary.split != "test" {
            p.note.warn {
                "These rows are not those of the split test alone. A threshold that was chosen on some of them \
                 looks better here than it is."
            }
        }
    }
}

/// The numbers that most readers want.
pub fn headline(subject: &Subject<'_>) -> Markup {
    let Subject { summary, names, words, .. } = subject;
    let last = &summary.levels[names.len() - 1];
    let big = names[names.len() - 1];
    let [low, high] = summary.accuracy.ci95;
    html! {
        div.cards {
            div.card {
                b { (percent(summary.accuracy.share, 2)) }
                span { (words.accuracy) }
                small {
                    "95\u{a0}% interval " (percent(low, 2)) " to " (percent(high, 2))
                    @if words.has_labels { "; " (big) " alone " (percent(last.accuracy.share, 2)) }
                }
            }
            div.card {
                b { (percent(summary.escalation, 2)) }
                span { "escalated" }
                small { "samples that " (names[0]) " did not answer by itself" }
            }
            @if let Some(share) = summary.macs_share { (saving(share, "fewer", "MACs", &format!("multiply-accumulates, counted from the networks, against {big} alone"))) }
            @if let Some(share) = summary.cpu_share { (saving(share, "less", "CPU time", &format!("measured while the trace was recorded, against {big} alone"))) }
        }
    }
}

fn saving(share: f64, less: &str, what: &str, how: &str) -> Markup {
    let (number, word) = words::saved(share, less);
    html! {
        div.card {
            b { (number) }
            span { (word) " " (what) }
            small { (how) }
        }
    }
}

/// The slider and what it moves.
pub fn threshold(subject: &Subject<'_>) -> Result<Markup> {
    let Subject { sweep, words, names, rows, .. } = subject;
    let step = sweep.in_use();
    let place = Some((sweep.share(step.escalated), sweep.share(step.right)));
    let mut figures = vec![charts::escalation(sweep, &words.accuracy, 1.0)?];
    let escalation = sweep.share(step.escalated);
    if escalation < 0.15 && sweep.rows > 1 {
        // What matters is squeezed into the left end.
        let mended = sweep.curve.oracle[1].escalation;
        let most = (4.0 * escalation).max(2.0 * mended).max(4.0 / sweep.rows as f64).max(0.01);
        figures.push(charts::escalation(sweep, &words.accuracy, most.min(0.5))?);
    }
    let score = words::score(rows.kinds[0]);
    let saved = |share: f64, less: &str| {
        let (number, word) = words::saved(share, less);
        format!("{number} {word}")
    };
    let out = |name: &'static str, label: Markup, text: String| {
        html! { div { dt { (label) } dd { output for="threshold" data-out=(name) { (text) } } } }
    };
    let big = names[names.len() - 1];
    Ok(html! {
        h2 { "Move the threshold" }
        p.about {
            "The answer of " b { (names[0]) } " stands if its " (score) " is above the threshold; else the sample \
             escalates. A lower threshold is cheaper, a higher one more careful."
            @if names.len() > 2 { " The slider moves the threshold of " (names[0]) "; those of the later levels stay." }
        }
        div.try {
            div data-needs-script hidden {
                label for="threshold" { "Threshold of " (names[0]) }
                input type="range" id="threshold" min="0" max=(sweep.steps.len() - 1) step="1" value=(sweep.current) autocomplete="off";
                div.ends { span { "← cheaper" } span { "more careful →" } }
            }
            p data-without-script { "Without JavaScript the slider is not there. These are the figures at the threshold in use." }
            dl.readings {
                (out("threshold", html! { "threshold (" (score) ")" }, words::number(step.threshold)))
                (out("accuracy", html! { (words.accuracy) }, percent(sweep.share(step.right), 2)))
                (out("escalation", html! { "escalated" }, percent(escalation, 2)))
                (out("bad", html! { "answers " (words.loss) }, format!("{} of {}", step.bad, sweep.rows)))
                @if rows.left_out.has_costs {
                    (out("macs", html! { "MACs, against " (big) " alone" }, saved(step.macs_share, "fewer")))
                    (out("cpu", html! { "measured CPU time, the same" }, saved(step.cpu_share, "less")))
                }
            }
            @if let Some(certified) = sweep.certified {
                p.note.good data-promise="kept" hidden[sweep.current < certified] { "The promise below holds at this threshold." }
                p.note.warn data-promise="none" hidden[sweep.current >= certified] { "Below the certified threshold: nothing is promised here." }
            }
            div data-needs-script hidden { button type="button" id="reset" { "Back to the threshold in use" } }
        }
        div.charts {
            @for (number, chart) in figures.iter().enumerate() {
                (figure(chart, &format!("escalation-{number}"), place))
            }
        }
        p.soft.small {
            (plural(sweep.steps.len(), "threshold")) " of the " (sweep.all_steps) " that differ "
            "can be reached here; the numbers at each are exact counts over all " (plural(sweep.rows, "row")) "."
        }
    })
}

/// The steps of the slider as JSON without any text from elsewhere.
pub fn steps(subject: &Subject<'_>) -> String {
    let Subject { sweep, words, .. } = subject;
    let steps: Vec<_> = sweep
        .steps
        .iter()
        .map(|step| {
            let threshold = Some(step.threshold).filter(|threshold| threshold.is_finite());
            (threshold, step.escalated, step.right, step.bad, step.macs_share, step.cpu_share)
        })
        .collect();
    let json = serde_json::json!({
        "rows": sweep.rows,
        "current": sweep.current,
        "certified": sweep.certified,
        "accuracy": if words.has_labels { "accuracy" } else { "agreement" },
        "steps": steps,
    });
    json.to_string()
}
