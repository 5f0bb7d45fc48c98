//! What a bundle is, in plain values.

use biglittle::ModelBundle;
use biglittle::Threshold;
use biglittle::bundle::{LevelAnswer, LevelSpec, Manifest};
use biglittle::calibrate::Loss;

/// What a calibration sample costs where the answer of an earlier level stands
/// instead of the last level's.
#[uniffi::remote(Enum)]
pub enum Loss {
    /// The answer that stands is wrong where the last level's is right. Needs
    /// labels; bounds the loss of accuracy from above.
    Harm,
    /// The answer that stands is not the last level's. Needs no labels, so it
    /// can be calibrated on the device; never less than harm.
    Disagree,
}

/// What a bundle says about itself.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct BundleInfo {
    /// Its short name.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// What it recognises, in a sentence.
    pub description: String,
    /// How many labels it has.
    pub label_count: u32,
    /// The steps of the cascade, the cheapest first.
    pub levels: Vec<LevelInfo>,
    /// What is promised of the thresholds in use, if anything is.
    pub certificate: Option<CertificateInfo>,
}

/// One step of a cascade.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct LevelInfo {
    /// Its name, such as `little` or `big`.
    pub name: String,
    /// The networks that it runs, in order.
    pub networks: Vec<NetworkInfo>,
    /// What its score has to be above, as the bundle gives it.
    pub threshold: Option<Threshold>,
}

/// One network.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct NetworkInfo {
    /// The name by which levels refer to it.
    pub id: String,
    /// The columns of its input.
    pub width: u32,
    /// The rows of its input.
    pub height: u32,
    /// The channels of its input.
    pub channels: u32,
    /// The multiply-accumulates of a run.
    pub macs: u64,
}

/// With probability at least `1 - delta` over the calibration samples the mean
/// loss is at most `eps` on samples drawn like those.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct CertificateInfo {
    /// What is bounded.
    pub loss: Loss,
    /// The largest mean loss, between 0 and 1.
    pub eps: f64,
    /// The largest probability that it is broken, shared by the certificates
    /// that were made together.
    pub delta: f64,
    /// The calibration samples.
    pub samples: u64,
    /// When it was made, `YYYY-MM-DD`.
    pub date: String,
}

impl BundleInfo {
    pub(crate) fn of(bundle: &ModelBundle) -> Self {
        let manifest = bundle.manifest();
        let certificate = manifest.certificate_in_use().map(|certificate| CertificateInfo {
            loss: certificate.loss,
            eps: certificate.eps,
            delta: certificate.delta,
            samples: certificate.n,
            date: certificate.date.clone(),
        });
        BundleInfo {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            description: manifest.description.clone(),
            label_count: u32::try_from(bundle.labels().len()).unwrap_or(u32::MAX),
            levels: manifest.levels.iter().map(|level| level_info(manifest, level)).collect(),
            certificate,
        }
    }
}

fn level_info(manifest: &Manifest, level: &LevelSpec) -> LevelInfo {
    let networks = level.networks.iter().filter_map(|id| manifest.network(id));
    LevelInfo {
        name: level.name.clone(),
        networks: networks
            .map(|network| NetworkInfo {
                id: network.id.clone(),
                width: network.input.width,
                height: network.input.height,
                channels: network.input.channels.count(),
                macs: network.macs,
            })
            .collect(),
        threshold: level.threshold,
    }
}

/// The multiply-accumulates of the last level alone on one frame; a committee
/// runs the networks before it too.
pub(crate) fn big_macs(bundle: &ModelBundle) -> u64 {
    let manifest = bundle.manifest();
    let levels = &manifest.levels;
    let first = match levels.last() {
        Some(last) if last.answer == LevelAnswer::Own => levels.len() - 1,
        _ => 0,
    };
    let networks = levels[first..].iter().flat_map(|level| &level.networks);
    let macs = networks.filter_map(|id| manifest.network(id)).map(|network| network.macs);
    macs.fold(0, u64::saturating_add)
}
