//! Samples from disk, one at a time.
//!
//! Decides which of the forms a folder has (idx files, `labels.csv`, a folder
//! per label, or images without labels where that is allowed) and that every
//! label is one of the bundle's.

mod idx;
mod listing;
mod picture;

pub use idx::IdxImages;
pub use picture::Picture;

use std::path::Path;

use biglittle::bundle::sha256_hex;
use biglittle::{Error, ErrorKind, FrameView, PixelFormat, Result};
use image::{DynamicImage, GrayImage};
use listing::Entry;

/// A data set whose labels are indices of a bundle's labels.
#[derive(Debug)]
pub enum DataSet {
    /// Gray images held in memory.
    Idx(IdxImages),
    /// Image files, decoded when they are needed.
    Files(Vec<Entry>),
}

/// Whether a data set has to have labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labelling {
    Required,
    Optional,
}

/// A sample's pixels, borrowed from the set or decoded from its file.
#[derive(Debug)]
pub enum Sample<'a> {
    Gray { pixels: &'a [u8], width: u32, height: u32 },
    Picture(Picture),
}

impl DataSet {
    /// Reads `folder`, whose labels must be among `labels`.
    pub fn open(folder: &Path, labels: &[String], labelling: Labelling) -> Result<Self> {
        let set =
            DataSet::find(folder, labels, labelling).map_err(|e| e.context(folder.display()))?;
        if set.len() == 0 {
            return Err(invalid("has no samples: add images and their labels, at least one")
                .context(folder.display()));
        }
        Ok(set)
    }

    fn find(folder: &Path, labels: &[String], labelling: Labelling) -> Result<Self> {
        if !folder.is_dir() {
            return Err(invalid("is not a folder: give a folder with labelled data"));
        }
        if let Some(images) = IdxImages::find(folder)? {
            images.check_labels(labels.len())?;
            return Ok(DataSet::Idx(images));
        }
        listing::read(folder, labels, labelling).map(DataSet::Files)
    }

    pub fn len(&self) -> usize {
        match self {
            DataSet::Idx(images) => images.len(),
            DataSet::Files(files) => files.len(),
        }
    }

    /// Keeps only the first `count` samples.
    pub fn truncate(&mut self, count: usize) {
        match self {
            DataSet::Idx(images) => images.truncate(count),
            DataSet::Files(files) => files.truncate(count),
        }
    }

    /// `None` only where labels are [`Labelling::Optional`].
    pub fn label(&self, index: usize) -> Option<u32> {
        match self {
            DataSet::Idx(images) => Some(images.label(index)),
            DataSet::Files(files) => files[index].label,
        }
    }

    /// What the sample belongs to, such as a video clip.
    pub fn group(&self, index: usize) -> Option<&str> {
        match self {
            DataSet::Idx(_) => None,
            DataSet::Files(files) => files[index].group.as_deref(),
        }
    }

    /// What a trace calls the sample: its path from the folder on, or its
    /// number.
    pub fn key(&self, index: usize) -> String {
        match self {
            DataSet::Idx(_) => index.to_string(),
            DataSet::Files(files) => files[index].name.clone(),
        }
    }

    /// What a message calls a sample.
    pub fn name(&self, index: usize) -> String {
        match self {
            DataSet::Idx(_) => format!("sample {index}"),
            DataSet::Files(files) => files[index].path.display().to_string(),
        }
    }

    /// The pixels of a sample; an image that does not decode is an error that
    /// names its file.
    pub fn sample(&self, index: usize) -> Result<Sample<'_>> {
        match self {
            DataSet::Idx(images) => Ok(images.sample(index)),
            DataSet::Files(files) => Picture::open(&files[index].path).map(Sample::Picture),
        }
    }

    /// As [`DataSet::sample`], with the SHA-256 of the file's bytes or, in idx
    /// files, of the pixels.
    pub fn sample_and_sha256(&self, index: usize) -> Result<(Sample<'_>, String)> {
        match self {
            DataSet::Idx(images) => Ok((images.sample(index), sha256_hex(images.pixels(index)))),
            DataSet::Files(files) => {
                let (picture, sum) = Picture::open_with_sha256(&files[index].path)?;
                Ok((Sample::Picture(picture), sum))
            }
        }
    }
}

impl Sample<'_> {
    /// The number of bytes that the pixels take.
    pub fn bytes(&self) -> usize {
        match self {
            Sample::Gray { pixels, .. } => pixels.len(),
            Sample::Picture(picture) => picture.bytes(),
        }
    }

    /// The pixels as a picture of their own.
    pub fn picture(self) -> Result<DynamicImage> {
        match self {
            Sample::Gray { pixels, width, height } => {
                let gray = GrayImage::from_raw(width, height, pixels.to_vec());
                Ok(gray.ok_or_else(|| invalid("has too few pixels"))?.into())
            }
            Sample::Picture(picture) => Ok(picture.into_image()),
        }
    }

    pub fn frame(&self) -> Result<FrameView<'_>> {
        match self {
            Sample::Gray { pixels, width, height } => {
                FrameView::packed(PixelFormat::Gray8, *width, *height, pixels, *width as usize)
            }
            Sample::Picture(picture) => picture.frame(),
        }
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidData, message)
}
