//! The day as a page: what it came to, and how it went, on one axis of time.

mod charts;
mod tables;

use biglittle::Result;
use biglittle::calibrate::Loss;
use maud::{Markup, html};

use super::compare::{Lived, Who};
use super::day::Day;
use super::samples::Samples;
use super::summary::{Comparison, DaySummary, Setting};
use super::text::{span, thousands};
use crate::charts::Chart;
use crate::page::words::percent;
use crate::page::{Page, figure_in_two};

/// The page of a replayed day.
///
/// # Errors
/// When a chart cannot be drawn.
pub fn of_day(
    summary: &DaySummary,
    day: &Day,
    samples: &Samples,
    milliwatts: Option<[f64; 2]>,
) -> Result<String> {
    let title = format!("{}: {}", summary.device, summary.setting.bundle);
    let page = Page {
        title: &title,
        kind: "simulation",
        header: html! {
            h1 { (title) }
            p.soft {
                (sentence(&summary.description)) " A recorded phone; its frames are "
                (frames_of(&summary.setting)) ". The policy is the one that runs on phones, "
                "followed for " (span(summary.seconds)) "."
            }
            (caution(&summary.setting))
        },
        headline: tables::day_cards(summary),
        sections: vec![
            (
                "day",
                "The day",
                html! {
                    h2 { "The day" }
                    p.about { "All charts share one axis: the time since the recording began." }
                    (stack(&charts::of_day(summary, day, samples, milliwatts)?))
                },
            ),
            ("decided", "What was decided", tables::decided(summary)),
            ("happened", "What happened", tables::happened(&summary.happenings)),
            ("counted", "What was counted", tables::counted(summary)),
        ],
        script: None,
    };
    Ok(page.into_html())
}

/// The page of a comparison on a modelled phone.
///
/// # Errors
/// When a chart cannot be drawn.
pub fn of_comparison(
    comparison: &Comparison<'_>,
    lived: &[Lived],
    samples: &Samples,
) -> Result<String> {
    let title = format!("{}: {}", comparison.phone.name, comparison.setting.bundle);
    let own = lived.iter().find(|lived| lived.who == Who::Biglittle);
    let own = own.expect("every comparison has it");
    let page = Page {
        title: &title,
        kind: "simulation",
        header: html! {
            h1 { (title) }
            p.soft {
                (sentence(&comparison.phone.description)) " A modelled phone: its battery, its heat "
                "and every joule are computed, not measured. Four policies get the same frames, "
                (frames_of(&comparison.setting)) "."
            }
            (caution(&comparison.setting))
        },
        headline: tables::comparison_cards(comparison),
        sections: vec![
            ("policies", "Policies", tables::policies(comparison)),
            (
                "phone",
                "Battery and heat",
                html! {
                    h2 { "Battery and heat" }
                    (stack(&charts::of_phones(comparison.phone, lived)?))
                },
            ),
            (
                "day",
                "biglittle's day",
                html! {
                    h2 { "biglittle's day" }
                    p.about { "What the policy made of that phone, on the same axis." }
                    (stack(&charts::of_own(own, lived, samples)?))
                },
            ),
            ("model", "The phone", tables::phone(comparison.phone)),
        ],
        script: None,
    };
    Ok(page.into_html())
}

fn stack(charts: &[(&'static str, [Chart; 2])]) -> Markup {
    html! {
        div.day {
            @for (id, [wide, narrow]) in charts { (figure_in_two(wide, narrow, id)) }
        }
    }
}

fn frames_of(setting: &Setting) -> String {
    let how = if setting.order == "sample" {
        format!("drawn with seed {} from", setting.seed)
    } else {
        "in turn the".to_owned()
    };
    format!(
        "{how} {} rows of the split {} of a trace, {} a second",
        thousands(setting.rows as u64),
        setting.split,
        setting.frames_per_second
    )
}

fn caution(setting: &Setting) -> Markup {
    html! {
        @if setting.loss == Loss::Disagree {
            p.note.warn { "The trace has no labels: right means “the same as big”." }
        }
        @if setting.split != "test" {
            p.note.warn {
                "These rows are not those of the split test alone. A threshold that was chosen on some \
                 of them looks better here than it is."
            }
        }
        @if let Some(eps) = setting.promised {
            p.note.good {
                "Promised: at most " (percent(eps, 3)) " of answers are "
                (super::compare::loss_name(setting.loss)) ". The certified floor keeps that on frames \
                 like those of the calibration."
            }
        } @else {
            p.note { "The bundle has no certificate: its threshold is the floor, and nothing is promised." }
        }
    }
}

/// As a sentence: with a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.trim().chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}
