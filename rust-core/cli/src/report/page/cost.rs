//! What accuracy costs.

use biglittle::Result;
use maud::{Markup, html};

use super::super::front::{Front, FrontPoint};
use super::Subject;
use crate::commands::table::duration;
use crate::page::figure;
use crate::page::words;
use crate::page::words::percent;
use crate::report::charts::{self, macs};

/// Points of accuracy below the best of the front that a reader may want to give
/// up.
const GIVEN_UP: [f64; 4] = [0.0, 0.001, 0.005, 0.01];

pub fn section(subject: &Subject<'_>) -> Result<Markup> {
    let Subject { front, summary, sweep, words, .. } = subject;
    let step = sweep.in_use();
    let place = Some((step.macs_share, sweep.share(step.right)));
    Ok(html! {
        h2 { "What accuracy costs" }
        @if let Some(front) = front {
            p.about {
                "Every level alone and every pair with every threshold"
                @if front.has_committees { ", committees of the networks included" }
                ". The front is picked on these very rows, so its best points flatter themselves a little; the band \
                 says how much chance is in each."
                @if summary.macs_share.is_some() { " The ringed point is the cascade at the slider's threshold." }
            }
        }
        div.charts {
            @if let Some(front) = front { (figure(&charts::front(front, &words.accuracy)?, "front", place)) }
            @if !summary.latency.is_empty() { (figure(&charts::latency(&summary.latency)?, "latency", None)) }
        }
        @if let Some(front) = front { (choices(subject, front)) }
        @if summary.latency.is_empty() {
            p.note { "The trace has no columns of cost (macs, cpu_ns), so there are no times." }
        } @else {
            div.scroll { table {
                caption { "CPU time a sample as measured while the trace was recorded, percentiles by nearest rank. The cascade is the sum of the levels that it would have run." }
                thead { tr { th scope="col" { "" } th scope="col" { "p50" } th scope="col" { "p95" } th scope="col" { "p99" } th scope="col" { "mean" } } }
                tbody {
                    @for latency in &summary.latency {
                        tr {
                            td { (latency.name) }
                            @for ns in [latency.p50_ns, latency.p95_ns, latency.p99_ns] { td { (duration(ns as f64)) } }
                            td { (duration(latency.mean_ns)) }
                        }
                    }
                }
            } }
        }
    })
}

/// The cheapest setting for what a reader may want to give up.
fn choices(subject: &Subject<'_>, front: &Front) -> Markup {
    let most = front.best.last().map_or(0, |(_, point)| point.right) as f64;
    let mut chosen: Vec<(f64, usize, FrontPoint)> = Vec::new();
    for up in GIVEN_UP {
        if let Some((number, point)) = front.cheapest(most - up * front.rows as f64)
            && chosen.last().is_none_or(|(_, _, last)| last != point)
        {
            chosen.push((up, *number, *point));
        }
    }
    html! {
        div.scroll { table.wide {
            caption { "The least MACs for what may be given up of the best " (subject.words.accuracy) " here; intervals are 95\u{a0}% Clopper-Pearson" }
            thead { tr {
                th scope="col" { "configuration" } th scope="col" { "given up" } th scope="col" { (subject.words.accuracy) } th scope="col" { "interval" }
                th scope="col" { "escalated" } th scope="col" { "threshold" } th scope="col" { "MACs a sample" }
            } }
            tbody {
                @for (up, number, point) in &chosen {
                    @let configuration = &front.configurations[*number];
                    @let [low, high] = front.interval(point);
                    tr {
                        td data-label="configuration" { (configuration.name) }
                        td data-label="given up" { @if *up == 0.0 { "nothing" } @else { "≤ " (up * 100.0) " points" } }
                        td data-label=(subject.words.accuracy) { (percent(front.accuracy(point), 2)) }
                        td data-label="interval" { (percent(low, 2)) " to " (percent(high, 2)) }
                        td data-label="escalated" { @if configuration.score.is_some() { (percent(point.escalated as f64 / front.rows as f64, 2)) } @else { "–" } }
                        td data-label="threshold" { @match (point.threshold, configuration.score) {
                            (Some(threshold), Some(kind)) => { (words::score(kind)) " " (words::number(threshold)) }
                            _ => "–",
                        } }
                        td data-label="MACs a sample" { (macs(point.macs)) }
                    }
                }
            }
        } }
    }
}
