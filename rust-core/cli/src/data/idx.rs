//! The idx files of MNIST and its relatives, plain or gzipped.
//!
//! Big-endian header: two zero bytes, 8 (unsigned bytes), the number of
//! dimensions, then each dimension as 32 bits.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use biglittle::frame::MAX_FRAME_SIDE;
use biglittle::{Error, ErrorKind, Result};
use flate2::read::MultiGzDecoder;

use super::{Sample, invalid};
use crate::files;

/// The most bytes of an idx file, unpacked or not: five times the 60,000
/// training digits of MNIST. A gzip bomb is larger.
const MAX_BYTES: u64 = 256 << 20;
const IMAGES: &str = "images-idx3-ubyte";
const LABELS: &str = "labels-idx1-ubyte";

/// Gray images and a label for each.
#[derive(Debug)]
pub struct IdxImages {
    pixels: Vec<u8>,
    labels: Vec<u8>,
    width: u32,
    height: u32,
}

impl IdxImages {
    /// The one pair of idx files in `folder`; `None` where there is none.
    pub fn find(folder: &Path) -> Result<Option<Self>> {
        let (Some(images), labels) = (one(folder, IMAGES)?, one(folder, LABELS)?) else {
            return Ok(None);
        };
        let labels = labels.ok_or_else(|| {
            invalid(format!("has {} but no {LABELS}: add the labels", name_of(&images)))
        })?;
        let read = |path: &Path| {
            files::read(path, MAX_BYTES, ErrorKind::InvalidData)
                .map_err(|error: Error| error.context(name_of(path)))
        };
        IdxImages::parse(&read(&images)?, &read(&labels)?).map(Some)
    }

    /// The images and labels of two idx files, plain or gzipped.
    pub fn parse(images: &[u8], labels: &[u8]) -> Result<Self> {
        let ([count, height, width], pixels) = array(images, "images")?;
        let ([label_count], labels) = array(labels, "labels")?;
        if count != label_count {
            return Err(invalid(format!(
                "idx files do not belong together: {count} images, but {label_count} labels"
            )));
        }
        // Without images it is the number of them that is wrong.
        if count > 0 && [width, height].iter().any(|side| !(1..=MAX_FRAME_SIDE).contains(side)) {
            return Err(invalid(format!(
                "the idx file of images says {width} x {height} pixels: each side must be from 1 \
                 to {MAX_FRAME_SIDE}"
            )));
        }
        Ok(IdxImages { pixels, labels, width, height })
    }

    pub fn check_labels(&self, label_count: usize) -> Result<()> {
        match self.labels.iter().position(|label| usize::from(*label) >= label_count) {
            None => Ok(()),
            Some(index) => Err(invalid(format!(
                "sample {index} has the label {}: the bundle has the labels 0 to {}",
                self.labels[index],
                label_count - 1
            ))),
        }
    }

    pub fn len(&self) -> usize {
        self.labels.len()
    }

    pub fn truncate(&mut self, count: usize) {
        self.labels.truncate(count);
    }

    pub fn label(&self, index: usize) -> u32 {
        self.labels[index].into()
    }

    pub fn size(&self) -> (usize, usize) {
        (self.width as usize, self.height as usize)
    }

    pub fn pixels(&self, index: usize) -> &[u8] {
        let size = self.width as usize * self.height as usize;
        &self.pixels[index * size..][..size]
    }

    pub fn sample(&self, index: usize) -> Sample<'_> {
        Sample::Gray { pixels: self.pixels(index), width: self.width, height: self.height }
    }
}

fn one(folder: &Path, kind: &str) -> Result<Option<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(files::cannot_read)?;
    let is_kind = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.trim_end_matches(".gz").replace('.', "-").ends_with(kind)
    };
    let mut found: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(is_kind).collect();
    found.sort();
    if found.len() > 1 {
        return Err(invalid(format!(
            "has {} files that end in {kind}: keep one set of idx files a folder",
            found.len()
        )));
    }
    Ok(found.pop())
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// An array of unsigned bytes with `N` dimensions.
fn array<const N: usize>(file: &[u8], what: &str) -> Result<([u32; N], Vec<u8>)> {
    let mut bytes = Vec::new();
    let read = if file.starts_with(&[0x1f, 0x8b]) {
        MultiGzDecoder::new(file).take(MAX_BYTES + 1).read_to_end(&mut bytes)
    } else {
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes)
    };
    read.map_err(|error| {
        invalid(format!("the idx file of {what} is damaged: {error}")).with_source(error)
    })?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(invalid(format!(
            "the idx file of {what} has more than {MAX_BYTES} bytes when unpacked: give a smaller one"
        )));
    }
    let header = 4 + 4 * N;
    if bytes.len() < header || bytes[..4] != [0, 0, 8, N as u8] {
        return Err(invalid(format!(
            "the idx file of {what} does not begin with the header of {N} dimensions of bytes"
        )));
    }
    let dimension = |index: usize| {
        let at = 4 + 4 * index;
        u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
    };
    let dimensions: [u32; N] = std::array::from_fn(dimension);
    let expected = dimensions.iter().try_fold(1u64, |n, side| n.checked_mul(u64::from(*side)));
    if expected != Some((bytes.len() - header) as u64) {
        return Err(invalid(format!(
            "the idx file of {what} says {dimensions:?} but has {} bytes of data",
            bytes.len() - header
        )));
    }
    bytes.drain(..header);
    Ok((dimensions, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idx(dimensions: &[u32], data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
        dimensions.iter().for_each(|side| bytes.extend(side.to_be_bytes()));
        bytes.extend(data);
        bytes
    }

    #[test]
    fn a_gzip_bomb_is_refused() {
        let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        for _ in 0..=MAX_BYTES >> 20 {
            std::io::Write::write_all(&mut bomb, &[0; 1 << 20]).unwrap();
        }
        let bomb = bomb.finish().unwrap();
        let text = IdxImages::parse(&bomb, &[]).unwrap_err().to_string();
        assert!(text.contains("more than 268435456 bytes when unpacked"), "{text}");
    }

    #[test]
    fn lies_in_headers_are_named() {
        let good = idx(&[2, 1, 2], &[1, 2, 3, 4]);
        let labels = idx(&[2], &[0, 9]);
        let images = IdxImages::parse(&good, &labels).unwrap();
        assert_eq!((images.len(), images.pixels(1)), (2, &[3u8, 4][..]));
        assert!(images.check_labels(10).is_ok());
        assert!(
            images.check_labels(9).unwrap_err().to_string().contains("sample 1 has the label 9")
        );

        let refused = |images: &[u8], labels: &[u8], words: &str| {
            let text = IdxImages::parse(images, labels).unwrap_err().to_string();
            assert!(text.contains(words), "{text}");
        };
        refused(&good[..15], &labels, "header of 3 dimensions");
        refused(&good[..17], &labels, "has 1 bytes of data");
        refused(&labels, &labels, "header of 3 dimensions");
        refused(&good, &idx(&[3], &[1, 2, 3]), "2 images, but 3 labels");
        refused(&idx(&[u32::MAX; 3], &[]), &labels, "4294967295");
        refused(&idx(&[2, 0, 28], &[]), &labels, "28 x 0 pixels: each side");
        refused(&idx(&[2, 1, 40_000], &[0; 80_000]), &labels, "40000 x 1 pixels: each side");
        refused(&[0x1f, 0x8b, 8, 0], &labels, "is damaged");
    }
}
