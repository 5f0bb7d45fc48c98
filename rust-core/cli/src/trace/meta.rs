//! What a trace says about itself: JSON in the Parquet file's metadata.

use biglittle::bundle::Manifest;
use biglittle::calibrate::SplitSpec;
use biglittle::decision::Confidence;
use biglittle::{Error, ErrorKind, ModelBundle, Result};
use serde::{Deserialize, Serialize};

use super::invalid;

/// The version of the format that this program writes and reads.
pub const SCHEMA_VERSION: u32 = 1;
/// The key of the JSON in the Parquet file's metadata.
pub const META_KEY: &str = "biglittle.trace";
/// The order of `max_logit_p_norm` where the level's confidence gives none.
const DEFAULT_P: f32 = 4.0;

/// What a trace says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceMeta {
    /// The version of this format: 1.
    pub schema_version: u32,
    /// The version of biglittle that recorded it.
    pub tool_version: String,
    /// The manifest of the bundle that ran: networks with their SHA-256, MACs,
    /// preprocessing and outputs, and levels.
    pub manifest: Manifest,
    /// The names of the answers; answers and labels are indices into them.
    pub labels: Vec<String>,
    /// [`Manifest::models_sha256`]: what each row's `models_sha256` is.
    pub models_sha256: String,
    /// For each level, the order of the norm in its `max_logit_p_norm`.
    pub norm_orders: Vec<f32>,
    /// For each network, what ran it and on which instruction set.
    pub runtimes: Vec<String>,
    /// Whether rows have the raw values of the networks.
    pub has_outputs: bool,
    /// What it was recorded on.
    pub data: DataMeta,
    /// How rows were divided.
    pub split: SplitSpec,
}

/// The data set of a trace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataMeta {
    /// SHA-256 over every row's sample, image hash, group and label, in order.
    pub sha256: String,
    /// The samples that were offered, those that were skipped included.
    pub samples: u64,
    /// The samples that could not be decoded and have no row.
    pub skipped: u64,
    /// The first of those.
    pub first_skipped: Vec<Skipped>,
}

/// A sample without a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skipped {
    /// The sample's name.
    pub sample: String,
    /// Why it could not be decoded.
    pub reason: String,
}

#[derive(Deserialize)]
struct VersionOnly {
    schema_version: u64,
}

impl TraceMeta {
    /// What is known before the first row.
    pub fn new(
        bundle: &ModelBundle,
        runtimes: Vec<String>,
        has_outputs: bool,
        samples: u64,
        split: SplitSpec,
    ) -> Self {
        let manifest = bundle.manifest().clone();
        TraceMeta {
            schema_version: SCHEMA_VERSION,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            labels: bundle.labels().to_vec(),
            models_sha256: manifest.models_sha256(),
            norm_orders: manifest.levels.iter().map(|level| norm_order(level.confidence)).collect(),
            manifest,
            runtimes,
            has_outputs,
            data: DataMeta {
                sha256: String::new(),
                samples,
                skipped: 0,
                first_skipped: Vec::new(),
            },
            split,
        }
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("it has string keys only and no failing serialisers")
    }

    /// Reads and checks the JSON of a file that may be anybody's.
    pub fn from_json(json: &str) -> Result<Self> {
        let not_meta =
            |e: serde_json::Error| invalid(format!("its metadata is damaged: {e}")).with_source(e);
        let VersionOnly { schema_version } = serde_json::from_str(json).map_err(not_meta)?;
        if schema_version != u64::from(SCHEMA_VERSION) {
            return Err(invalid(format!(
                "its schema_version is {schema_version}, but this program reads {SCHEMA_VERSION}: \
                 use a matching version of biglittle or record it again"
            )));
        }
        let meta: TraceMeta = serde_json::from_str(json).map_err(not_meta)?;
        meta.validate()
            .map_err(|e| Error::new(ErrorKind::InvalidData, format!("its metadata: {e}")))?;
        Ok(meta)
    }

    fn validate(&self) -> Result<()> {
        self.manifest.validate(self.labels.len())?;
        self.split.validate()?;
        check_names(&self.manifest)?;
        let (levels, networks) = (self.manifest.levels.len(), self.manifest.networks.len());
        if self.norm_orders.len() != levels || self.runtimes.len() != networks {
            return Err(invalid(format!(
                "it has {} norm_orders and {} runtimes: there must be one for each of the {levels} \
                 levels and {networks} networks",
                self.norm_orders.len(),
                self.runtimes.len()
            )));
        }
        let sum = self.manifest.models_sha256();
        if self.models_sha256 != sum {
            return Err(invalid(format!(
                "models_sha256 is {}, but that of its manifest is {sum}: record it again",
                self.models_sha256
            )));
        }
        Ok(())
    }
}

/// The order of the norm in a level's `max_logit_p_norm`.
pub fn norm_order(confidence: Confidence) -> f32 {
    match confidence {
        Confidence::MaxLogitPNorm { p } => p,
        _ => DEFAULT_P,
    }
}

/// Levels become columns, so each needs a name of its own.
pub fn check_names(manifest: &Manifest) -> Result<()> {
    let mut names: Vec<_> = manifest.levels.iter().map(|level| &level.name).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(()),
        Some(pair) => Err(Error::new(
            ErrorKind::InvalidBundle,
            format!("two levels are named {:?}: give each a name of its own and pack it", pair[0]),
        )),
    }
}
