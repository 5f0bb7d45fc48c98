//! What is promised, in words.

use biglittle::bundle::Manifest;
use biglittle::calibrate::{Certificate, Loss, Method};
use maud::{Markup, html};

use super::Subject;
use crate::commands::table::plural;
use crate::page::words;
use crate::page::words::percent;

pub fn section(subject: &Subject<'_>) -> Markup {
    let Manifest { certificates, .. } = subject.manifest;
    let in_use = subject.manifest.certificate_in_use();
    html! {
        h2 { "What is promised" }
        @match in_use {
            Some(certificate) => (promise(subject, certificate)),
            None => {
                p.note.warn {
                    @if certificates.is_empty() {
                        "Nothing: the threshold in use carries no certificate. It may have been chosen well, but how \
                         it does on other samples is not bounded."
                    } @else {
                        "Nothing about the thresholds in use: "
                        (plural(certificates.len(), "certificate")) " in the bundle are about other thresholds."
                    }
                }
                p {
                    "To get a threshold with a promise, run "
                    code { "biglittle calibrate TRACE --loss " (subject.rows.loss) " --eps 0.009 --delta 0.05" }
                    ", then make this report again and give the new bundle with " code { "--bundle" } "."
                }
            }
        }
        @for certificate in certificates.iter().filter(|found| in_use.is_none_or(|used| !std::ptr::eq(used, *found))) {
            details {
                summary { "Another certificate: at most " (percent(certificate.eps, 2)) " at " (thresholds(certificate)) }
                (promise(subject, certificate))
            }
        }
    }
}

fn promise(subject: &Subject<'_>, certificate: &Certificate) -> Markup {
    let big = subject.names[subject.names.len() - 1];
    let confidence = 1.0 - certificate.delta / f64::from(certificate.family.max(1));
    let bad = match certificate.loss {
        Loss::Harm => html! { "wrong where " (big) " alone would be right" },
        Loss::Disagree => html! { "not the one that " (big) " alone would give" },
    };
    let data = &certificate.data;
    html! {
        p.note.good[certificate.caveat().is_none()].warn[certificate.caveat().is_some()] {
            "With " b { (trimmed(confidence)) " confidence" } ", at most " b { (trimmed(certificate.eps)) }
            " of all samples like those of the calibration get an answer that is " (bad) "."
            @if let Some(caveat) = certificate.caveat() { " But " (caveat) "." }
        }
        p {
            "“Like those” means drawn in the same way: another camera, another season or another mix of things to see \
             is not covered. The confidence is over the drawing of the calibration samples: of a hundred calibrations \
             like this one, at most about " (trimmed_number(100.0 * (1.0 - confidence))) " would promise too much."
        }
        dl.facts {
            dt { "holds from" } dd { (thresholds(certificate)) " on" @if certificate.thresholds.len() > 1 { ", for these thresholds together" } }
            dt { "rests on" }
            dd {
                (certificate.n) " calibration samples; "
                @match certificate.method {
                    Method::Exact => { "at most " (plural_bad(certificate.k)) " accepted among them (exact binomial rule)" }
                    Method::SequenceBinomial => { (plural_bad(certificate.k)) " accepted among them (fixed-sequence testing, binomial tail)" }
                    Method::SequenceHoeffdingBentkus => { "a sum of losses of " (certificate.k) " among them (fixed-sequence testing, Hoeffding-Bentkus bound)" }
                }
            }
            @if let Some(test) = &certificate.test {
                dt { "came out" }
                dd {
                    "at " (percent(test.loss, 2)) " (" (test.bad) " of " (test.n) ") on the test samples, which had chosen nothing"
                    @if let Some([low, high]) = test.loss_ci95 { "; 95\u{a0}% interval " (percent(low, 2)) " to " (percent(high, 2)) ", Clopper-Pearson" }
                }
            }
            dt { "rows" } dd { (data.rows[0]) " to tune, " (data.rows[1]) " to calibrate, " (data.rows[2]) " to test; none in two of them" }
            dt { "made" } dd { (certificate.date) " by biglittle " (certificate.tool_version) @if certificate.family > 1 { ", as one of " (certificate.family) " that share delta " (certificate.delta) } }
            dt { "for models" } dd { code { (words::short(&certificate.models_sha256)) } }
            dt { "on data" } dd {
                code { (words::short(&data.sha256)) }
                @if data.sha256 != subject.trace.meta().data.sha256 { " (not the data of this report)" }
            }
        }
    }
}

fn thresholds(certificate: &Certificate) -> String {
    let all = certificate.thresholds.iter().map(|threshold| words::number(threshold.value()));
    let word = if certificate.thresholds.len() == 1 { "threshold" } else { "thresholds" };
    format!("{word} {}", all.collect::<Vec<_>>().join(", "))
}

fn plural_bad(count: u64) -> String {
    plural(usize::try_from(count).unwrap_or(usize::MAX), "bad answer")
}

/// A percentage without needless zeros.
fn trimmed(share: f64) -> String {
    format!("{} %", trimmed_number(share * 100.0))
}

fn trimmed_number(value: f64) -> String {
    format!("{}", (value * 1e6).round() / 1e6)
}
