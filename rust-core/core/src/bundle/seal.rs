//! Checksums: computing them, checking them, filling them into a draft.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::manifest::{FileRef, Manifest};
use super::{Files, MANIFEST, MAX_BUNDLE_BYTES, MAX_MANIFEST_BYTES, folder, invalid};
use crate::error::Result;

/// The SHA-256 of `bytes` as 64 lowercase hexadecimal digits.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        write!(hex, "{byte:02x}").expect("writing to a string cannot fail");
    }
    hex
}

/// The contents of `manifest.sha256`, as `sha256sum -c` reads it.
pub(super) fn manifest_sum(manifest: &str) -> String {
    format!("{}  {MANIFEST}\n", sha256_hex(manifest.as_bytes()))
}

pub(super) fn check_manifest(manifest: &[u8], sum: &[u8]) -> Result<()> {
    let expected = format!("{}  {MANIFEST}\n", sha256_hex(manifest));
    if sum == expected.as_bytes() {
        return Ok(());
    }
    Err(invalid(format!(
        "{MANIFEST}: does not have the SHA-256 that manifest.sha256 gives it: one of the two was \
         changed; fetch or pack the bundle again"
    )))
}

pub(super) fn check_file(file: &FileRef, bytes: &[u8]) -> Result<()> {
    if bytes.len() as u64 != file.bytes {
        return Err(invalid(format!(
            "{}: has {} bytes, but {MANIFEST} says {}: fetch or pack the bundle again",
            file.path,
            bytes.len(),
            file.bytes
        )));
    }
    let sum = sha256_hex(bytes);
    if sum != file.sha256 {
        return Err(invalid(format!(
            "{}: has the SHA-256 {sum}, but {MANIFEST} says {}: it was changed; fetch or pack the \
             bundle again",
            file.path, file.sha256
        )));
    }
    Ok(())
}

/// Fills sizes, sums and MACs into the manifest of `folder`.
pub(super) fn complete_draft(
    folder: &Path,
    mut count_macs: impl FnMut(&str, &[u8]) -> Result<u64>,
) -> Result<(Manifest, Files)> {
    let json = folder::read_file(&folder.join(MANIFEST), MAX_MANIFEST_BYTES)
        .map_err(|error| error.context(MANIFEST))?;
    let mut draft: Value = serde_json::from_slice(&json)
        .map_err(|error| invalid(format!("{MANIFEST}: is not JSON: {error}")).with_source(error))?;
    let mut files = Files::new();
    complete_file(folder, draft.get_mut("labels"), &mut files)?;
    let networks = draft.get_mut("networks").and_then(Value::as_array_mut);
    for network in networks.into_iter().flatten() {
        let id = network.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let bytes = complete_file(folder, network.get_mut("file"), &mut files)?;
        complete_file(folder, network.get_mut("calibration_table"), &mut files)?;
        if let (Some(bytes), Some(network)) = (bytes, network.as_object_mut()) {
            network.insert("macs".into(), count_macs(&id, &bytes)?.into());
        }
    }
    // Whatever is missing or wrong in shape is said here, by name.
    let manifest = Manifest::from_json(draft.to_string().as_bytes())
        .map_err(|error| error.context(MANIFEST))?;
    Ok((manifest, files))
}

fn complete_file(
    folder: &Path,
    file: Option<&mut Value>,
    files: &mut Files,
) -> Result<Option<Arc<[u8]>>> {
    let Some(file) = file.and_then(Value::as_object_mut) else { return Ok(None) };
    let Some(name) = file.get("path").and_then(Value::as_str).map(str::to_owned) else {
        return Ok(None);
    };
    let unchecked = FileRef { path: name.clone(), bytes: 0, sha256: String::new() };
    unchecked.validate().map_err(|error| error.context(MANIFEST))?;
    let bytes: Arc<[u8]> = folder::read_file(&folder.join(&name), MAX_BUNDLE_BYTES)
        .map_err(|error| error.context(&name))?
        .into();
    file.insert("bytes".into(), bytes.len().into());
    file.insert("sha256".into(), sha256_hex(&bytes).into());
    files.insert(name, bytes.clone());
    Ok(Some(bytes))
}
