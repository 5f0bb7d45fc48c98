//! Which images are for ranges, and which for judging.

use std::collections::HashSet;

use biglittle::calibrate::{Split, SplitSpec};
use biglittle::preprocess::{PreprocessSpec, Preprocessor};
use biglittle::{Error, ErrorKind, InputTensor, Result};

use crate::data::DataSet;

/// The fewest images that ranges are taken from: with fewer, what a tensor holds is
/// guessed more than known.
pub const LEAST_IMAGES: usize = 64;

/// The images of a data set in two parts.
#[derive(Debug)]
pub struct Sets<'a> {
    data: &'a DataSet,
    /// For ranges: of the tuning split, since the others have to stay unseen for
    /// the certificate.
    pub for_ranges: Vec<usize>,
    /// All others.
    pub for_judging: Vec<usize>,
}

impl<'a> Sets<'a> {
    /// Takes up to `most` images of the tuning split for ranges, in the order of
    /// their hashes, which is no order of classes or days. Of copies of an image one
    /// counts, for either part.
    pub fn divide(data: &'a DataSet, split: &SplitSpec, most: usize) -> Result<Self> {
        split.validate()?;
        let (mut tuning, mut seen, mut distinct) = (Vec::new(), HashSet::new(), Vec::new());
        for index in 0..data.len() {
            let (_, sum) = data.sample_and_sha256(index)?;
            if !seen.insert(sum.clone()) {
                continue;
            }
            distinct.push(index);
            let key = data.group(index).unwrap_or(&sum);
            if split.assign(key.as_bytes()) == Split::Tune {
                tuning.push((sum, index));
            }
        }
        tuning.sort();
        let found = tuning.len().min(most);
        if found < LEAST_IMAGES {
            return Err(Error::new(
                ErrorKind::InvalidData,
                format!(
                    "at least {LEAST_IMAGES} images are needed for ranges, but there are {found}: of \
                     the {} different ones in the data, {} are for tuning and --images allows \
                     {most}; add images, or raise --images or the first number of --split",
                    distinct.len(),
                    tuning.len()
                ),
            ));
        }
        let mut for_ranges: Vec<usize> =
            tuning.into_iter().take(most).map(|(_, index)| index).collect();
        for_ranges.sort_unstable();
        let is_left = |index: &usize| for_ranges.binary_search(index).is_err();
        let for_judging: Vec<usize> = distinct.into_iter().filter(is_left).collect();
        if for_judging.is_empty() {
            return Err(Error::new(
                ErrorKind::InvalidData,
                format!(
                    "all {} images would be for ranges, and none to judge the result on: lower \
                     --images or the first number of --split",
                    for_ranges.len()
                ),
            ));
        }
        Ok(Sets { data, for_ranges, for_judging })
    }

    pub fn data(&self) -> &'a DataSet {
        self.data
    }

    /// The images for ranges in the size of an input.
    pub fn pixels(&self, input: &PreprocessSpec) -> Result<Vec<InputTensor<u8>>> {
        let mut preprocessor = Preprocessor::new(input)?;
        let pixels = |index: &usize| {
            let sample = self.data.sample(*index)?;
            let mut pixels = input.make_tensor()?;
            preprocessor.run_bytes(&sample.frame()?, &mut pixels)?;
            Ok(pixels)
        };
        self.for_ranges.iter().map(pixels).collect()
    }
}
