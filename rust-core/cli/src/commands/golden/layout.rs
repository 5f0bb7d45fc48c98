//! A picture in the layout in which a camera would have delivered it.

use biglittle::{FrameView, PixelFormat, Plane, Result, YuvEncoding, YuvMatrix, YuvRange};
use image::RgbImage;

/// The bytes of one frame, planes one after the other without padding.
pub struct Camera {
    format: PixelFormat,
    encoding: YuvEncoding,
    width: u32,
    height: u32,
    planes: Vec<(Vec<u8>, usize)>,
}

impl Camera {
    pub fn new(picture: RgbImage, format: PixelFormat, encoding: YuvEncoding) -> Self {
        let (width, height) = picture.dimensions();
        let each = |bytes: fn([u8; 3]) -> Vec<u8>| -> Vec<u8> {
            picture.pixels().flat_map(|pixel| bytes(pixel.0)).collect()
        };
        let planes = match format {
            PixelFormat::Rgba8 => vec![(each(|[r, g, b]| vec![r, g, b, 255]), 4)],
            PixelFormat::Bgra8 => vec![(each(|[r, g, b]| vec![b, g, r, 255]), 4)],
            PixelFormat::Yuv420 | PixelFormat::Nv12 | PixelFormat::Nv21 => {
                let (luma, chroma) = to_yuv(&picture, encoding);
                let part = |index: usize| chroma.iter().map(|pair| pair[index]).collect();
                let pairs = |order: [usize; 2]| {
                    chroma.iter().flat_map(|pair| order.map(|index| pair[index])).collect()
                };
                match format {
                    PixelFormat::Nv12 => vec![(luma, 1), (pairs([0, 1]), 2)],
                    PixelFormat::Nv21 => vec![(luma, 1), (pairs([1, 0]), 2)],
                    _ => vec![(luma, 1), (part(0), 1), (part(1), 1)],
                }
            }
            // Gray is that of the network, not of the camera.
            PixelFormat::Rgb8 | PixelFormat::Gray8 => {
                return Camera {
                    format: PixelFormat::Rgb8,
                    encoding,
                    width,
                    height,
                    planes: vec![(picture.into_raw(), 3)],
                };
            }
        };
        Camera { format, encoding, width, height, planes }
    }

    pub fn frame(&self) -> Result<FrameView<'_>> {
        let columns = |plane: usize| match (plane, self.format.is_yuv()) {
            (1.., true) => self.width.div_ceil(2) as usize,
            _ => self.width as usize,
        };
        let planes: Vec<Plane<'_>> = self
            .planes
            .iter()
            .enumerate()
            .map(|(index, (data, pixel_stride))| Plane {
                data,
                row_stride: columns(index) * pixel_stride,
                pixel_stride: *pixel_stride,
            })
            .collect();
        FrameView::new(self.format, self.width, self.height, &planes)
            .map(|frame| frame.with_yuv_encoding(self.encoding))
    }
}

/// Luma of every pixel and, row by row, the pairs of Cb and Cr of every 2 by 2
/// pixels: their mean. Odd edges count twice.
fn to_yuv(picture: &RgbImage, encoding: YuvEncoding) -> (Vec<u8>, Vec<[u8; 2]>) {
    let (kr, kb) = match encoding.matrix {
        YuvMatrix::Bt601 => (0.299, 0.114),
        YuvMatrix::Bt709 => (0.2126, 0.0722),
    };
    let (black, luma_scale, chroma_scale) = match encoding.range {
        YuvRange::Full => (0.0, 1.0, 1.0),
        YuvRange::Limited => (16.0, 219.0 / 255.0, 224.0 / 255.0),
    };
    let yuv = |x: u32, y: u32| {
        let pixel = picture.get_pixel(x.min(picture.width() - 1), y.min(picture.height() - 1));
        let [r, g, b] = pixel.0.map(f64::from);
        let luma = kr * r + (1.0 - kr - kb) * g + kb * b;
        [luma, (b - luma) / (2.0 - 2.0 * kb), (r - luma) / (2.0 - 2.0 * kr)]
    };
    // A cast cuts off at 0 and 255.
    let byte = |value: f64| value.round() as u8;
    let places = |step: u32| {
        let rows = (0..picture.height()).step_by(step as usize);
        rows.flat_map(move |y| (0..picture.width()).step_by(step as usize).map(move |x| (x, y)))
    };
    let luma = places(1).map(|(x, y)| byte(black + luma_scale * yuv(x, y)[0])).collect();
    let chroma = places(2).map(|(x, y)| {
        let four = [yuv(x, y), yuv(x + 1, y), yuv(x, y + 1), yuv(x + 1, y + 1)];
        [1, 2].map(|c| {
            let mean = four.iter().map(|pixel| pixel[c]).sum::<f64>() / 4.0;
            byte(128.0 + chroma_scale * mean)
        })
    });
    (luma, chroma.collect())
}
