//! Image files with labels: `labels.csv`, or a folder per label.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use biglittle::{Error, Result};
use serde::Deserialize;

use super::{cannot_read, invalid};

const LIST: &str = "labels.csv";

/// A row of `labels.csv`; other columns are ignored.
#[derive(Debug, Deserialize)]
struct Row {
    file: String,
    label: String,
}

pub fn read(folder: &Path, labels: &[String]) -> Result<Vec<(PathBuf, u32)>> {
    let labels = Labels::new(labels);
    let list = folder.join(LIST);
    if list.is_file() { read_list(folder, &list, &labels) } else { read_folders(folder, &labels) }
}

fn read_list(folder: &Path, list: &Path, labels: &Labels<'_>) -> Result<Vec<(PathBuf, u32)>> {
    let bad = |error: csv::Error| {
        invalid(format!("{LIST}: {error}: it needs the columns file and label")).with_source(error)
    };
    let mut rows = csv::Reader::from_path(list).map_err(bad)?;
    let mut files = Vec::new();
    for row in rows.deserialize() {
        let Row { file, label } = row.map_err(bad)?;
        let label = labels.find(&label).map_err(|error| error.context(&file).context(LIST))?;
        files.push((folder.join(file), label));
    }
    Ok(files)
}

fn read_folders(folder: &Path, labels: &Labels<'_>) -> Result<Vec<(PathBuf, u32)>> {
    let mut files = Vec::new();
    for class in sorted(folder)?.into_iter().filter(|path| path.is_dir()) {
        let name = class.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let label = labels.find(&name)?;
        let images = sorted(&class)?.into_iter().filter(|path| is_image(path));
        files.extend(images.map(|path| (path, label)));
    }
    if files.is_empty() {
        return Err(invalid(format!(
            "has neither idx files, nor {LIST}, nor a folder of PNG or JPEG files per label"
        )));
    }
    Ok(files)
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|error| cannot_read(folder, error))?;
    let mut paths: Vec<_> = entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(|error| cannot_read(folder, error)))
        .collect::<Result<_>>()?;
    paths.sort();
    Ok(paths)
}

fn is_image(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    ["png", "jpg", "jpeg"].iter().any(|image| ending == *image)
}

/// The bundle's labels, to be found by name or, failing that, by index.
struct Labels<'a> {
    by_name: HashMap<&'a str, u32>,
    count: usize,
}

impl<'a> Labels<'a> {
    fn new(labels: &'a [String]) -> Self {
        let by_name = labels.iter().zip(0..).map(|(name, index)| (name.as_str(), index)).collect();
        Labels { by_name, count: labels.len() }
    }

    fn find(&self, text: &str) -> Result<u32, Error> {
        let text = text.trim();
        if let Some(index) = self.by_name.get(text) {
            return Ok(*index);
        }
        match text.parse::<u32>() {
            Ok(index) if (index as usize) < self.count => Ok(index),
            _ => Err(invalid(format!(
                "{text:?} is no label of the bundle: give one of its names or an index from 0 to {}",
                self.count - 1
            ))),
        }
    }
}
