//! What the values of a network's tensors are on calibration images: their means
//! by channel, least and largest, and ranges that leave rare ones out.

use std::sync::Arc;

use biglittle_kernels::{DataLayout, Graph, Model, Options, Session, TensorView};

use super::super::table::RangeMethod;
use super::Images;
use super::refused;
use crate::error::{Error, ErrorKind, Result};

/// Columns of the histogram between a tensor's least and largest value.
const COLUMNS: usize = 4096;

/// A float32 network that shows its tensors.
pub(super) struct Observer {
    session: Session,
    values: usize,
    output: Vec<f32>,
}

impl Observer {
    pub(super) fn new(graph: &Graph, input_layout: DataLayout) -> Result<Observer> {
        let options = Options { input_layout, ..Options::default() };
        let model = Model::compile_observed(graph.clone(), &options).map_err(refused)?;
        let output = vec![0.0; model.output_shape().len()];
        Ok(Observer {
            session: Session::new(Arc::new(model)),
            values: graph.values().count(),
            output,
        })
    }

    /// Runs all images; `observe` gets each tensor's number and its values.
    fn each(
        &mut self,
        images: &mut Images<'_>,
        observe: &mut dyn FnMut(usize, TensorView<'_>),
    ) -> Result<u64> {
        let mut count = 0;
        let Observer { session, output, .. } = self;
        let expected = session.model().input_shape().len();
        images(&mut |image| {
            count += 1;
            if image.len() != expected {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!(
                        "calibration image {count} has {} values, but the network's input has \
                         {expected}",
                        image.len()
                    ),
                ));
            }
            if let Some(value) = image.iter().find(|value| !value.is_finite()) {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("calibration image {count} holds {value}: all values must be finite"),
                ));
            }
            let mut number = 0;
            let observe = &mut |_, view: TensorView<'_>| {
                observe(number, view);
                number += 1;
            };
            session.run_observed(image, output, observe).map_err(refused)
        })?;
        Ok(count)
    }

    /// The mean of each channel of each tensor, and the number of images.
    pub(super) fn means(&mut self, images: &mut Images<'_>) -> Result<(Vec<Vec<f64>>, u64)> {
        let mut sums: Vec<Vec<f64>> = vec![vec![]; self.values];
        let count = self.each(images, &mut |number, view| {
            let shape = view.shape();
            let share = 1.0 / (shape.h * shape.w) as f64;
            let sums = &mut sums[number];
            sums.resize(shape.c, 0.0);
            for pixel in view.pixels() {
                for (sum, &value) in sums.iter_mut().zip(pixel) {
                    *sum += f64::from(value) * share;
                }
            }
        })?;
        sums.iter_mut().flatten().for_each(|sum| *sum /= count.max(1) as f64);
        Ok((sums, count))
    }

    /// The range of each tensor.
    pub(super) fn ranges(
        &mut self,
        images: &mut Images<'_>,
        method: RangeMethod,
    ) -> Result<Vec<[f32; 2]>> {
        let mut ranges = vec![[f32::INFINITY, f32::NEG_INFINITY]; self.values];
        let mut finite = true;
        self.each(images, &mut |number, view| {
            let [low, high] = &mut ranges[number];
            for &value in view.pixels().flatten() {
                finite &= value.is_finite();
                *low = low.min(value);
                *high = high.max(value);
            }
        })?;
        if !finite {
            return Err(refused(
                "it computes values that are not finite from the calibration images",
            ));
        }
        let RangeMethod::LeaveOut(share) = method else { return Ok(ranges) };
        let mut histograms = vec![vec![0u64; COLUMNS]; self.values];
        self.each(images, &mut |number, view| {
            let ([low, high], histogram) = (ranges[number], &mut histograms[number]);
            let columns = COLUMNS as f32 / (high - low).max(f32::MIN_POSITIVE);
            for &value in view.pixels().flatten() {
                histogram[(((value - low) * columns) as usize).min(COLUMNS - 1)] += 1;
            }
        })?;
        let ranges = ranges.into_iter().zip(&histograms);
        Ok(ranges.map(|(range, histogram)| trimmed(range, histogram, share)).collect())
    }
}

/// A range without the columns at its ends that together hold at most this share
/// of the values each.
fn trimmed([low, high]: [f32; 2], histogram: &[u64], share: f64) -> [f32; 2] {
    let total: u64 = histogram.iter().sum();
    let most = (total as f64 * share) as u64;
    let empty = |columns: &mut dyn Iterator<Item = &u64>| {
        let mut sum = 0;
        columns
            .take_while(|&&count| {
                sum += count;
                sum <= most
            })
            .count()
    };
    let width = (high - low) / histogram.len() as f32;
    let first = empty(&mut histogram.iter());
    let last = empty(&mut histogram.iter().rev());
    // Whatever is left out on one side stays in reach of the other.
    let last = last.min(histogram.len() - 1 - first.min(histogram.len() - 1));
    [low + width * first as f32, high - width * last as f32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_values_at_either_end_are_left_out() {
        let mut histogram = vec![0; 100];
        (histogram[0], histogram[50], histogram[51], histogram[99]) = (1, 500, 498, 1);
        let range = |share| trimmed([-1.0, 1.0], &histogram, share);
        assert_eq!(range(0.0), [-1.0, 1.0]);
        assert_eq!(range(0.0009), [-1.0, 1.0]);
        let [low, high] = range(0.001);
        assert!(low.abs() < 1e-6 && (high - 0.04).abs() < 1e-6, "{low} {high}");
        // Where a share is larger than any column, something stays.
        let [low, high] = trimmed([0.0, 1.0], &[3, 3], 0.5);
        assert!(low <= high, "{low} {high}");
    }
}
