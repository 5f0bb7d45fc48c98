//! What the figures rest on.

use maud::{Markup, html};

use super::Subject;
use crate::commands::table::{count, plural};
use crate::page::words;

pub fn section(subject: &Subject<'_>) -> Markup {
    let Subject { trace, rows, summary, manifest, .. } = subject;
    let meta = trace.meta();
    let left_out = &rows.left_out;
    let mut labels: Vec<_> = rows.block.labels.iter().flatten().collect();
    labels.sort_unstable();
    labels.dedup();
    html! {
        h2 { "What was counted" }
        dl.facts {
            dt { "rows" }
            dd {
                (plural(summary.rows, "row")) " of the split " (summary.split)
                @if left_out.other_splits > 0 { "; " (left_out.other_splits) " of other splits are not counted" }
                @if left_out.unlabelled > 0 { "; " (left_out.unlabelled) " without a label are not counted" }
            }
            dt { "labels" }
            dd {
                @if labels.is_empty() { "none in the trace" }
                @else { (labels.len()) " of " (meta.labels.len()) " occur" }
                @if labels.len() == 1 { ": with one class only, these figures say little about others" }
            }
            dt { "always escalate" }
            dd {
                (plural(summary.unscored, "row"))
                @for (reason, count) in rows.flaws() { "; " (count) ": " (reason) }
            }
            dt { "skipped" }
            dd {
                (meta.data.skipped) " of " (meta.data.samples) " samples could not be decoded"
                @for skipped in meta.data.first_skipped.iter().take(5) { br; (skipped.sample) ": " (skipped.reason) }
            }
            dt { "splits" } dd { (meta.split.tune_percent) " % tune, " (meta.split.calibrate_percent) " % calibrate, " (meta.split.test_percent) " % test, seed " (meta.split.seed) }
            dt { "data" } dd { code { (words::short(&meta.data.sha256)) } }
            dt { "models" } dd { code { (words::short(&meta.models_sha256)) } }
            dt { "recorded by" } dd { "biglittle " (meta.tool_version) }
        }
        div.scroll { table {
            caption { "Networks. MACs are counted from the network, not measured." }
            thead { tr { th scope="col" { "network" } th scope="col" { "MACs" } th scope="col" { "file" } th scope="col" { "ran on" } } }
            tbody {
                @for (network, runtime) in manifest.networks.iter().zip(&meta.runtimes) {
                    tr {
                        td { (network.id) }
                        td { (count(network.macs as f64)) }
                        td { code { (words::short(&network.file.sha256)) } }
                        td { (runtime) }
                    }
                }
            }
        } }
        p.soft {
            "Intervals are exact 95\u{a0}% (Clopper-Pearson). CPU time is measured, MACs are counted; energy is neither, and \
             nothing here is in joules. The rule of the cascade is that of Park et al., “Big/Little Deep Neural \
             Network for Ultra Low Power Inference” (CODES+ISSS 2015)."
        }
    }
}
