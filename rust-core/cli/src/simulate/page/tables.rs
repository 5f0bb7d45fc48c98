//! The numbers of a simulated day, in words and tables.

use biglittle::policy::ReadingFaults;
use maud::{Markup, html};

use crate::page::words::{percent, saved};
use crate::simulate::compare::{Ended, PolicyFigures, Who, loss_name};
use crate::simulate::day::Happening;
use crate::simulate::phone::Phone;
use crate::simulate::summary::{Comparison, DaySummary, Share};
use crate::simulate::text::{range_name, reason_name, span, thousands};

/// The most lines of what happened.
const SHOWN: usize = 100;

fn card(number: &str, name: &str, how: &str) -> Markup {
    html! { div.card { b { (number) } span { (name) } small { (how) } } }
}

fn interval(share: &Share) -> String {
    let [low, high] = share.ci95;
    format!(
        "95\u{a0}% interval {} to {}; n = {}",
        percent(low, 2),
        percent(high, 2),
        thousands(share.n)
    )
}

pub fn day_cards(summary: &DaySummary) -> Markup {
    let name = if summary.setting.loss == biglittle::calibrate::Loss::Harm {
        "accuracy"
    } else {
        "agreement with big"
    };
    html! {
        div.cards {
            @if let Some(accuracy) = &summary.accuracy {
                (card(&percent(accuracy.share, 2), name, &interval(accuracy)))
            }
            (card(&percent(summary.escalation, 2), "escalated", &format!("of {} frames", thousands(summary.frames.seen))))
            @if let Some(cpu) = summary.saved.cpu {
                @let (number, word) = saved(1.0 - cpu, "less");
                (card(&number, &format!("{word} CPU time"), "against big alone on the same frames; measured when the trace was recorded"))
            }
            @if let Some(energy) = &summary.saved.energy {
                @if let Some(share) = energy.saving {
                    @let (number, word) = saved(1.0 - share, "less");
                    (card(&number, &format!("{word} energy"), "by a table of power times processor time"))
                }
            }
            // With a figure of energy, the ratio stands below.
            @if let (Some(ratio), None) = (summary.saved.mac_ratio, &summary.saved.energy) {
                (card(&format!("{ratio:.3}"), "MAC ratio", "multiply-accumulates against big alone; no energy"))
            }
        }
    }
}

pub fn decided(summary: &DaySummary) -> Markup {
    let seen = summary.frames.seen.max(1) as f64;
    let awake: f64 = summary.seconds_at_level.iter().sum();
    html! {
        h2 { "What was decided" }
        @if let (Some(thresholds), Some(floors)) = (summary.thresholds, summary.floors) {
            p { "The threshold lay at " b { (range_name(thresholds)) } ", the certified floor at " (range_name(floors)) "." }
        }
        div.charts {
            div.scroll { table {
                caption { "The level of saving, while the app ran." }
                thead { tr { th scope="col" { "level" } th scope="col" { "time" } th scope="col" { "share" } } }
                tbody {
                    @for (level, seconds) in summary.seconds_at_level.iter().enumerate() {
                        tr { td { (level) } td { (span(*seconds)) } td { (percent(seconds / awake.max(1e-9), 1)) } }
                    }
                }
            } }
            div.scroll { table {
                caption { "What decided the threshold." }
                thead { tr { th scope="col" { "by" } th scope="col" { "frames" } } }
                tbody {
                    @for (reason, frames) in &summary.reasons {
                        tr { td { (reason_name(*reason)) } td { (percent(*frames as f64 / seen, 1)) } }
                    }
                }
            } }
        }
        @if let Some(found) = &summary.budget_infeasible {
            p.note.warn {
                "For " (span(summary.budget_infeasible_seconds)) " the budget could not be kept at the certified floor: it "
                "allowed the big network " (percent(found.allowed_rate, 1)) " of frames, of which " (percent(found.nearest_rate, 1))
                " needed it. At " (format!("{:.2}", found.suggested_frames_per_second)) " frames a second the same would be spent in a second as was budgeted."
            }
        }
    }
}

pub fn happened(happenings: &[Happening]) -> Markup {
    html! {
        h2 { "What happened" }
        @if happenings.is_empty() {
            p { "No restart, no change of mode, no alarm, no clock that jumped." }
        } @else {
            div.scroll { table {
                thead { tr { th scope="col" { "after" } th scope="col" { "what" } } }
                tbody {
                    @for happening in happenings.iter().take(SHOWN) {
                        tr { td { (span(happening.seconds)) } td { (happening.what) } }
                    }
                }
            } }
            @if happenings.len() > SHOWN { p.soft { "And " (happenings.len() - SHOWN) " more." } }
        }
    }
}

pub fn counted(summary: &DaySummary) -> Markup {
    let frames = &summary.frames;
    let ReadingFaults { ignored, clamped, backwards } = summary.faults;
    html! {
        h2 { "What was counted" }
        dl.facts {
            dt { "frames" } dd { (thousands(frames.seen)) " in " (span(summary.seconds))
                @if summary.asleep_seconds > 0.0 { ", of which the app slept " (span(summary.asleep_seconds)) } }
            dt { "answered" } dd {
                (thousands(frames.little)) " by little, " (thousands(frames.big)) " by big, " (thousands(frames.reused))
                " reused, " (thousands(frames.degraded)) " degraded; " (thousands(frames.dropped)) " dropped; "
                (thousands(frames.audited)) " audited"
            }
            @if let Some(bad) = &summary.bad {
                dt { (summary.setting.loss) }
                dd {
                    (percent(bad.share, 3)) " of answers are " (loss_name(summary.setting.loss)) " (" (interval(bad)) ")"
                    @if let Some(eps) = summary.setting.promised { "; promised at most " (percent(eps, 3)) }
                }
            }
            dt { "outside of the certificate" } dd { (thousands(summary.outside_certificate)) " answers" }
            @if let Some(found) = &summary.audited_disagreement {
                dt { "audits" }
                dd {
                    (percent(found.share, 3)) " of accepted answers differ from big's, 95\u{a0}% interval "
                    (percent(found.ci95[0], 3)) " to " (percent(found.ci95[1], 3))
                }
            }
            dt { "alarms" } dd { (summary.accuracy_alarms) " of accuracy, " (summary.drift_alarms) " of drift" }
            dt { "readings" } dd { (ignored) " values ignored, " (clamped) " clamped, " (backwards) " jumps back of the clock" }
            @if let Some(ratio) = summary.saved.mac_ratio {
                dt { "MAC ratio" } dd { (format!("{ratio:.4}")) " of the multiply-accumulates of big alone; a ratio, no energy" }
            }
            @if let Some(energy) = &summary.saved.energy {
                @if let Some([little, big, overhead, total]) = energy.joules {
                    dt { "energy" }
                    dd { (format!("{total:.1} J: little {little:.1}, big {big:.1}, audits and all else {overhead:.1}")) " (table of power times processor time)" }
                }
            }
        }
        p.soft {
            "Rows of the trace come again and again, so intervals (Clopper-Pearson) count each row once. Times are those that "
            "the trace has, not those of a phone. The temporal gate for video is not simulated: a trace has no pictures."
        }
    }
}

pub fn comparison_cards(comparison: &Comparison<'_>) -> Markup {
    let of = |who| comparison.policies.iter().find(|figures| figures.policy == who);
    html! {
        div.cards {
            @if let (Some(own), Some(big)) = (of(Who::Biglittle), of(Who::AlwaysBig)) {
                (card(&span(own.hours * 3_600.0), lasting(own), &format!("always big: {}", span(big.hours * 3_600.0))))
                (card(&format!("{:.1}\u{a0}°C", own.hottest_celsius), "hottest", &format!("always big: {:.1} °C", big.hottest_celsius)))
                (card(&percent(own.accuracy, 2), "right", &format!("always big: {}", percent(big.accuracy, 2))))
                (card(&thousands(own.below_certificate), "answers outside of the certificate", "of biglittle"))
            }
        }
    }
}

fn lasting(figures: &PolicyFigures) -> &'static str {
    match figures.ended {
        Ended::BatteryEmpty => "until the battery was empty",
        Ended::Hours => "and the battery was not empty",
        Ended::TooHot => "until the phone was too hot",
    }
}

pub fn policies(comparison: &Comparison<'_>) -> Markup {
    const HEAD: [&str; 10] = [
        "policy",
        "lasted",
        "battery left",
        "hottest",
        "severe or hotter",
        "slowed down",
        "escalated",
        "right",
        "outside",
        "mJ an answer",
    ];
    html! {
        h2 { "Policies" }
        p.about {
            "The same phone, the same frames. “Outside” counts answers that the certified floor would not have accepted; "
            "a millijoule is one of the networks, modelled."
        }
        div.scroll { table.wide {
            thead { tr { @for name in HEAD { th scope="col" { (name) } } } }
            tbody {
                @for figures in &comparison.policies {
                    @let severe: f64 = figures.seconds_at_thermal_level[3..].iter().sum();
                    @let cells = [
                        figures.policy.name().to_owned(), span(figures.hours * 3_600.0),
                        percent(figures.battery_percent_left / 100.0, 0), format!("{:.1}\u{a0}°C", figures.hottest_celsius),
                        span(severe), span(figures.throttled_seconds), percent(figures.escalation, 2),
                        percent(figures.accuracy, 2), thousands(figures.below_certificate),
                        format!("{:.2}", figures.millijoules_per_answer),
                    ];
                    tr { @for (name, cell) in HEAD.iter().zip(cells) { td data-label=(name) { (cell) } } }
                }
            }
        } }
        @for figures in comparison.policies.iter().filter(|figures| figures.missed > 0) {
            p.soft { (figures.policy.name()) ": " (thousands(figures.missed)) " frames came while a network was still running, and were not looked at." }
        }
    }
}

pub fn phone(phone: &Phone) -> Markup {
    let list = |values: &[f64], unit: &str| {
        let values: Vec<_> = values.iter().map(f64::to_string).collect();
        format!("{} {unit}", values.join(", "))
    };
    html! {
        h2 { "The phone" }
        p.about { "One body that warms by the watts in it and cools towards the air, a battery that is only drawn from, and a processor that is slowed down by the thermal level." }
        dl.facts {
            dt { "battery" } dd { (phone.battery_joules) " J, full to " (phone.battery_percent) " %" }
            dt { "everything else" } dd { (phone.idle_watts) " W" }
            dt { "a network" } dd { (phone.active_watts) " W above that at full speed"
                @if let Some(milliseconds) = phone.big_milliseconds { "; big alone takes " (milliseconds) " ms, and little in proportion" }
                @else { ", as long as in the trace" }
            }
            dt { "heat" } dd { (phone.heat_capacity) " J/K; " (phone.kelvins_per_watt) " K/W to air at " (phone.ambient_celsius) " °C; sun " (phone.sun_watts) " W" }
            dt { "thermal levels" } dd { "light to shutdown from " (list(&phone.level_celsius, "°C")) }
            dt { "speed" } dd { "none to emergency: " (list(&phone.level_speed, "of the full one")) }
        }
    }
}
