//! Well-known networks with random weights, for any builder.

/// What a network is built with; `T` is a tensor.
pub trait Builder {
    type T: Copy;
    /// A dense convolution with square kernel, padded by half of it, clamped
    /// to 0..=`hi` unless `hi` is `None`.
    fn conv(
        &mut self,
        x: Self::T,
        out: usize,
        form: (usize, usize),
        hi: Option<f32>,
        residual: Option<Self::T>,
    ) -> Self::T;
    /// A depthwise convolution, likewise.
    fn depthwise(&mut self, x: Self::T, form: (usize, usize), hi: Option<f32>) -> Self::T;
    /// Fully connected.
    fn linear(&mut self, x: Self::T, out: usize, hi: Option<f32>) -> Self::T;
    /// Max pool of stride 2 without padding.
    fn max_pool(&mut self, x: Self::T, kernel: usize) -> Self::T;
    fn global_average(&mut self, x: Self::T) -> Self::T;
    fn channels(&self, x: Self::T) -> usize;
}

const RELU: Option<f32> = Some(f32::INFINITY);
const RELU6: Option<f32> = Some(6.0);

/// Name and input side, channels.
pub const NETS: [(&str, [usize; 2]); 9] = [
    ("mobilenet_v2", [224, 3]),
    ("efficientnet_lite0", [224, 3]),
    ("mobilenet_v1_0.25", [224, 3]),
    ("resnet8", [32, 3]),
    ("resnet20", [32, 3]),
    ("resnet18", [224, 3]),
    ("lenet", [28, 1]),
    ("mnist_little", [28, 1]),
    ("mlp", [16, 1]),
];

/// Adds the network's nodes.
pub fn build<B: Builder>(b: &mut B, x: B::T, name: &str) {
    match name {
        "mobilenet_v2" => inverted(
            b,
            x,
            &[
                (1, 16, 1, 1, 3),
                (6, 24, 2, 2, 3),
                (6, 32, 3, 2, 3),
                (6, 64, 4, 2, 3),
                (6, 96, 3, 1, 3),
                (6, 160, 3, 2, 3),
                (6, 320, 1, 1, 3),
            ],
        ),
        "efficientnet_lite0" => inverted(
            b,
            x,
            &[
                (1, 16, 1, 1, 3),
                (6, 24, 2, 2, 3),
                (6, 40, 2, 2, 5),
                (6, 80, 3, 2, 3),
                (6, 112, 3, 1, 5),
                (6, 192, 4, 2, 5),
                (6, 320, 1, 1, 3),
            ],
        ),
        "mobilenet_v1_0.25" => {
            let mut x = b.conv(x, 8, (3, 2), RELU, None);
            for (out, stride) in [
                (16, 1),
                (32, 2),
                (32, 1),
                (64, 2),
                (64, 1),
                (128, 2),
                (128, 1),
                (128, 1),
                (128, 1),
                (128, 1),
                (128, 1),
                (256, 2),
                (256, 1),
            ] {
                x = b.depthwise(x, (3, stride), RELU);
                x = b.conv(x, out, (1, 1), RELU, None);
            }
            let x = b.global_average(x);
            b.linear(x, 1000, None);
        }
        "resnet8" => small_resnet(b, x, 1),
        "resnet20" => small_resnet(b, x, 3),
        "resnet18" => {
            let x = b.conv(x, 64, (7, 2), RELU, None);
            let mut x = b.max_pool(x, 2);
            for (stage, out) in [64, 128, 256, 512].into_iter().enumerate() {
                for i in 0..2 {
                    x = basic(b, x, out, if stage > 0 && i == 0 { 2 } else { 1 });
                }
            }
            let x = b.global_average(x);
            b.linear(x, 1000, None);
        }
        "lenet" => {
            let x = b.conv(x, 32, (5, 1), RELU, None);
            let x = b.max_pool(x, 2);
            let x = b.conv(x, 64, (5, 1), RELU, None);
            let x = b.max_pool(x, 2);
            let x = b.linear(x, 128, RELU);
            b.linear(x, 10, None);
        }
        "mnist_little" => {
            let x = b.conv(x, 8, (3, 2), RELU, None);
            let x = b.conv(x, 16, (3, 2), RELU, None);
            let x = b.conv(x, 16, (3, 2), RELU, None);
            let x = b.global_average(x);
            b.linear(x, 10, None);
        }
        _ => {
            let x = b.linear(x, 128, RELU);
            let x = b.linear(x, 128, RELU);
            b.linear(x, 10, None);
        }
    }
}

/// MobileNetV2 and EfficientNet-Lite: (expansion, channels, repeats, stride,
/// kernel) a stage.
fn inverted<B: Builder>(b: &mut B, x: B::T, stages: &[(usize, usize, usize, usize, usize)]) {
    let mut x = b.conv(x, 32, (3, 2), RELU6, None);
    for &(expand, out, repeats, stride, kernel) in stages {
        for i in 0..repeats {
            let from = x;
            let stride = if i == 0 { stride } else { 1 };
            if expand > 1 {
                x = b.conv(x, b.channels(from) * expand, (1, 1), RELU6, None);
            }
            x = b.depthwise(x, (kernel, stride), RELU6);
            x = b.conv(x, out, (1, 1), None, (i > 0).then_some(from));
        }
    }
    let x = b.conv(x, 1280, (1, 1), RELU6, None);
    let x = b.global_average(x);
    b.linear(x, 1000, None);
}

fn basic<B: Builder>(b: &mut B, x: B::T, out: usize, stride: usize) -> B::T {
    let y = b.conv(x, out, (3, stride), RELU, None);
    let shortcut = if b.channels(x) == out { x } else { b.conv(x, out, (1, stride), None, None) };
    b.conv(y, out, (3, 1), RELU, Some(shortcut))
}

fn small_resnet<B: Builder>(b: &mut B, x: B::T, blocks: usize) {
    let mut x = b.conv(x, 16, (3, 1), RELU, None);
    for (stage, out) in [16, 32, 64].into_iter().enumerate() {
        for i in 0..blocks {
            x = basic(b, x, out, if stage > 0 && i == 0 { 2 } else { 1 });
        }
    }
    let x = b.global_average(x);
    b.linear(x, 10, None);
}
