//! The weights of the resampling filters, as Pillow computes them.

use biglittle_kernels::Window;

use super::spec::ResizeFilter;

/// One axis of a resize: the stretch from `from` to `to` of `input` samples
/// becomes `output` samples. Sample `k` covers `k` to `k + 1`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    pub input: usize,
    pub from: f64,
    pub to: f64,
    pub output: usize,
    /// Whether the first output is that of the last input.
    pub reversed: bool,
}

impl ResizeFilter {
    /// Whether the filter weighs some samples negatively and so overshoots.
    pub(super) fn overshoots(self) -> bool {
        matches!(self, ResizeFilter::Bicubic | ResizeFilter::Lanczos3)
    }

    /// Half the filter's width and its value at `x`.
    fn shape(self) -> (f64, fn(f64) -> f64) {
        match self {
            ResizeFilter::Nearest | ResizeFilter::Box => {
                (0.5, |x| if x > -0.5 && x <= 0.5 { 1.0 } else { 0.0 })
            }
            ResizeFilter::Bilinear => (1.0, |x| (1.0 - x.abs()).max(0.0)),
            ResizeFilter::Bicubic => (2.0, bicubic),
            ResizeFilter::Lanczos3 => (3.0, lanczos3),
        }
    }
}

/// Keys' cubic convolution with a = -0.5.
fn bicubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    match x.abs() {
        x if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
        x if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
        _ => 0.0,
    }
}

fn lanczos3(x: f64) -> f64 {
    let sinc = |x: f64| {
        let x = x * std::f64::consts::PI;
        if x == 0.0 { 1.0 } else { libm::sin(x) / x }
    };
    if (-3.0..3.0).contains(&x) { sinc(x) * sinc(x / 3.0) } else { 0.0 }
}

/// The inputs and weights of every output. With `antialias` the filter is widened
/// by the scale where the image is made smaller. Weights of one output add up
/// to 1; those beyond the edge are left out.
pub(super) fn windows(filter: ResizeFilter, antialias: bool, axis: &Axis) -> Vec<Window> {
    let Axis { input, from, to, output, reversed } = *axis;
    // The same in the other direction, so that a turned frame gives the same
    // bytes as a frame that was turned first.
    let (from, to) = if reversed { (input as f64 - to, input as f64 - from) } else { (from, to) };
    let scale = (to - from) / output as f64;
    let width = if antialias { scale.max(1.0) } else { 1.0 };
    let (support, value) = filter.shape();
    let window = |output: usize| {
        let center = from + (output as f64 + 0.5) * scale;
        let first = ((center - support * width + 0.5).max(0.0) as usize).min(input - 1);
        let end = ((center + support * width + 0.5) as usize).clamp(first + 1, input);
        let at = |k: usize| value((k as f64 - center + 0.5) / width);
        let weights: Vec<f64> = (first..end).map(at).collect();
        let sum: f64 = weights.iter().sum();
        let weights: Vec<f64> = weights.iter().map(|weight| weight / sum).collect();
        trimmed(first, &weights)
    };
    let mirrored = |Window { start, mut weights, .. }: Window| {
        weights.reverse();
        Window { start: input - start - weights.len(), weights, mirrored: true }
    };
    let mut windows: Vec<Window> = match filter {
        ResizeFilter::Nearest => nearest(from, scale, input).take(output).collect(),
        _ => (0..output).map(window).collect(),
    };
    if reversed {
        windows = windows.into_iter().map(mirrored).collect();
    }
    windows
}

/// The sample that each centre lies in. Centres are added up as Pillow does, whose
/// rounding decides where one lies between two samples.
fn nearest(from: f64, scale: f64, input: usize) -> impl Iterator<Item = Window> {
    let centers = std::iter::successors(Some(from + scale * 0.5), move |at| Some(at + scale));
    let only = |start| Window { start, weights: vec![1.0], mirrored: false };
    centers.map(move |at| only((at as usize).min(input - 1)))
}

/// The window without zeros at its ends.
fn trimmed(start: usize, weights: &[f64]) -> Window {
    let counts = |weight: &f64| *weight != 0.0;
    let first = weights.iter().position(counts).unwrap_or(0);
    let end = weights.iter().rposition(counts).map_or(1, |last| last + 1);
    Window { start: start + first, weights: weights[first..end].to_vec(), mirrored: false }
}
