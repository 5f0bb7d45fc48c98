//! Bundles as one file: a zip archive without compression whose comment ends
//! with the SHA-256 of all bytes before it.

use std::io::{Cursor, Read, Write};
use std::sync::Arc;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::seal::sha256_hex;
use super::{Files, MAX_FILES, invalid};
use crate::error::{Error, Result};

const COMMENT: &str = "biglittle bundle sha256:";
const HEX_DIGITS: usize = 64;
/// A zip archive's records, without the file's name that follows them.
const LOCAL_HEADER_BYTES: usize = 30;
const DIRECTORY_ENTRY_BYTES: usize = 46;

/// The record at the end of a zip archive, before the comment.
const END_BYTES: usize = 22;
const END_SIGNATURE: &[u8] = b"PK\x05\x06";
const ZIP64_LOCATOR_BYTES: usize = 20;
const ZIP64_LOCATOR_SIGNATURE: &[u8] = b"PK\x06\x07";

pub(super) fn read(bytes: &[u8]) -> Result<Files> {
    check_end(bytes)?;
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| invalid(format!("the archive is damaged: {error}")).with_source(error))?;
    let mut files = Files::new();
    // What the archive's own records and the files take; the rest hides.
    let mut explained = END_BYTES + COMMENT.len() + HEX_DIGITS;
    for index in 0..archive.len() {
        let mut entry = archive.by_index_raw(index).map_err(|error| {
            invalid(format!("file {index} of the archive is damaged: {error}")).with_source(error)
        })?;
        let name = entry
            .name()
            .map_err(|error| {
                invalid(format!("file {index} of the archive has a damaged name: {error}"))
            })?
            .escape_debug()
            .to_string();
        let damaged = |what: String| {
            invalid(format!("{name}: {what}: fetch the bundle again or make it with pack"))
        };
        if entry.compression() != CompressionMethod::Stored || entry.size() > bytes.len() as u64 {
            return Err(damaged("is not stored uncompressed".into()));
        }
        let size = entry.size();
        explained +=
            LOCAL_HEADER_BYTES + DIRECTORY_ENTRY_BYTES + 2 * entry.name_raw().len() + size as usize;
        // Entries that share bytes would take more memory than the archive has.
        if explained > bytes.len() {
            return Err(damaged("overlaps another file".into()));
        }
        let mut data = Vec::new();
        (&mut entry)
            .take(size)
            .read_to_end(&mut data)
            .map_err(|error| damaged(format!("is damaged: {error}")).with_source(error))?;
        if data.len() as u64 != size {
            return Err(damaged(format!("has {} bytes instead of {size}", data.len())));
        }
        if files.insert(name.clone(), Arc::from(data)).is_some() {
            return Err(damaged("is in the archive twice".into()));
        }
    }
    if explained != bytes.len() {
        return Err(invalid(format!(
            "the archive has {} bytes, but its files account for {explained}: it was not made by \
             biglittle; make it with pack",
            bytes.len()
        )));
    }
    Ok(files)
}

/// Refuses what was not written here before the archive's directory is read,
/// whose length would decide how much memory that takes.
fn check_end(bytes: &[u8]) -> Result<()> {
    let end = bytes.len().checked_sub(END_BYTES + COMMENT.len() + HEX_DIGITS);
    let Some((before, end)) = end.map(|at| bytes.split_at(at)) else {
        return Err(not_ours());
    };
    let locator = before.len().saturating_sub(ZIP64_LOCATOR_BYTES);
    let is_ours = end.starts_with(END_SIGNATURE)
        && end[END_BYTES..].starts_with(COMMENT.as_bytes())
        && !before[locator..].starts_with(ZIP64_LOCATOR_SIGNATURE);
    if !is_ours {
        return Err(not_ours());
    }
    let count = usize::from(u16::from_le_bytes([end[10], end[11]]));
    if count > MAX_FILES {
        return Err(invalid(format!("has {count} files: a bundle has at most {MAX_FILES}")));
    }
    Ok(())
}

fn not_ours() -> Error {
    invalid(
        "is neither a folder nor a .biglittle file: fetch the bundle again, or make it with pack",
    )
}

/// Checks the sum in the comment, which covers what no file's own sum does:
/// the archive's headers.
pub(super) fn check_sum(bytes: &[u8]) -> Result<()> {
    let sealed = bytes.len().checked_sub(HEX_DIGITS).map(|at| bytes.split_at(at));
    match sealed {
        Some((before, sum)) if sha256_hex(before).as_bytes() == sum => Ok(()),
        _ => Err(invalid(
            "the archive does not have the SHA-256 that its comment gives: it was changed; fetch \
             the bundle again",
        )),
    }
}

pub(super) fn write(files: &[(String, Arc<[u8]>)]) -> Vec<u8> {
    const IN_MEMORY: &str = "writing a small archive to memory cannot fail";
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default());
    archive.set_comment(format!("{COMMENT}{:0HEX_DIGITS$}", 0)).expect(IN_MEMORY);
    for (name, bytes) in files {
        archive.start_file(name.as_str(), options).expect(IN_MEMORY);
        archive.write_all(bytes).expect(IN_MEMORY);
    }
    let mut bytes = archive.finish().expect(IN_MEMORY).into_inner();
    let end = bytes.len() - HEX_DIGITS;
    let sum = sha256_hex(&bytes[..end]);
    bytes[end..].copy_from_slice(sum.as_bytes());
    bytes
}
