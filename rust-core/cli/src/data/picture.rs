//! One decoded image file.

use std::io::Cursor;
use std::path::Path;

use biglittle::bundle::sha256_hex;
use biglittle::frame::MAX_FRAME_SIDE;
use biglittle::{Error, ErrorKind, FrameView, PixelFormat, Result};
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits};

use super::invalid;
use crate::files;

/// The most bytes of a file, and of its pixels once decoded: 268 million pixels
/// in RGB.
const MAX_BYTES: u64 = 768 << 20;

/// The pixels of a PNG or JPEG file, turned upright as its EXIF data says.
#[derive(Debug)]
pub struct Picture(DynamicImage);

impl Picture {
    pub fn open(path: &Path) -> Result<Self> {
        files::read(path, MAX_BYTES, ErrorKind::InvalidData)
            .and_then(|bytes| Picture::decode(&bytes))
            .map_err(|error| error.context(path.display()))
    }

    /// The picture, and the SHA-256 of its file.
    pub fn open_with_sha256(path: &Path) -> Result<(Self, String)> {
        files::read(path, MAX_BYTES, ErrorKind::InvalidData)
            .and_then(|bytes| Ok((Picture::decode(&bytes)?, sha256_hex(&bytes))))
            .map_err(|error| error.context(path.display()))
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let undecodable = |error: ImageError| {
            invalid(format!("is not a PNG or JPEG that can be decoded: {error}")).with_source(error)
        };
        let reader = ImageReader::new(Cursor::new(bytes))
            .with_guessed_format()
            .map_err(ImageError::from)
            .map_err(undecodable)?;
        let mut decoder = reader.into_decoder().map_err(undecodable)?;
        check_size(decoder.dimensions(), decoder.total_bytes())?;
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(2 * MAX_BYTES);
        decoder.set_limits(limits).map_err(undecodable)?;
        let orientation = decoder.orientation().map_err(undecodable)?;
        let mut image = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
        image.apply_orientation(orientation);
        Ok(Picture(match image {
            DynamicImage::ImageLuma8(_)
            | DynamicImage::ImageRgb8(_)
            | DynamicImage::ImageRgba8(_) => image,
            DynamicImage::ImageLuma16(_) | DynamicImage::ImageLumaA8(_) => image.to_luma8().into(),
            other => other.to_rgb8().into(),
        }))
    }

    /// The number of bytes that the pixels take.
    pub fn bytes(&self) -> usize {
        self.0.as_bytes().len()
    }

    pub fn into_image(self) -> DynamicImage {
        self.0
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

/// Refuses by what the header says, before memory is taken for pixels.
fn check_size((width, height): (u32, u32), bytes: u64) -> Result<(), Error> {
    if width.max(height) > MAX_FRAME_SIDE {
        return Err(invalid(format!(
            "has {width} x {height} pixels: a side may have at most {MAX_FRAME_SIDE}: make it \
             smaller"
        )));
    }
    if bytes > MAX_BYTES {
        return Err(invalid(format!(
            "has {width} x {height} pixels in {bytes} bytes: at most {MAX_BYTES} are decoded: \
             make it smaller"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The start of an RGBA PNG of this size, as far as its pixels.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut header = b"IHDR".to_vec();
        header.extend(width.to_be_bytes());
        header.extend(height.to_be_bytes());
        header.extend([8, 6, 0, 0, 0]);
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
        bytes.extend(&header);
        let mut sum = flate2::Crc::new();
        sum.update(&header);
        bytes.extend(sum.sum().to_be_bytes());
        bytes.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e\0\0\0\0IEND\xae\x42\x60\x82");
        bytes
    }

    #[test]
    fn every_kind_of_pixel_becomes_a_frame() {
        use image::{ColorType, ImageFormat};
        let image = |color| DynamicImage::new(6, 4, color);
        for (image, format, expected) in [
            (image(ColorType::L8), ImageFormat::Png, PixelFormat::Gray8),
            (image(ColorType::La8), ImageFormat::Png, PixelFormat::Gray8),
            (image(ColorType::L16), ImageFormat::Png, PixelFormat::Gray8),
            (image(ColorType::Rgb8), ImageFormat::Png, PixelFormat::Rgb8),
            (image(ColorType::Rgba8), ImageFormat::Png, PixelFormat::Rgba8),
            (image(ColorType::Rgb16), ImageFormat::Png, PixelFormat::Rgb8),
            (image(ColorType::L8), ImageFormat::Jpeg, PixelFormat::Gray8),
            (image(ColorType::Rgb8), ImageFormat::Jpeg, PixelFormat::Rgb8),
        ] {
            let mut bytes = Cursor::new(Vec::new());
            image.write_to(&mut bytes, format).unwrap();
            let picture = Picture::decode(bytes.get_ref()).unwrap();
            assert!(picture.frame().is_ok());
            assert_eq!(picture.bytes(), 6 * 4 * expected.bytes_per_pixel(), "{image:?} {format:?}");
        }
    }

    #[test]
    fn sizes_are_refused_by_the_header() {
        let refused = |bytes: &[u8], words: &str| {
            let text = Picture::decode(bytes).unwrap_err().to_string();
            assert!(text.contains(words), "{text}");
        };
        refused(
            &png(30_000, 30_000),
            "30000 x 30000 pixels in 3600000000 bytes: at most 805306368",
        );
        refused(&png(40_000, 1), "40000 x 1 pixels: a side may have at most 32768");
        refused(&png(1, u32::MAX >> 1), "at most 32768");
        // Nothing wrong with the size, but there are no pixels.
        refused(&png(28, 28), "is not a PNG or JPEG that can be decoded");
        refused(b"", "is not a PNG or JPEG");
    }
}
