//! Which rectangle of the buffer lands where in the input: crop, fit and
//! rotation, in whole pixels. Moves no pixel itself.

use super::spec::{Fit, PreprocessSpec};
use crate::frame::{FrameView, Rect, Rotation};

/// The way of one frame into one input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Geometry {
    /// The part of the buffer to resize, in buffer coordinates.
    pub source: Rect,
    /// The size it is resized to, in the buffer's orientation.
    pub resized: (u32, u32),
    /// Which of the buffer's axes (columns, rows) run backwards in the upright
    /// image.
    pub reversed: (bool, bool),
    /// Whether the buffer's rows are the upright image's columns.
    pub transposed: bool,
    /// Where the upright result lies in the input; all of it unless padded.
    pub target: Rect,
}

impl Geometry {
    pub fn new(frame: &FrameView<'_>, spec: &PreprocessSpec) -> Geometry {
        let crop = frame.crop();
        let upright = upright_size(crop, frame.rotation());
        let input = (spec.width, spec.height);
        let whole = Rect { x: 0, y: 0, width: upright.0, height: upright.1 };
        let full = Rect { x: 0, y: 0, width: input.0, height: input.1 };
        let (taken, target) = match spec.fit {
            Fit::Stretch => (whole, full),
            Fit::CenterCrop { fraction } => (center_crop(upright, input, fraction), full),
            Fit::Pad { .. } => (whole, letterbox(upright, input)),
        };
        let source = to_buffer(taken, crop, frame.rotation());
        let transposed = frame.rotation().swaps_sides();
        let resized =
            if transposed { (target.height, target.width) } else { (target.width, target.height) };
        let reversed = match frame.rotation() {
            Rotation::None => (false, false),
            Rotation::Clockwise90 => (false, true),
            Rotation::Half => (true, true),
            Rotation::Clockwise270 => (true, false),
        };
        Geometry { source, resized, reversed, transposed, target }
    }
}

fn upright_size(crop: Rect, rotation: Rotation) -> (u32, u32) {
    if rotation.swaps_sides() { (crop.height, crop.width) } else { (crop.width, crop.height) }
}

/// The largest rectangle of the input's aspect ratio inside `upright`, shrunk
/// by `fraction`: sides rounded down, offsets rounded up.
fn center_crop(upright: (u32, u32), input: (u32, u32), fraction: f32) -> Rect {
    let (width, height) = (f64::from(upright.0), f64::from(upright.1));
    let (input_width, input_height) = (f64::from(input.0), f64::from(input.1));
    let scale = (width / input_width).min(height / input_height) * f64::from(fraction);
    // The tiny lift keeps exact products such as 0.875 * 224 from falling one
    // short by rounding.
    let side = |length: f64, limit: u32| ((length * scale + 1e-6) as u32).clamp(1, limit);
    let (width, height) = (side(input_width, upright.0), side(input_height, upright.1));
    Rect { x: (upright.0 - width).div_ceil(2), y: (upright.1 - height).div_ceil(2), width, height }
}

/// Where the whole of `upright` lies in the input when its aspect ratio is kept.
fn letterbox(upright: (u32, u32), input: (u32, u32)) -> Rect {
    let scale =
        (f64::from(input.0) / f64::from(upright.0)).min(f64::from(input.1) / f64::from(upright.1));
    let side =
        |length: u32, limit: u32| ((f64::from(length) * scale).round() as u32).clamp(1, limit);
    let (width, height) = (side(upright.0, input.0), side(upright.1, input.1));
    Rect { x: (input.0 - width) / 2, y: (input.1 - height) / 2, width, height }
}

/// A rectangle of the upright image in the coordinates of the buffer.
fn to_buffer(upright: Rect, crop: Rect, rotation: Rotation) -> Rect {
    let Rect { x, y, width, height } = upright;
    let (left, top, columns, rows) = match rotation {
        Rotation::None => (x, y, width, height),
        Rotation::Clockwise90 => (y, crop.height - x - width, height, width),
        Rotation::Half => (crop.width - x - width, crop.height - y - height, width, height),
        Rotation::Clockwise270 => (crop.width - y - height, x, height, width),
    };
    Rect { x: crop.x + left, y: crop.y + top, width: columns, height: rows }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{FrameView, PixelFormat};
    use crate::preprocess::{ChannelOrder, ResizeFilter};
    use proptest::prelude::*;

    fn spec(width: u32, height: u32, fit: Fit) -> PreprocessSpec {
        PreprocessSpec {
            width,
            height,
            channels: ChannelOrder::Gray,
            fit,
            filter: ResizeFilter::Bilinear,
            antialias: true,
            mean: vec![0.0],
            std: vec![1.0],
        }
    }

    #[test]
    fn center_crop_follows_the_documented_rounding() {
        // TensorFlow: int(224 / 256 * 299) = 261, offset (299 - 261 + 1) // 2 = 19.
        assert_eq!(
            center_crop((299, 299), (224, 224), 0.875),
            Rect { x: 19, y: 19, width: 261, height: 261 }
        );
        assert_eq!(
            center_crop((640, 480), (224, 224), 1.0),
            Rect { x: 80, y: 0, width: 480, height: 480 }
        );
        assert_eq!(center_crop((1, 1), (9, 9), 0.01), Rect { x: 0, y: 0, width: 1, height: 1 });
    }

    #[test]
    fn letterbox_centres_the_whole_frame() {
        assert_eq!(
            letterbox((640, 480), (224, 224)),
            Rect { x: 0, y: 28, width: 224, height: 168 }
        );
        assert_eq!(letterbox((1, 30_000), (8, 8)), Rect { x: 3, y: 0, width: 1, height: 8 });
    }

    proptest! {
        #[test]
        fn rectangles_stay_inside_for_any_frame(
            width in 1u32..300, height in 1u32..300, input in (1u32..64, 1u32..64),
            fraction in 0.001f32..=1.0, kind in 0..3, turns in 0i32..4,
        ) {
            let bytes = vec![0u8; (width * height) as usize];
            let frame = FrameView::packed(PixelFormat::Gray8, width, height, &bytes, width as usize)
                .unwrap()
                .with_rotation(Rotation::from_degrees(turns * 90).unwrap());
            let fit = match kind {
                0 => Fit::Stretch,
                1 => Fit::CenterCrop { fraction },
                _ => Fit::Pad { value: 0 },
            };
            let g = Geometry::new(&frame, &spec(input.0, input.1, fit));
            prop_assert!(g.source.width > 0 && g.source.x + g.source.width <= width);
            prop_assert!(g.source.height > 0 && g.source.y + g.source.height <= height);
            prop_assert!(g.target.width > 0 && g.target.x + g.target.width <= input.0);
            prop_assert!(g.target.height > 0 && g.target.y + g.target.height <= input.1);
        }
    }
}
