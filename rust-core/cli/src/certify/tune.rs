//! Temperature and norm, fitted on the tuning split.

use biglittle::Result;
use biglittle::bundle::Manifest;
use biglittle::calibrate::{LogitRow, Split, fit_norm_order, fit_temperature};
use biglittle::decision::{Confidence, OutputKind};
use serde::Serialize;

use crate::trace::rows::Source;
use crate::trace::{LevelPlan, Wanted};

/// The fewest labelled rows that a value is fitted on.
const FEWEST_ROWS: usize = 100;
/// The most raw values that are held for it: more rows change nothing much.
const MOST_VALUES: usize = 8 << 20;

/// What was fitted for a level.
#[derive(Debug, Clone, Serialize)]
pub struct Fit {
    pub level: String,
    /// `temperature` or `p`.
    pub parameter: &'static str,
    pub before: f32,
    pub fitted: f32,
    pub aurc_before: f64,
    pub aurc_fitted: f64,
    /// Whether the area under the risk-coverage curve became smaller.
    pub kept: bool,
    /// Whether it lies at the edge of what is tried.
    pub at_edge: bool,
}

/// Fits what each level but the last is scored with and puts what is worth
/// keeping in `manifest`. Levels of several networks are left as they are.
pub fn fit(source: &Source<'_>, manifest: &mut Manifest) -> Result<Vec<Fit>> {
    let meta = source.trace.meta();
    if !meta.has_outputs {
        return Ok(Vec::new());
    }
    let plans = LevelPlan::of(manifest)?;
    let levels: Vec<(usize, usize)> = plans[..plans.len() - 1]
        .iter()
        .enumerate()
        .filter(|(_, plan)| !plan.by_label)
        .map(|(level, plan)| (level, plan.own[0]))
        .filter(|(_, network)| manifest.networks[*network].output.kind == OutputKind::Logits)
        .collect();
    let mut outputs = vec![Vec::new(); manifest.networks.len()];
    let mut labels = Vec::new();
    let mut values = 0;
    source.for_each_block(Wanted { outputs: true, ..Wanted::default() }, |block| {
        for row in 0..block.rows {
            let (Split::Tune, Some(label)) = (block.splits[row], block.labels[row]) else {
                continue;
            };
            if values >= MOST_VALUES {
                break;
            }
            labels.push(label);
            for (_, network) in &levels {
                let output = block.networks[*network].output(row);
                values += output.len();
                outputs[*network].extend_from_slice(output);
            }
        }
        Ok(())
    })?;
    if labels.len() < FEWEST_ROWS {
        return Ok(Vec::new());
    }
    let mut fits = Vec::new();
    for (level, network) in levels {
        let spec = manifest.networks[network].output.clone();
        let width = spec.output_count(meta.labels.len());
        let rows: Vec<_> = outputs[network]
            .chunks_exact(width)
            .zip(&labels)
            .map(|(output, label)| LogitRow { output, label: *label })
            .collect();
        let confidence = manifest.levels[level].confidence;
        let count = meta.labels.len();
        let (parameter, before, fitted) = match confidence {
            Confidence::MaxLogitPNorm { p } => ("p", p, fit_norm_order(&rows, &spec, count, p)),
            _ => {
                let fitted = fit_temperature(&rows, &spec, count, confidence);
                ("temperature", spec.temperature, fitted)
            }
        };
        let Some(fitted) = fitted else { continue };
        let kept = fitted.is_better();
        if kept && parameter == "p" {
            manifest.levels[level].confidence = Confidence::MaxLogitPNorm { p: fitted.value };
        } else if kept {
            manifest.networks[network].output.temperature = fitted.value;
        }
        fits.push(Fit {
            level: manifest.levels[level].name.clone(),
            parameter,
            before,
            fitted: fitted.value,
            aurc_before: fitted.aurc_before,
            aurc_fitted: fitted.aurc_after,
            kept,
            at_edge: fitted.at_edge,
        });
    }
    Ok(fits)
}
