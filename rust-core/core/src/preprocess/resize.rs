//! Resampling, by `fast_image_resize`, straight from the borrowed frame where
//! its rows allow it. Knows nothing of colour order or normalisation.

use fast_image_resize::images::{CroppedImage, Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::colour::YuvToRgb;
use super::geometry::Geometry;
use super::spec::ResizeFilter;
use crate::error::{Error, ErrorKind, Result};
use crate::frame::{FrameView, PixelFormat, Plane, Rect};

/// A resized image, still in the frame's format and orientation.
pub(super) struct Pixels<'a> {
    pub format: PixelFormat,
    pub width: usize,
    pub data: &'a [u8],
}

#[derive(Debug)]
pub(super) struct FrameResizer {
    resizer: Resizer,
    algorithm: ResizeAlg,
    gathered: Vec<u8>,
    resized: Vec<u8>,
}

impl FrameResizer {
    pub fn new(filter: ResizeFilter, antialias: bool) -> Self {
        let filter = match filter {
            ResizeFilter::Nearest => None,
            ResizeFilter::Box => Some(FilterType::Box),
            ResizeFilter::Bilinear => Some(FilterType::Bilinear),
            ResizeFilter::Bicubic => Some(FilterType::CatmullRom),
            ResizeFilter::Lanczos3 => Some(FilterType::Lanczos3),
        };
        let algorithm = match filter {
            None => ResizeAlg::Nearest,
            Some(filter) if antialias => ResizeAlg::Convolution(filter),
            Some(filter) => ResizeAlg::Interpolation(filter),
        };
        FrameResizer {
            resizer: Resizer::new(),
            algorithm,
            gathered: Vec::new(),
            resized: Vec::new(),
        }
    }

    fn resize_yuv(&mut self, frame: &FrameView<'_>, geometry: &Geometry) -> Result<Pixels<'_>> {
        let Rect { width, height, .. } = geometry.source;
        let rgb = convert(frame, geometry.source);
        let rgb = FrameView::packed(PixelFormat::Rgb8, width, height, &rgb, 3 * width as usize)?;
        let source = rgb.crop();
        self.resize(&rgb, &Geometry { source, ..*geometry })
    }

    pub fn resize(&mut self, frame: &FrameView<'_>, geometry: &Geometry) -> Result<Pixels<'_>> {
        if frame.format().is_yuv() {
            return self.resize_yuv(frame, geometry);
        }
        let format = frame.format();
        let plane = frame.planes()[0];
        let Geometry { source, resized: (width, height), .. } = *geometry;
        if (source.width, source.height) == (width, height) {
            gather(&plane, format, source, &mut self.gathered);
            return Ok(Pixels { format, width: width as usize, data: &self.gathered });
        }
        let bytes = format.bytes_per_pixel();
        self.resized.resize(width as usize * height as usize * bytes, 0);
        let pixel_type = match bytes {
            1 => PixelType::U8,
            3 => PixelType::U8x3,
            _ => PixelType::U8x4,
        };
        let mut target =
            Image::from_slice_u8(width, height, &mut self.resized, pixel_type).map_err(refused)?;
        let (borrowed, crop) = match borrow(frame, &plane) {
            Some((image_width, data)) => ((image_width, frame.height(), data), source),
            None => {
                gather(&plane, format, source, &mut self.gathered);
                let whole = Rect { x: 0, y: 0, ..source };
                ((source.width, source.height, &self.gathered[..]), whole)
            }
        };
        let (image_width, image_height, data) = borrowed;
        let image = ImageRef::new(image_width, image_height, data, pixel_type).map_err(refused)?;
        // A view, not the resizer's own crop: that one lets pixels outside the
        // crop shine in at its edges.
        let image =
            CroppedImage::new(&image, crop.x, crop.y, crop.width, crop.height).map_err(refused)?;
        let options = ResizeOptions::new().resize_alg(self.algorithm).use_alpha(false);
        self.resizer.resize(&image, &mut target, &options).map_err(refused)?;
        Ok(Pixels { format, width: width as usize, data: &self.resized })
    }
}

/// The pixels of `source`, converted.
fn convert(frame: &FrameView<'_>, source: Rect) -> Vec<u8> {
    let to_rgb = YuvToRgb::new(frame.yuv_encoding());
    let planes = frame.planes();
    let at = |plane: &Plane<'_>, x: usize, y: usize| y * plane.row_stride + x * plane.pixel_stride;
    let mut rgb = Vec::with_capacity(3 * source.width as usize * source.height as usize);
    for y in source.y as usize..(source.y + source.height) as usize {
        for x in source.x as usize..(source.x + source.width) as usize {
            let luma = planes[0].data[at(&planes[0], x, y)];
            let chroma = at(&planes[1], x / 2, y / 2);
            let (cb, cr) = match frame.format() {
                PixelFormat::Nv12 => (planes[1].data[chroma], planes[1].data[chroma + 1]),
                PixelFormat::Nv21 => (planes[1].data[chroma + 1], planes[1].data[chroma]),
                _ => (planes[1].data[chroma], planes[2].data[at(&planes[2], x / 2, y / 2)]),
            };
            rgb.extend_from_slice(&to_rgb.rgb(luma, cb, cr));
        }
    }
    rgb
}

/// The plane as an image of whole pixels whose extra columns are the rows'
/// padding, or nothing where its strides or its last row do not allow that.
fn borrow<'a>(frame: &FrameView<'_>, plane: &Plane<'a>) -> Option<(u32, &'a [u8])> {
    let bytes = frame.format().bytes_per_pixel();
    let columns = frame.width() as usize;
    if plane.pixel_stride != bytes
        || !plane.row_stride.is_multiple_of(bytes)
        || plane.row_stride / bytes < columns
    {
        return None;
    }
    let length = plane.row_stride.checked_mul(frame.height() as usize)?;
    let data = plane.data.get(..length)?;
    Some((u32::try_from(plane.row_stride / bytes).ok()?, data))
}

/// Copies `source` out of a plane with any strides, pixel beside pixel.
fn gather(plane: &Plane<'_>, format: PixelFormat, source: Rect, out: &mut Vec<u8>) {
    let bytes = format.bytes_per_pixel();
    let columns = source.width as usize;
    out.clear();
    for row in source.y as usize..(source.y + source.height) as usize {
        let start = row * plane.row_stride + source.x as usize * plane.pixel_stride;
        if plane.pixel_stride == bytes {
            out.extend_from_slice(&plane.data[start..start + columns * bytes]);
        } else {
            for column in 0..columns {
                let pixel = start + column * plane.pixel_stride;
                out.extend_from_slice(&plane.data[pixel..pixel + bytes]);
            }
        }
    }
}

fn refused(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::InvalidFrame, format!("the frame could not be resized: {error}"))
        .with_source(error)
}
