//! The temporal gate for video: has the picture changed since the last frame
//! that was looked at?
//!
//! Decides whether an earlier answer may be given again. It compares with the
//! last frame that networks saw, not with the one before, so that slow change
//! adds up. Called by [`engine`](crate::engine) before the cascade, and only
//! where an app asks for it. Nothing is allocated.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::frame::{FrameView, PixelFormat, Rect, Rotation, YuvEncoding};

/// The side of the grid of points in each direction.
const GRID: usize = 16;
/// The points that are averaged in each cell, in each direction.
const POINTS: usize = 2;

/// When an earlier answer is good enough.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateOptions {
    /// The largest mean difference of brightness over the picture, 0 to 255.
    pub mean_difference: f32,
    /// The largest difference of any of its 256 cells, 0 to 255: something small
    /// that moves.
    pub cell_difference: u8,
    /// How old the answer may be.
    pub max_age_ms: u64,
}

impl Default for GateOptions {
    fn default() -> Self {
        GateOptions { mean_difference: 2.0, cell_difference: 24, max_age_ms: 1_000 }
    }
}

impl GateOptions {
    /// Checks every field.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] that names the field, its value and the
    /// limit.
    pub fn validate(&self) -> Result<()> {
        let value = self.mean_difference;
        if (0.0..=255.0).contains(&value) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("gate.mean_difference is {value}: it must be 0 to 255"),
        ))
    }
}

/// What a frame looks like from far away: the brightness of 16 by 16 cells, and
/// how the frame lies in its buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    cells: [u8; GRID * GRID],
    format: PixelFormat,
    rotation: Rotation,
    crop: Rect,
    yuv: YuvEncoding,
}

impl Signature {
    /// Looks at four points in each cell of the cropped frame: at their luma where
    /// the frame has it.
    #[must_use]
    pub fn of(frame: &FrameView<'_>) -> Self {
        let crop = frame.crop();
        let plane = frame.planes()[0];
        let steps = GRID * POINTS;
        // The middle of each of `steps` equal parts.
        let place = |start: u32, length: u32, step: usize| {
            start as usize + (2 * step + 1) * length as usize / (2 * steps)
        };
        let columns: [usize; GRID * POINTS] =
            std::array::from_fn(|step| place(crop.x, crop.width, step) * plane.pixel_stride);
        let is_colour = frame.format().bytes_per_pixel() >= 3;
        let mut cells = [0u8; GRID * GRID];
        for (row, cells) in cells.chunks_exact_mut(GRID).enumerate() {
            let mut sums = [0u16; GRID];
            for point in 0..POINTS {
                let y = place(crop.y, crop.height, row * POINTS + point);
                let line = &plane.data[y * plane.row_stride..];
                for (column, at) in columns.iter().enumerate() {
                    let brightness = if is_colour {
                        // Red and blue weigh the same, so their order is no matter.
                        let [first, green, last] = [0, 1, 2].map(|c| u16::from(line[at + c]));
                        (first + 2 * green + last) / 4
                    } else {
                        u16::from(line[*at])
                    };
                    sums[column / POINTS] += brightness;
                }
            }
            for (cell, sum) in cells.iter_mut().zip(sums) {
                *cell = (sum / (POINTS * POINTS) as u16) as u8;
            }
        }
        Signature {
            cells,
            format: frame.format(),
            rotation: frame.rotation(),
            crop,
            yuv: frame.yuv_encoding(),
        }
    }

    /// Whether `other` shows nearly the same.
    #[must_use]
    pub fn is_like(&self, other: &Signature, options: &GateOptions) -> bool {
        let lies = |of: &Signature| (of.format, of.rotation, of.crop, of.yuv);
        if lies(self) != lies(other) {
            return false;
        }
        let (mut sum, mut largest) = (0u32, 0u8);
        for (a, b) in self.cells.iter().zip(other.cells) {
            let difference = a.abs_diff(b);
            sum += u32::from(difference);
            largest = largest.max(difference);
        }
        let mean = sum as f32 / self.cells.len() as f32;
        mean <= options.mean_difference && largest <= options.cell_difference
    }
}

/// Remembers the last frame that networks saw, and its answer.
#[derive(Debug, Clone)]
pub struct TemporalGate<A> {
    options: GateOptions,
    last: Option<(Signature, u64, A)>,
}

impl<A> TemporalGate<A> {
    /// A gate that has seen nothing.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] as [`GateOptions::validate`].
    pub fn new(options: GateOptions) -> Result<Self> {
        options.validate()?;
        Ok(TemporalGate { options, last: None })
    }

    /// The answer that may be given again for a frame that looks like `now`.
    /// Never after the clock went backwards.
    #[must_use]
    pub fn answer(&self, now: &Signature, at_ms: u64) -> Option<&A> {
        let (last, then_ms, answer) = self.last.as_ref()?;
        let age_ms = at_ms.checked_sub(*then_ms)?;
        let good = age_ms <= self.options.max_age_ms && last.is_like(now, &self.options);
        good.then_some(answer)
    }

    /// Remembers a frame that networks saw.
    pub fn remember(&mut self, signature: Signature, at_ms: u64, answer: A) {
        self.last = Some((signature, at_ms, answer));
    }

    /// Forgets it, for instance because the threshold has risen since.
    pub fn forget(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Plane;

    fn gray(pixels: &[u8], side: u32) -> FrameView<'_> {
        FrameView::packed(PixelFormat::Gray8, side, side, pixels, side as usize).unwrap()
    }

    fn signature(pixels: &[u8], side: u32) -> Signature {
        Signature::of(&gray(pixels, side))
    }

    #[test]
    fn slow_change_adds_up_and_answers_age() {
        let mut gate = TemporalGate::new(GateOptions::default()).unwrap();
        gate.remember(signature(&[100; 1024], 32), 1_000, "cat");
        assert_eq!(gate.answer(&signature(&[101; 1024], 32), 1_100), Some(&"cat"));
        assert_eq!(gate.answer(&signature(&[102; 1024], 32), 2_000), Some(&"cat"));
        assert_eq!(gate.answer(&signature(&[103; 1024], 32), 1_200), None, "three steps of one");
        assert_eq!(gate.answer(&signature(&[100; 1024], 32), 2_001), None, "too old");
        assert_eq!(gate.answer(&signature(&[100; 1024], 32), 999), None, "the clock went back");
        gate.forget();
        assert_eq!(gate.answer(&signature(&[100; 1024], 32), 1_000), None);
    }

    #[test]
    fn something_small_that_moves_is_seen() {
        let options = GateOptions::default();
        let still = signature(&[50; 64 * 64], 64);
        let mut pixels = [50u8; 64 * 64];
        for (y, x) in (0..6).flat_map(|y| (0..6).map(move |x| (y, x))) {
            pixels[(20 + y) * 64 + 20 + x] = 200;
        }
        assert!(!signature(&pixels, 64).is_like(&still, &options));
        let blind = GateOptions { cell_difference: 255, ..options };
        assert!(signature(&pixels, 64).is_like(&still, &blind), "the mean does not see it");
    }

    #[test]
    fn another_crop_or_turn_is_another_picture() {
        let pixels = [9u8; 1024];
        let options = GateOptions::default();
        let upright = gray(&pixels, 32);
        let turned = upright.with_rotation(Rotation::Half);
        let crop = Rect { x: 1, y: 0, width: 31, height: 32 };
        let cropped = upright.with_crop(crop).unwrap();
        for other in [turned, cropped] {
            assert!(!Signature::of(&other).is_like(&Signature::of(&upright), &options));
        }
    }

    #[test]
    fn every_frame_that_can_be_has_a_signature() {
        for format in
            [PixelFormat::Gray8, PixelFormat::Rgb8, PixelFormat::Rgba8, PixelFormat::Bgra8]
        {
            for (width, height) in [(1u32, 1u32), (1, 50), (50, 1), (17, 33), (640, 4)] {
                let stride = width as usize * format.bytes_per_pixel();
                // The last row ends with its last pixel.
                let pixels = vec![77; (stride + 5) * (height as usize - 1) + stride];
                let frame = FrameView::packed(format, width, height, &pixels, stride + 5).unwrap();
                assert!(Signature::of(&frame).cells.iter().all(|cell| *cell == 77));
            }
        }
    }

    #[test]
    fn the_brightness_of_a_yuv_frame_is_its_luma() {
        let (luma, chroma) = ([90u8; 32 * 32], [3u8; 16 * 32]);
        let plane = Plane { data: &luma, row_stride: 32, pixel_stride: 1 };
        let pairs = Plane { data: &chroma, row_stride: 32, pixel_stride: 2 };
        for (format, planes) in [
            (PixelFormat::Nv12, &[plane, pairs][..]),
            (PixelFormat::Nv21, &[plane, pairs]),
            (PixelFormat::Yuv420, &[plane, pairs, pairs]),
        ] {
            let frame = FrameView::new(format, 32, 32, planes).unwrap();
            assert_eq!(Signature::of(&frame).cells, [90; 256]);
        }
    }

    #[test]
    fn a_bad_limit_is_named() {
        let options = GateOptions { mean_difference: f32::NAN, ..GateOptions::default() };
        let error = TemporalGate::<()>::new(options).unwrap_err().to_string();
        assert!(error.contains("gate.mean_difference is NaN"), "{error}");
    }
}
