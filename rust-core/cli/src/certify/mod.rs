//! From a trace to certificates: tune, calibrate, test, each on its own split.
//!
//! Decides which method a trace allows and what is read of it. Streams: with two
//! levels and no groups, memory does not grow with the rows.

mod passes;
mod tune;

use biglittle::bundle::{CalibrationScores, Manifest, NetworkSpec};
use biglittle::calibrate::{
    Certificate, CertifiedData, CertifiedNetwork, Loss, Method, SplitSpec, Target,
};
use biglittle::decision::Confidence;
use biglittle::{Error, ErrorKind, Result, Threshold};
use serde::Serialize;

use crate::trace::rows::Source;
use crate::trace::{ScoreKind, Trace};
use passes::{Counted, Proven};
pub use tune::Fit;

/// What is asked of a calibration.
#[derive(Debug, Clone)]
pub struct Request {
    pub loss: Loss,
    /// One certificate each; they share delta.
    pub eps: Vec<f64>,
    pub delta: f64,
    /// Another confidence than the manifest's, for all levels but the last.
    pub confidence: Option<ScoreKind>,
    /// Another division than the recorded one.
    pub split: Option<SplitSpec>,
    /// Whether temperature and norm may be fitted.
    pub tune: bool,
    pub date: String,
}

/// What a calibration found.
#[derive(Debug, Serialize)]
pub struct Found {
    pub certificates: Vec<Certificate>,
    /// What was fitted, kept or not.
    pub fits: Vec<Fit>,
    /// Calibration samples of which accepting the first level is bad.
    pub bad_if_all_accepted: u64,
    /// Calibration rows whose first level has no usable score: they escalate.
    pub unusable: u64,
    /// Of those, or of later levels, scores that were stored as NaN or infinite.
    pub not_finite: u64,
    /// The manifest for the new bundle.
    #[serde(skip)]
    pub manifest: Manifest,
}

/// Calibrates the levels of `base`, a manifest with the networks of `trace`,
/// whose certificates say what was used before.
pub fn calibrate(trace: &Trace, request: &Request, base: &Manifest) -> Result<Found> {
    let meta = trace.meta();
    let levels = base.levels.len();
    if levels < 2 {
        return Err(invalid("its bundle has one level: there is no threshold to calibrate".into()));
    }
    let family = u32::try_from(request.eps.len()).unwrap_or(u32::MAX);
    let targets = request
        .eps
        .iter()
        .map(|eps| Target::new(*eps, request.delta / f64::from(family)))
        .collect::<Result<Vec<_>>>()?;
    let mut manifest = base.clone();
    let before = std::mem::take(&mut manifest.certificates);
    manifest.calibration_scores = None;
    for level in &mut manifest.levels[..levels - 1] {
        if let Some(kind) = request.confidence {
            level.confidence = match level.confidence {
                same if ScoreKind::of(same) == kind => same,
                _ => kind.confidence(crate::trace::norm_order(level.confidence)),
            };
        }
    }
    // Says what a confidence needs that these networks have not.
    manifest.validate(meta.labels.len())?;
    let recorded = Source { trace, split: request.split, rescored: None };
    let fits = if request.tune { tune::fit(&recorded, &mut manifest)? } else { Vec::new() };
    let source = Source { split: request.split, ..Source::scored_by(trace, &manifest)? };
    let kinds: Vec<ScoreKind> =
        manifest.levels.iter().map(|level| ScoreKind::of(level.confidence)).collect();
    let range = manifest.score_range(0, meta.labels.len());
    let counted = passes::count(&source, &kinds, request.loss, &before, range)?;
    let proven = passes::prove(&source, &kinds, request.loss, &targets, &counted, &manifest)?;
    let settings: Vec<Vec<Threshold>> =
        proven.iter().map(|proven| proven.thresholds.clone()).collect();
    let tests = passes::test(&source, &kinds, request.loss, &settings, &counted)?;
    let certificate = |((eps, proven), test): ((&f64, &Proven), _)| Certificate {
        loss: request.loss,
        eps: *eps,
        delta: request.delta,
        family,
        method: proven.method,
        n: proven.n,
        k: proven.k,
        thresholds: proven.thresholds.clone(),
        confidences: confidences(&manifest),
        date: request.date.clone(),
        models_sha256: manifest.models_sha256(),
        networks: networks(&manifest),
        data: data(&source, &counted),
        test,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let certificates: Vec<_> =
        request.eps.iter().zip(&proven).zip(tests).map(certificate).collect();
    for (level, threshold) in manifest.levels.iter_mut().zip(&certificates[0].thresholds) {
        level.threshold = Some(*threshold);
    }
    manifest.certificates.clone_from(&certificates);
    manifest.calibration_scores = scores(&manifest, &counted);
    Ok(Found {
        certificates,
        fits,
        bad_if_all_accepted: counted.bad,
        unusable: counted.unusable,
        not_finite: counted.not_finite,
        manifest,
    })
}

fn confidences(manifest: &Manifest) -> Vec<Confidence> {
    let levels = &manifest.levels[..manifest.levels.len() - 1];
    levels.iter().map(|level| level.confidence).collect()
}

fn networks(manifest: &Manifest) -> Vec<CertifiedNetwork> {
    let network = |network: &NetworkSpec| CertifiedNetwork {
        id: network.id.clone(),
        sha256: network.file.sha256.clone(),
    };
    manifest.networks.iter().map(network).collect()
}

/// Without any score there is nothing that could drift.
fn scores(manifest: &Manifest, counted: &Counted) -> Option<CalibrationScores> {
    counted.scores.counts.iter().any(|count| *count > 0).then(|| CalibrationScores {
        confidence: manifest.levels[0].confidence,
        models_sha256: manifest.models_sha256(),
        histogram: counted.scores,
    })
}

fn data(source: &Source<'_>, counted: &Counted) -> CertifiedData {
    let meta = source.trace.meta();
    CertifiedData {
        sha256: meta.data.sha256.clone(),
        split: source.split.unwrap_or(meta.split),
        rows: counted.rows,
        reused_rows: counted.reused,
    }
}

/// What each method proves, in words.
pub fn method_name(method: Method) -> &'static str {
    match method {
        Method::Exact => "the exact binomial rule",
        Method::SequenceBinomial => "fixed-sequence testing with the binomial tail",
        Method::SequenceHoeffdingBentkus => "fixed-sequence testing with Hoeffding-Bentkus",
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}
