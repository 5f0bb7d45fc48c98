//! One decoded image file.

use std::path::Path;

use biglittle::{Error, ErrorKind, FrameView, PixelFormat, Result};
use image::{DynamicImage, ImageDecoder, ImageReader};

use super::cannot_read;

/// The pixels of a PNG or JPEG file, turned upright as its EXIF data says.
#[derive(Debug)]
pub struct Picture(DynamicImage);

impl Picture {
    pub fn open(path: &Path) -> Result<Self> {
        let reader = ImageReader::open(path)
            .and_then(ImageReader::with_guessed_format)
            .map_err(|error| cannot_read(path, error))?;
        let decode = || {
            let mut decoder = reader.into_decoder()?;
            let orientation = decoder.orientation()?;
            let mut image = DynamicImage::from_decoder(decoder)?;
            image.apply_orientation(orientation);
            Ok(image)
        };
        let image = decode().map_err(|error: image::ImageError| {
            Error::new(
                ErrorKind::InvalidData,
                format!("{}: is not a PNG or JPEG that can be decoded: {error}", path.display()),
            )
            .with_source(error)
        })?;
        Ok(Picture(match image {
            DynamicImage::ImageLuma8(_)
            | DynamicImage::ImageRgb8(_)
            | DynamicImage::ImageRgba8(_) => image,
            DynamicImage::ImageLuma16(_) | DynamicImage::ImageLumaA8(_) => image.to_luma8().into(),
            other => other.to_rgb8().into(),
        }))
    }

    pub fn frame(&self) -> Result<FrameView<'_>> {
        let (width, height) = (self.0.width(), self.0.height());
        let format = match &self.0 {
            DynamicImage::ImageLuma8(_) => PixelFormat::Gray8,
            DynamicImage::ImageRgba8(_) => PixelFormat::Rgba8,
            _ => PixelFormat::Rgb8,
        };
        let stride = width as usize * format.bytes_per_pixel();
        FrameView::packed(format, width, height, self.0.as_bytes(), stride)
    }
}
