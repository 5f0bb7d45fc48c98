//! Which neighbours make up each output of a resampling, and with what weights.

#[cfg(target_arch = "x86_64")]
use super::along::Groups;

/// The inputs of one output: `weights[k]` is that of input `start + k`.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// The first input.
    pub start: usize,
    /// At least one weight; their sum is what a row of equal inputs is
    /// multiplied by.
    pub weights: Vec<f64>,
}

/// The windows of all outputs along one axis, in fixed point.
///
/// Weights have as many bits as 16 and the sum's 32 allow, and those of one output
/// add up exactly to what their real sum rounds to.
#[derive(Clone, Debug)]
pub struct Taps {
    input: usize,
    count: usize,
    padded: usize,
    shift: u32,
    starts: Vec<usize>,
    /// For each output `count` weights.
    weights: Vec<i16>,
    /// For each output `padded` weights, the surplus 0: for sums along a row.
    along: Vec<i16>,
    #[cfg(target_arch = "x86_64")]
    groups: Option<Groups>,
}

impl Taps {
    /// The values that must lie behind the last one of a row that sums are taken
    /// along: vectors read beyond the row's end, with weights of 0.
    pub const SLACK: usize = 64;

    /// The windows of a row of `input` values of at most `bits` bits.
    ///
    /// # Panics
    /// If there is no window, one has no weights, more than 65,536 of them or
    /// reaches beyond `input`, the weights are not finite and of a size that filters
    /// have (a sum of absolute values below 16), or `bits` is above 14.
    #[must_use]
    pub fn new(input: usize, bits: u32, windows: &[Window]) -> Self {
        let longest = windows.iter().map(|w| w.weights.len()).max().expect("there is an output");
        let (mut largest, mut sum) = (0.0f64, 0.0f64);
        for window in windows {
            assert!(!window.weights.is_empty(), "an output has an input");
            assert!(window.start + window.weights.len() <= input, "windows lie inside");
            largest = window.weights.iter().fold(largest, |a, w| a.max(w.abs()));
            sum = sum.max(window.weights.iter().map(|w| w.abs()).sum());
        }
        assert!(sum < 16.0, "weights are those of a filter");
        assert!(longest <= 65_536 && bits <= 14, "sums fit 32 bits");
        // What `to_fixed` adds to all weights and to one, and half of the last bit.
        let fits = |shift: u32| {
            let one = f64::from(1u32 << shift);
            let total = (sum * one + longest as f64) * f64::from(1u32 << bits) + one;
            let surplus = (longest as f64).min(sum * one / f64::from(UNITS) + 1.0);
            largest * one + surplus <= f64::from(i16::MAX) && total < f64::from(i32::MAX)
        };
        let shift = (1..=21).rev().find(|shift| fits(*shift)).expect("so few and small ones fit");
        let count = longest;
        let padded = count.next_multiple_of(8);
        let mut taps = Taps {
            input,
            count,
            padded,
            shift,
            starts: Vec::with_capacity(windows.len()),
            weights: vec![0; windows.len() * count],
            along: vec![0; windows.len() * padded],
            #[cfg(target_arch = "x86_64")]
            groups: None,
        };
        for (output, window) in windows.iter().enumerate() {
            // All windows are equally long, and none ends beyond the input.
            let start = window.start.min(input - count);
            let before = window.start - start;
            let fixed = to_fixed(&window.weights, shift);
            taps.starts.push(start);
            for (k, weight) in fixed.into_iter().enumerate() {
                taps.weights[output * count + before + k] = weight;
                taps.along[output * padded + before + k] = weight;
            }
        }
        #[cfg(target_arch = "x86_64")]
        {
            taps.groups = Groups::new(&taps);
        }
        taps
    }

    /// The values of an input row.
    #[must_use]
    pub fn input(&self) -> usize {
        self.input
    }

    /// The number of outputs.
    #[must_use]
    pub fn output(&self) -> usize {
        self.starts.len()
    }

    /// The fractional bits of the weights.
    #[must_use]
    pub fn shift(&self) -> u32 {
        self.shift
    }

    /// The first input of `output` and its weights.
    ///
    /// # Panics
    /// If there is no such output.
    #[must_use]
    pub fn window(&self, output: usize) -> (usize, &[i16]) {
        let weights = &self.weights[output * self.count..][..self.count];
        (self.starts[output], weights)
    }

    /// The first input of every output, and for each its weights padded with 0 to
    /// a multiple of 8.
    pub(super) fn padded(&self) -> (&[usize], std::slice::ChunksExact<'_, i16>) {
        (&self.starts, self.along.chunks_exact(self.padded))
    }

    /// The outputs in groups whose inputs lie close together, if they do.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn groups(&self) -> Option<&Groups> {
        self.groups.as_ref()
    }
}

/// So many units of fixed point a weight must have on average to be rounded on its
/// own: all together then lose less than half a level of 255.
const UNITS: i32 = 256;

/// The weights with `shift` fractional bits, which add up to what their real sum
/// rounds to.
fn to_fixed(weights: &[f64], shift: u32) -> Vec<i16> {
    let one = f64::from(1u32 << shift);
    let round = |value: f64| (value * one).round() as i32;
    let mut fixed: Vec<i32> = weights.iter().copied().map(round).collect();
    let total = round(weights.iter().sum());
    if weights.len() as i32 <= total.abs() / UNITS {
        let missing = total - fixed.iter().sum::<i32>();
        let largest = (0..weights.len()).max_by(|a, b| weights[*a].total_cmp(&weights[*b]));
        fixed[largest.expect("a window has weights")] += missing;
    } else {
        // Many weights of a few units: what one loses goes to the next.
        let (mut sum, mut before) = (0.0, 0);
        for (fixed, weight) in fixed.iter_mut().zip(weights) {
            sum += weight;
            *fixed = round(sum) - before;
            before += *fixed;
        }
    }
    fixed.into_iter().map(|weight| weight as i16).collect()
}
