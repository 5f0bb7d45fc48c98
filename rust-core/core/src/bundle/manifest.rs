//! The manifest: what a bundle says about itself, as JSON.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::calibration_scores::CalibrationScores;
use super::seal::sha256_hex;
use super::{MANIFEST, MANIFEST_SUM, MAX_BUNDLE_BYTES, MAX_FILES, invalid};
use crate::calibrate::Certificate;
use crate::decision::{Confidence, OutputKind, OutputSpec, Threshold};
use crate::error::{Error, ErrorKind, Result};
use crate::outcome::MAX_LEVELS;
use crate::preprocess::PreprocessSpec;

/// The version of the format that this library writes and reads.
pub const FORMAT_VERSION: u32 = 1;

/// A bundle's `manifest.json`. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of this format: 1.
    pub format_version: u32,
    /// The bundle's short name.
    pub name: String,
    /// The bundle's own version; raise it with every change.
    pub version: String,
    /// What the bundle recognises, in a sentence.
    pub description: String,
    /// A UTF-8 text file with the names of the answers, one a line.
    pub labels: FileRef,
    /// The networks, in any order.
    pub networks: Vec<NetworkSpec>,
    /// The steps of the cascade, the cheapest first: 1 to 8. Two are the usual
    /// case: little, then big.
    pub levels: Vec<LevelSpec>,
    /// What is promised of thresholds: the first of those in use, the others of
    /// those that may be changed to. Empty where nothing is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Certificate>,
    /// How the first level's scores lay in calibration; what drift is measured
    /// against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration_scores: Option<CalibrationScores>,
    /// Where the bundle as a whole comes from.
    pub provenance: Provenance,
}

/// A file of the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FileRef {
    /// Its name: letters, digits, `.`, `_` and `-`, not beginning with a dot.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its SHA-256, 64 lowercase hexadecimal digits.
    pub sha256: String,
}

/// One network: its file, what goes in and what comes out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    /// The name by which levels refer to it.
    pub id: String,
    /// Its ONNX file: one float32 input of shape [1, channels, height, width],
    /// one float32 output.
    pub file: FileRef,
    /// The table of value ranges by which its layers are run in int8, as
    /// `biglittle quantize` writes it. Left out, they are run in float32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration_table: Option<FileRef>,
    /// The multiply-accumulates of one inference; checked when it is opened.
    pub macs: u64,
    /// How a frame becomes its input.
    pub input: PreprocessSpec,
    /// What its output means.
    pub output: OutputSpec,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// One step of the cascade.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LevelSpec {
    /// The step's name, such as `little` or `big`.
    pub name: String,
    /// The ids of the networks that run at this step, in order.
    pub networks: Vec<String>,
    /// Whose probabilities make the answer.
    #[serde(default)]
    pub answer: LevelAnswer,
    /// How sure an answer is.
    #[serde(default)]
    pub confidence: Confidence,
    /// What the confidence has to be above for the answer to stand. Every step
    /// but the last needs one; on the last an answer below it is marked unsure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Threshold>,
}

/// Whose probabilities make a step's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LevelAnswer {
    /// Those of the step's own networks (their mean where it has several).
    #[default]
    Own,
    /// The mean over all networks that have run so far.
    Committee,
}

/// Where something comes from and what may be done with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Who made it.
    pub authors: String,
    /// Its licence as an SPDX expression.
    pub licence: String,
    /// How it was made, or where it was published.
    pub source: String,
    /// The data it was trained on, where it was trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_data: Option<String>,
}

#[derive(Deserialize)]
struct VersionOnly {
    format_version: u64,
}

impl Manifest {
    pub(super) fn from_json(json: &[u8]) -> Result<Self> {
        // The version first: a later format may well have other fields.
        let VersionOnly { format_version } = serde_json::from_slice(json).map_err(not_json)?;
        if format_version != u64::from(FORMAT_VERSION) {
            return Err(invalid(format!(
                "format_version is {format_version}, but this library reads {FORMAT_VERSION}: use \
                 a matching version of biglittle or pack the bundle again"
            )));
        }
        serde_json::from_slice(json).map_err(not_json)
    }

    pub(super) fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self);
        json.expect("a manifest has string keys only and no failing serialisers") + "\n"
    }

    /// The files that the bundle must have beside the manifest.
    pub(super) fn files(&self) -> impl Iterator<Item = &FileRef> {
        let of_networks = self.networks.iter();
        let of_networks = of_networks.flat_map(|n| [Some(&n.file), n.calibration_table.as_ref()]);
        std::iter::once(&self.labels).chain(of_networks.flatten())
    }

    /// The network called `id`.
    #[must_use]
    pub fn network(&self, id: &str) -> Option<&NetworkSpec> {
        self.networks.iter().find(|network| network.id == id)
    }

    /// Checks everything that can be checked without the files, in a bundle of
    /// `label_count` labels.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBundle`] that names the part, its value and the
    /// limit.
    pub fn validate(&self, label_count: usize) -> Result<()> {
        self.validate_texts()?;
        if self.networks.is_empty() || self.networks.len() >= MAX_FILES {
            return Err(invalid(format!(
                "there are {} networks: there must be from 1 to {}",
                self.networks.len(),
                MAX_FILES - 1
            )));
        }
        if self.levels.is_empty() || self.levels.len() > MAX_LEVELS {
            return Err(invalid(format!(
                "there are {} levels: there must be from 1 to {MAX_LEVELS}",
                self.levels.len()
            )));
        }
        let mut paths = BTreeSet::from([MANIFEST, MANIFEST_SUM]);
        for file in self.files() {
            file.validate()?;
            if !paths.insert(&file.path) {
                return Err(invalid(format!("{} is named twice: give each file once", file.path)));
            }
        }
        let mut ids = BTreeSet::new();
        for network in &self.networks {
            let name = format!("network {:?}", network.id);
            if !ids.insert(&network.id) {
                return Err(invalid(format!("{name} is there twice: give each a name of its own")));
            }
            network.input.validate().map_err(|error| in_manifest(&error, &name))?;
            network.output.validate(label_count).map_err(|error| in_manifest(&error, &name))?;
        }
        let mut used = BTreeSet::new();
        for (index, level) in self.levels.iter().enumerate() {
            self.validate_level(level, index + 1 == self.levels.len(), label_count)
                .map_err(|error| in_manifest(&error, &format!("level {:?}", level.name)))?;
            for id in &level.networks {
                if !used.insert(id) {
                    return Err(invalid(format!(
                        "network {id:?} runs twice in the levels: let each run once"
                    )));
                }
            }
        }
        if let Some(id) = ids.iter().find(|id| !used.contains(*id)) {
            return Err(invalid(format!("network {id:?} is in no level: use it or remove it")));
        }
        for (index, certificate) in self.certificates.iter().enumerate() {
            self.validate_certificate(certificate)
                .map_err(|error| in_manifest(&error, &format!("certificate {index}")))?;
        }
        if let Some(scores) = &self.calibration_scores {
            scores
                .validate(self, label_count)
                .map_err(|error| in_manifest(&error, "calibration_scores"))?;
        }
        Ok(())
    }

    /// The least and the largest score of a level, in a bundle of `label_count`
    /// labels.
    ///
    /// # Panics
    /// When there is no such level.
    #[must_use]
    pub fn score_range(&self, level: usize, label_count: usize) -> (f32, f32) {
        let level = &self.levels[level];
        level.confidence.range(self.judged(level, label_count).1)
    }

    /// What a level's confidence looks at: the output of its one network with
    /// that network's classes, or probabilities by label.
    fn judged(&self, level: &LevelSpec, label_count: usize) -> (Option<OutputKind>, usize) {
        let by_label = level.networks.len() > 1 || level.answer == LevelAnswer::Committee;
        match level.networks.first().and_then(|id| self.network(id)) {
            Some(NetworkSpec { output, .. }) if !by_label && !output.merges_classes() => {
                (Some(output.kind), output.class_count(label_count))
            }
            _ => (None, label_count),
        }
    }

    /// A certificate is of these networks, run in this way, or of nothing.
    fn validate_certificate(&self, certificate: &Certificate) -> Result<()> {
        const AGAIN: &str = "remove the certificate, or calibrate again";
        certificate.validate()?;
        for network in &certificate.networks {
            match self.network(&network.id) {
                Some(found) if found.file.sha256 == network.sha256 => {}
                Some(found) => {
                    return Err(invalid(format!(
                        "is of a network {:?} with SHA-256 {}, but this one has {}: {AGAIN}",
                        network.id, network.sha256, found.file.sha256
                    )));
                }
                None => {
                    return Err(invalid(format!(
                        "is of a network {:?}, which the bundle has not: {AGAIN}",
                        network.id
                    )));
                }
            }
        }
        let models = self.models_sha256();
        if certificate.models_sha256 != models {
            return Err(invalid(format!(
                "is of models_sha256 {}, but the networks, inputs, outputs and levels here have \
                 {models}: {AGAIN}",
                certificate.models_sha256
            )));
        }
        let confidences = self.levels[..self.levels.len() - 1].iter().map(|level| level.confidence);
        if !confidences.eq(certificate.confidences.iter().copied()) {
            return Err(invalid(format!("is of other confidences than the levels have: {AGAIN}")));
        }
        Ok(())
    }

    /// What decides answers and scores, as one SHA-256: over a JSON array with,
    /// for each network, `[id, SHA-256 of its file, input, output]`, for each
    /// level `[name, networks, answer]` and, only if networks have calibration
    /// tables, `[id, SHA-256 of its table]` of those. Thresholds, confidences and
    /// descriptions are not in it.
    #[must_use]
    pub fn models_sha256(&self) -> String {
        let networks = self.networks.iter();
        let networks: Vec<_> =
            networks.map(|n| (&n.id, &n.file.sha256, &n.input, &n.output)).collect();
        let levels = self.levels.iter();
        let levels: Vec<_> = levels.map(|l| (&l.name, &l.networks, &l.answer)).collect();
        let tables: Vec<_> = self
            .networks
            .iter()
            .filter_map(|n| Some((&n.id, &n.calibration_table.as_ref()?.sha256)))
            .collect();
        let json = if tables.is_empty() {
            serde_json::to_vec(&(networks, levels))
        } else {
            serde_json::to_vec(&(networks, levels, tables))
        };
        sha256_hex(&json.expect("it has string keys only and no failing serialisers"))
    }

    /// Name and version for people, and the first 16 hexadecimal digits of a
    /// SHA-256 over [`Manifest::models_sha256`] and the certificates: what was
    /// counted with one bundle is not mixed with another of the same name.
    #[must_use]
    pub fn identity(&self) -> String {
        let json = serde_json::to_vec(&(self.models_sha256(), &self.certificates));
        let sum = sha256_hex(&json.expect("it has string keys only and no failing serialisers"));
        format!("{} {} {}", self.name, self.version, &sum[..16])
    }

    /// The certificate that the thresholds in use keep: those that it names or,
    /// with two levels, higher ones.
    #[must_use]
    pub fn certificate_in_use(&self) -> Option<&Certificate> {
        let last = self.levels.len().checked_sub(1)?;
        let used: Option<Vec<_>> = self.levels[..last].iter().map(|l| l.threshold).collect();
        let used = used?;
        self.certificates.iter().find(|certificate| {
            match (&used[..], &certificate.thresholds[..]) {
                ([used], [certified]) => used >= certified,
                (used, certified) => used == certified,
            }
        })
    }

    fn validate_level(&self, level: &LevelSpec, is_last: bool, label_count: usize) -> Result<()> {
        if level.networks.is_empty() {
            return Err(invalid("has no network: give it at least one"));
        }
        if let Some(id) = level.networks.iter().find(|id| self.network(id).is_none()) {
            return Err(invalid(format!("names the network {id:?}, which the bundle has not")));
        }
        let (kind, classes) = self.judged(level, label_count);
        level.confidence.validate(kind)?;
        match level.threshold {
            None if !is_last => {
                Err(invalid("has no threshold: every level but the last needs one"))
            }
            Some(Threshold::ALWAYS_ESCALATE) if is_last => Err(invalid(
                "is the last and has the threshold \"always_escalate\", which would mark every \
                 answer unsure: leave it out, or give a number",
            )),
            Some(threshold) => level.confidence.validate_threshold(threshold, classes),
            None => Ok(()),
        }
    }

    /// Names end up in logs, terminals and user interfaces.
    fn validate_texts(&self) -> Result<()> {
        let own =
            [("name", &self.name), ("version", &self.version), ("description", &self.description)];
        let networks = self.networks.iter().map(|network| ("a network's id", &network.id));
        let levels = self.levels.iter().map(|level| ("a level's name", &level.name));
        let provenances = std::iter::once(&self.provenance)
            .chain(self.networks.iter().map(|network| &network.provenance));
        let provenances = provenances.flat_map(|provenance| {
            [
                ("a provenance's authors", &provenance.authors),
                ("a provenance's licence", &provenance.licence),
                ("a provenance's source", &provenance.source),
            ]
            .into_iter()
            .chain(
                provenance.training_data.iter().map(|data| ("a provenance's training_data", data)),
            )
        });
        let mut texts = own.into_iter().chain(networks).chain(levels).chain(provenances);
        match texts.find(|(_, text)| text.trim().is_empty() || text.chars().any(char::is_control)) {
            None => Ok(()),
            Some((what, text)) => {
                Err(invalid(format!("{what} is {text:?}: give a text without control characters")))
            }
        }
    }
}

impl FileRef {
    /// A file of this name and these bytes.
    #[must_use]
    pub fn of(path: impl Into<String>, bytes: &[u8]) -> Self {
        FileRef { path: path.into(), bytes: bytes.len() as u64, sha256: sha256_hex(bytes) }
    }

    pub(super) fn validate(&self) -> Result<()> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let good = !self.path.is_empty()
            && self.path.len() <= 255
            && !self.path.starts_with('.')
            && self.path.chars().all(allowed);
        if !good {
            return Err(invalid(format!(
                "{:?} is no name for a file of a bundle: use letters, digits, '.', '_' and '-', \
                 not beginning with '.'",
                self.path
            )));
        }
        if self.bytes > MAX_BUNDLE_BYTES {
            return Err(invalid(format!(
                "{}: is said to have {} bytes: a file may have at most {MAX_BUNDLE_BYTES}",
                self.path, self.bytes
            )));
        }
        Ok(())
    }
}

fn in_manifest(error: &Error, what: &str) -> Error {
    Error::new(ErrorKind::InvalidBundle, format!("{what}: {error}"))
}

fn not_json(error: serde_json::Error) -> Error {
    invalid(format!("is not a manifest of format version {FORMAT_VERSION}: {error}"))
        .with_source(error)
}
