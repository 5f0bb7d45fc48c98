//! The samples that are worth looking at, with their pictures where there are
//! any.

use std::collections::HashMap;
use std::io::Cursor;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use biglittle::{Error, ErrorKind, Result};
use image::{DynamicImage, ImageFormat, codecs::jpeg::JpegEncoder};

use crate::data::{DataSet, Labelling};
use crate::rows::Rows;

/// Samples of each kind.
const MOST: usize = 12;
/// The longer side of a thumbnail, in pixels.
const SIDE: u32 = 128;
/// Up to this side a picture is kept as it is, as PNG.
const SMALL: u32 = 64;

/// The samples shown, by their row.
#[derive(Debug)]
pub struct Gallery {
    /// Losses if the first level's answer stood, the surest first.
    pub worst: Vec<Shown>,
    /// Samples that escalate at the threshold in use, evenly spread over their
    /// scores.
    pub escalated: Vec<Shown>,
    /// Whether pictures were asked for.
    pub has_pictures: bool,
}

/// One sample.
#[derive(Debug)]
pub struct Shown {
    pub row: usize,
    /// A data URI, or why there is none.
    pub picture: Option<Result<String, String>>,
}

impl Gallery {
    /// Chooses samples, and reads their pictures from the data set in the folder
    /// `data`, whose labels are among `labels`.
    ///
    /// # Errors
    /// When the folder holds no data set. A picture that cannot be read or is
    /// not the one that was traced is left out, with the reason.
    pub fn new(rows: &Rows, data: Option<&Path>, labels: &[String]) -> Result<Self> {
        let pictures = data.map(|folder| Pictures::open(folder, labels)).transpose()?;
        if pictures.is_some() && !rows.left_out.has_names {
            return Err(Error::new(
                ErrorKind::InvalidData,
                "the trace has no column sample, so no picture can be found: leave out --data",
            ));
        }
        let show = |row: usize| Shown {
            row,
            picture: pictures.as_ref().map(|p| p.thumbnail(rows, row).map_err(|e| e.to_string())),
        };
        let score = |row: &usize| rows.score(*row, 0);
        let is_loss = |row: &usize| rows.is_bad(*row, 0) && score(row).is_finite();
        let mut worst: Vec<_> = (0..rows.len()).filter(is_loss).collect();
        worst.sort_by(|a, b| score(b).total_cmp(&score(a)));
        worst.truncate(MOST);
        let threshold = rows.thresholds[0];
        let mut unsure: Vec<_> =
            (0..rows.len()).filter(|row| !threshold.accepts(score(row))).collect();
        unsure.sort_by(|a, b| score(b).total_cmp(&score(a)));
        let count = unsure.len().min(MOST);
        // The middle one of each of equally many.
        let typical = (0..count).map(|n| unsure[(2 * n + 1) * unsure.len() / (2 * count)]);
        Ok(Gallery {
            escalated: typical.map(show).collect(),
            worst: worst.into_iter().map(show).collect(),
            has_pictures: data.is_some(),
        })
    }

    /// How many pictures there are.
    pub fn pictures(&self) -> usize {
        let shown = self.worst.iter().chain(&self.escalated);
        shown.filter(|shown| matches!(shown.picture, Some(Ok(_)))).count()
    }
}

/// A data set whose samples are found by name.
struct Pictures {
    set: DataSet,
    by_name: HashMap<String, usize>,
}

impl Pictures {
    fn open(folder: &Path, labels: &[String]) -> Result<Self> {
        let set = DataSet::open(folder, labels, Labelling::Optional)?;
        let by_name = (0..set.len()).map(|index| (set.key(index), index)).collect();
        Ok(Pictures { set, by_name })
    }

    fn thumbnail(&self, rows: &Rows, row: usize) -> Result<String> {
        let fail = |message: &str| Err(Error::new(ErrorKind::InvalidData, message));
        let Some(index) = self.by_name.get(&rows.block.samples[row]) else {
            return fail("not in the data folder");
        };
        let (sample, sum) = self.set.sample_and_sha256(*index)?;
        if rows.block.image_sha256.get(row).is_some_and(|traced| *traced != sum) {
            return fail("not the picture that was traced");
        }
        data_uri(&sample.picture()?)
    }
}

/// A small copy without metadata.
fn data_uri(picture: &DynamicImage) -> Result<String> {
    let unwritten = |error: image::ImageError| {
        Error::new(ErrorKind::InvalidData, format!("cannot be made smaller: {error}"))
            .with_source(error)
    };
    let mut bytes = Cursor::new(Vec::new());
    let kind = if picture.width().max(picture.height()) <= SMALL {
        picture.write_to(&mut bytes, ImageFormat::Png).map_err(unwritten)?;
        "png"
    } else {
        // JPEG has no transparency.
        let small = picture.thumbnail(SIDE, SIDE).to_rgb8();
        JpegEncoder::new_with_quality(&mut bytes, 80).encode_image(&small).map_err(unwritten)?;
        "jpeg"
    };
    Ok(format!("data:image/{kind};base64,{}", STANDARD.encode(bytes.get_ref())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbnails_are_small() {
        let large = data_uri(&DynamicImage::new_rgba8(3000, 20)).unwrap();
        assert!(large.starts_with("data:image/jpeg;base64,") && large.len() < 2_000);
        let digit = data_uri(&DynamicImage::new_luma8(28, 28)).unwrap();
        assert!(digit.starts_with("data:image/png;base64,iVBORw0KGgo"));
    }
}
