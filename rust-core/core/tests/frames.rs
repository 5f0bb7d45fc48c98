//! Frames become what Pillow and OpenCV make of them: `golden/frames.py` wrote
//! the pictures and what is expected.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::Read;

use biglittle::preprocess::{ChannelOrder, Fit, PreprocessSpec, Preprocessor, ResizeFilter};
use biglittle::{FrameView, PixelFormat, Plane, Rect, Rotation, YuvEncoding, YuvMatrix, YuvRange};
use flate2::read::GzDecoder;
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    format: String,
    width: u32,
    height: u32,
    source: [usize; 2],
    crop: Option<[u32; 4]>,
    turn: i32,
    matrix: String,
    range: String,
    input: [u32; 2],
    filter: ResizeFilter,
    antialias: bool,
    expected: [usize; 2],
    tolerance: u8,
}

impl Case {
    fn frame<'a>(&self, bytes: &'a [u8]) -> FrameView<'a> {
        let (width, height) = (self.width as usize, self.height as usize);
        let (half, rows) = (width.div_ceil(2), height.div_ceil(2));
        let mut rest = &bytes[self.source[0]..][..self.source[1]];
        let mut plane = |columns: usize, rows: usize, pixel_stride: usize| {
            let (data, behind) = rest.split_at(columns * rows * pixel_stride);
            rest = behind;
            Plane { data, row_stride: columns * pixel_stride, pixel_stride }
        };
        let (format, planes) = match &self.format[..] {
            "rgb8" => (PixelFormat::Rgb8, vec![plane(width, height, 3)]),
            "yuv420" => {
                let luma = plane(width, height, 1);
                (PixelFormat::Yuv420, vec![luma, plane(half, rows, 1), plane(half, rows, 1)])
            }
            "nv12" => (PixelFormat::Nv12, vec![plane(width, height, 1), plane(half, rows, 2)]),
            "nv21" => (PixelFormat::Nv21, vec![plane(width, height, 1), plane(half, rows, 2)]),
            other => panic!("{other}"),
        };
        assert!(rest.is_empty());
        let matrix = if self.matrix == "bt709" { YuvMatrix::Bt709 } else { YuvMatrix::Bt601 };
        let range = if self.range == "limited" { YuvRange::Limited } else { YuvRange::Full };
        let frame = FrameView::new(format, self.width, self.height, &planes)
            .unwrap()
            .with_rotation(Rotation::from_degrees(self.turn).unwrap())
            .with_yuv_encoding(YuvEncoding { matrix, range });
        match self.crop {
            Some([x, y, width, height]) => frame.with_crop(Rect { x, y, width, height }).unwrap(),
            None => frame,
        }
    }

    /// The largest difference from what is expected.
    fn difference(&self, bytes: &[u8]) -> u8 {
        let spec = PreprocessSpec {
            width: self.input[0],
            height: self.input[1],
            channels: ChannelOrder::Rgb,
            fit: Fit::Stretch,
            filter: self.filter,
            antialias: self.antialias,
            mean: vec![0.0; 3],
            std: vec![1.0; 3],
        };
        let mut preprocessor = Preprocessor::new(&spec).unwrap();
        let mut tensor = preprocessor.make_tensor().unwrap();
        preprocessor.run(&self.frame(bytes), &mut tensor).unwrap();
        let expected = &bytes[self.expected[0]..][..self.expected[1]];
        let area = (self.input[0] * self.input[1]) as usize;
        let planes = tensor.data().chunks_exact(area).enumerate();
        let differences = planes.flat_map(|(channel, plane)| {
            let pixels = expected.iter().skip(channel).step_by(3);
            plane.iter().zip(pixels).map(|(ours, theirs)| (*ours as u8).abs_diff(*theirs))
        });
        differences.max().unwrap()
    }
}

#[test]
fn frames_become_what_pillow_and_opencv_make_of_them() {
    let mut content = Vec::new();
    GzDecoder::new(&include_bytes!("golden/frames.gz")[..]).read_to_end(&mut content).unwrap();
    let line = content.iter().position(|byte| *byte == b'\n').unwrap();
    let golden: Golden = serde_json::from_slice(&content[..line]).unwrap();
    let bytes = &content[line + 1..];
    assert!(golden.cases.len() > 100, "{}", golden.cases.len());
    let mut worst = BTreeMap::<(&str, u8), usize>::new();
    let mut wrong = Vec::new();
    for case in &golden.cases {
        let difference = case.difference(bytes);
        *worst.entry((case.name.split(' ').nth(1).unwrap(), difference)).or_default() += 1;
        if difference > case.tolerance {
            wrong.push(format!("{}: {difference} levels off", case.name));
        }
    }
    println!("cases by kind and largest difference: {worst:?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
