//! How well the scores tell right answers from wrong ones.

use biglittle::Result;
use maud::{Markup, html};

use super::Subject;
use crate::commands::table::plural;
use crate::page::figure;
use crate::page::words;
use crate::report::charts;

pub fn section(subject: &Subject<'_>) -> Result<Markup> {
    let Subject { rows, names, words, histogram, sweep, .. } = subject;
    let rankings: Vec<_> = subject.rankings.iter().flatten().collect();
    let reliabilities: Vec<_> = subject.reliabilities.iter().flatten().collect();
    let score = words::score(rows.kinds[0]);
    let label = format!("{score} of {}", names[0]);
    let bars = charts::histogram(histogram, &label, words.good, words.bad)?;
    let unscored: usize = histogram.unscored.iter().sum();
    let none_bad = histogram.bad.iter().sum::<usize>() == 0;
    Ok(html! {
        h2 { "Can the score be trusted?" }
        p.about {
            "A good score is low where accepting the answer of " (names[0]) " is a " (words.bad) ": then few escalations \
             mend much."
            @if none_bad { " There is no " (words.bad) " among these rows, so nothing here tells a good score from a bad one." }
            @if unscored > 0 {
                " " (plural(unscored, "row")) " without a usable score (a tie, NaN or a failure) always escalate and are \
                 in no bar."
            }
        }
        div.charts {
            (figure(&bars, "histogram", Some((f64::from(sweep.in_use().threshold), 0.0))))
            @if !rankings.is_empty() { (figure(&charts::risk(&rankings, names, &words.wrong)?, "risk", None)) }
            @if !reliabilities.is_empty() { (figure(&charts::reliability(&reliabilities, names, &words.accuracy)?, "reliability", None)) }
            @if let Some(ranking) = rankings.first() {
                div.scroll { h3 { "Which score ranks best?" } table {
                    caption { "Area under the risk-coverage curve of " (names[0]) " by score: smaller is better. The best that any order could reach is " (format!("{:.6}", ranking.best_aurc)) "." }
                    thead { tr { th scope="col" { "score" } th scope="col" { "AURC" } } }
                    tbody {
                        @for (place, (kind, area)) in ranking.aurc.iter().enumerate() {
                            tr { td { (words::score(*kind)) @if place == 0 { " (in use)" } } td { (format!("{area:.6}")) } }
                        }
                    }
                } }
            }
        }
        @if !reliabilities.is_empty() {
            p.soft { "ECE is the expected calibration error over 15 bins of equal width; upright lines are 95\u{a0}% Clopper-Pearson intervals, and bins of fewer than " (charts::FEWEST) " rows have no dot. A temperature (fitted by calibration) can mend it; the order of the scores, and so the cascade, hardly changes." }
        }
    })
}
