//! Model bundles: the networks of a cascade and all that is needed to run it,
//! as a folder or one file, checked to the last byte.
//!
//! Decides the format and refuses anything that is not exactly it. It does not
//! look inside the ONNX files: [`network`](crate::network) does when they are
//! opened.
//!
//! # Format
//! A folder, or a zip archive without compression (`.biglittle`), that holds
//! `manifest.json` (see [`Manifest`]), `manifest.sha256` (its SHA-256 in the
//! form of `sha256sum`) and the files that the manifest names with their sizes
//! and SHA-256, and nothing else. The comment of an archive ends with the
//! SHA-256 of all bytes before it. These sums find damage and mistakes; they
//! do not prove who made the bundle.

mod archive;
mod calibration_scores;
mod folder;
mod manifest;
mod seal;

pub use calibration_scores::CalibrationScores;
pub use manifest::{
    FORMAT_VERSION, FileRef, LevelAnswer, LevelSpec, Manifest, NetworkSpec, Provenance,
};
pub use seal::sha256_hex;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::files;

/// The largest manifest or sum, in bytes.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;
/// The largest number of files in a bundle.
const MAX_FILES: usize = 64;
/// The largest number of labels.
const MAX_LABELS: usize = 100_000;
/// The largest bundle, all files together, in bytes.
const MAX_BUNDLE_BYTES: u64 = 1 << 30;

/// The file in which a bundle describes itself.
const MANIFEST: &str = "manifest.json";
/// The file with the SHA-256 of [`MANIFEST`].
const MANIFEST_SUM: &str = "manifest.sha256";

/// The files of a bundle by name.
type Files = BTreeMap<String, Arc<[u8]>>;

/// A complete, checked bundle in memory.
#[derive(Debug, Clone)]
pub struct ModelBundle {
    manifest: Manifest,
    labels: Arc<[String]>,
    files: Files,
}

impl ModelBundle {
    /// Reads a bundle from a folder or a `.biglittle` file.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when it cannot be read, [`ErrorKind::InvalidBundle`]
    /// when a byte is changed, a file is missing, added or swapped, or the
    /// manifest is not valid; the message begins with the file's name.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let read = || {
            if path.is_dir() {
                ModelBundle::from_files(folder::read(path)?)
            } else {
                ModelBundle::from_bytes(&folder::read_file(path, MAX_BUNDLE_BYTES)?)
            }
        };
        read().map_err(|error| error.context(path.display()))
    }

    /// Reads a bundle from the bytes of a `.biglittle` file.
    ///
    /// # Errors
    /// As [`ModelBundle::open`], except [`ErrorKind::Io`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let bundle = ModelBundle::from_files(archive::read(bytes)?)?;
        archive::check_sum(bytes)?;
        Ok(bundle)
    }

    /// Makes a bundle of its files in memory, by name: for bundles that are
    /// built into a program or an app's assets.
    ///
    /// # Errors
    /// As [`ModelBundle::open`], except [`ErrorKind::Io`].
    pub fn from_memory<N: Into<String>, B: Into<Arc<[u8]>>>(
        files: impl IntoIterator<Item = (N, B)>,
    ) -> Result<Self> {
        let files = files.into_iter().map(|(name, bytes)| (name.into(), bytes.into()));
        ModelBundle::from_files(files.collect())
    }

    fn from_files(mut files: Files) -> Result<Self> {
        let manifest = files.remove(MANIFEST).ok_or_else(|| missing(MANIFEST))?;
        let sum = files.remove(MANIFEST_SUM).ok_or_else(|| missing(MANIFEST_SUM))?;
        if manifest.len() as u64 > MAX_MANIFEST_BYTES {
            return Err(invalid(format!(
                "{MANIFEST}: has {} bytes: at most {MAX_MANIFEST_BYTES} are read",
                manifest.len()
            )));
        }
        seal::check_manifest(&manifest, &sum)?;
        let manifest = Manifest::from_json(&manifest).map_err(|error| error.context(MANIFEST))?;
        for file in manifest.files() {
            let bytes = files.get(&file.path).ok_or_else(|| missing(&file.path))?;
            seal::check_file(file, bytes)?;
        }
        if let Some(added) = files.keys().find(|name| !manifest.files().any(|f| f.path == **name)) {
            return Err(invalid(format!(
                "{}: is not named in {MANIFEST}: remove it, or pack the bundle again",
                added.escape_debug()
            )));
        }
        ModelBundle::assemble(manifest, files)
    }

    fn assemble(manifest: Manifest, files: Files) -> Result<Self> {
        let name = &manifest.labels.path;
        let labels = parse_labels(&files[name]).map_err(|error| error.context(name))?;
        manifest.validate(labels.len()).map_err(|error| error.context(MANIFEST))?;
        Ok(ModelBundle { manifest, labels: labels.into(), files })
    }

    /// Makes a bundle of a folder in which `manifest.json` may leave out every
    /// `bytes`, `sha256` and `macs`, or hold old ones: they are filled in.
    /// Files that the manifest does not name are left out.
    ///
    /// `count_macs` gets a network's id and bytes and says how many
    /// multiply-accumulates it takes.
    ///
    /// # Errors
    /// As [`ModelBundle::open`], and what `count_macs` says.
    pub fn from_draft(
        folder: impl AsRef<Path>,
        count_macs: impl FnMut(&str, &[u8]) -> Result<u64>,
    ) -> Result<Self> {
        let folder = folder.as_ref();
        seal::complete_draft(folder, count_macs)
            .and_then(|(manifest, files)| ModelBundle::assemble(manifest, files))
            .map_err(|error| error.context(folder.display()))
    }

    /// The same files with another manifest: other thresholds, certificates or
    /// temperatures.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBundle`] when the manifest is not valid or its files
    /// are not these.
    pub fn with_manifest(self, manifest: Manifest) -> Result<Self> {
        self.with_files(manifest, [])
    }

    /// Another manifest, with more files or others of the same names. Those that
    /// it does not name are left out.
    ///
    /// # Errors
    /// As [`ModelBundle::with_manifest`].
    pub fn with_files(
        mut self,
        manifest: Manifest,
        files: impl IntoIterator<Item = (String, Arc<[u8]>)>,
    ) -> Result<Self> {
        self.files.extend(files);
        self.files.retain(|name, _| manifest.files().any(|file| file.path == *name));
        for file in manifest.files() {
            let bytes = self.files.get(&file.path).ok_or_else(|| missing(&file.path))?;
            seal::check_file(file, bytes)?;
        }
        ModelBundle::assemble(manifest, self.files)
    }

    /// Writes the bundle as a new folder: all of it or nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when `path` exists already or cannot be written.
    pub fn write_folder(&self, path: impl AsRef<Path>) -> Result<()> {
        folder::write(path.as_ref(), &self.sealed_files())
            .map_err(|error| error.context(path.as_ref().display()))
    }

    /// Writes the bundle as one `.biglittle` file, replacing one that is there:
    /// all of it or nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when `path` cannot be written.
    pub fn write_archive(&self, path: impl AsRef<Path>) -> Result<()> {
        files::write(path.as_ref(), &self.to_bytes())
            .map_err(|error| error.context(path.as_ref().display()))
    }

    /// The bytes of the bundle as one `.biglittle` file. The same bundle gives
    /// the same bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        archive::write(&self.sealed_files())
    }

    /// All files, the manifest and its sum first.
    fn sealed_files(&self) -> Vec<(String, Arc<[u8]>)> {
        let manifest = self.manifest.to_json();
        let sum = seal::manifest_sum(&manifest);
        let own = [(MANIFEST, manifest.into_bytes()), (MANIFEST_SUM, sum.into_bytes())];
        let own = own.into_iter().map(|(name, bytes)| (name.to_owned(), bytes.into()));
        own.chain(self.files.iter().map(|(name, bytes)| (name.clone(), bytes.clone()))).collect()
    }

    /// What the bundle says about itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The names of the answers; [`Outcome::label`](crate::Outcome::label) is an
    /// index into them.
    #[must_use]
    pub fn labels(&self) -> &Arc<[String]> {
        &self.labels
    }

    /// The ONNX file of a network of this bundle.
    #[must_use]
    pub fn network_bytes(&self, network: &NetworkSpec) -> Option<&Arc<[u8]>> {
        self.files.get(&network.file.path)
    }

    /// The calibration table of a network of this bundle, where it has one.
    #[must_use]
    pub fn table_bytes(&self, network: &NetworkSpec) -> Option<&Arc<[u8]>> {
        self.files.get(&network.calibration_table.as_ref()?.path)
    }
}

fn parse_labels(bytes: &[u8]) -> Result<Vec<String>> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| invalid(format!("is not UTF-8 text: {error}")).with_source(error))?;
    // One more than allowed is enough to know.
    let labels: Vec<String> = text.lines().take(MAX_LABELS + 1).map(str::to_owned).collect();
    if !(2..=MAX_LABELS).contains(&labels.len()) {
        return Err(invalid(format!(
            "has {} labels: it must have from 2 to {MAX_LABELS}, one a line",
            labels.len()
        )));
    }
    let bad = |label: &String| label.trim().is_empty() || label.chars().any(char::is_control);
    if let Some(line) = labels.iter().position(bad) {
        return Err(invalid(format!(
            "line {} is empty or has a control character: give one label a line",
            line + 1
        )));
    }
    Ok(labels)
}

fn missing(name: &str) -> Error {
    invalid(format!("{name}: is missing: fetch or pack the bundle again"))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidBundle, message)
}
