//! Pixel loops give the same bytes on every instruction set, and those that plain
//! arithmetic gives. Slices end where they must, for AddressSanitizer to see.

use biglittle_kernels::{Isa, PixelKernels, Taps, Window, YuvWeights};

/// A linear congruential generator.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        ((self.0 >> 33) as usize) % limit
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.below(256) as u8).collect()
    }
}

fn all() -> Vec<PixelKernels> {
    let kernels = |isa| PixelKernels::with_isa(isa).expect("it is available");
    Isa::available().into_iter().map(kernels).collect()
}

/// Windows of random lengths and places, with weights that add up to 1.
fn windows(random: &mut Random, input: usize, output: usize, longest: usize) -> Vec<Window> {
    let window = |_| {
        let length = 1 + random.below(longest.min(input));
        let mut weights: Vec<f64> = (0..length).map(|_| random.below(200) as f64 - 40.0).collect();
        weights[0] += 300.0;
        let sum: f64 = weights.iter().sum();
        let weights = weights.iter().map(|weight| weight / sum).collect();
        Window { start: random.below(input - length + 1), weights }
    };
    (0..output).map(window).collect()
}

/// The sum in real numbers.
fn exact(window: &Window, value: impl Fn(usize) -> f64) -> f64 {
    let inputs = window.weights.iter().enumerate();
    inputs.map(|(k, weight)| weight * value(window.start + k)).sum()
}

/// Fixed point may be off by the rounding of weights.
fn close(byte: u8, window: &Window, value: impl Fn(usize) -> f64) {
    let sum = exact(window, value);
    assert!((f64::from(byte) - sum.clamp(0.0, 255.0)).abs() < 0.75, "{byte} for {sum}");
}

#[test]
fn sums_along_a_row() {
    let random = &mut Random(1);
    for _ in 0..300 {
        let (input, output) = (1 + random.below(300), 1 + random.below(70));
        let longest = 1 + random.below(40);
        let mut windows = windows(random, input, output, longest);
        // Mostly in order and close together, as those of a resize are.
        if random.below(4) > 0 {
            windows.sort_by_key(|window| window.start);
        }
        let taps = Taps::new(input, 8, &windows);
        let mut row: Vec<i16> = random.bytes(input).into_iter().map(i16::from).collect();
        // What lies behind the row does not count.
        row.extend((0..Taps::SLACK).map(|i| if i % 2 == 0 { i16::MAX } else { i16::MIN }));
        let results = all().into_iter().map(|kernels| {
            let mut out = vec![0; output];
            kernels.along(&row, &taps, &mut out);
            out
        });
        let results: Vec<Vec<u8>> = results.collect();
        assert!(results.iter().all(|result| *result == results[0]));
        for (byte, window) in results[0].iter().zip(&windows) {
            close(*byte, window, |at| f64::from(row[at]));
        }
    }
}

#[test]
fn sums_down_the_columns() {
    let random = &mut Random(2);
    for _ in 0..200 {
        let (columns, rows) = (1 + random.below(200), 1 + random.below(30));
        let stride = columns + random.below(9);
        let data = random.bytes((rows - 1) * stride + columns);
        let windows = windows(random, rows, 3, 12);
        let taps = Taps::new(rows, 8, &windows);
        for (y, window) in windows.iter().enumerate() {
            let (first, weights) = taps.window(y);
            let data = &data[first * stride..];
            let mut results = Vec::new();
            for kernels in all() {
                let mut out = vec![0; columns];
                kernels.down_u8(data, stride, weights, taps.shift(), &mut out);
                let mut words = vec![0; columns];
                kernels.down_i16(data, stride, weights, taps.shift() - 5, &mut words);
                results.push((out, words));
            }
            assert!(results.iter().all(|result| *result == results[0]));
            for (x, byte) in results[0].0.iter().enumerate() {
                let at = |row: usize| f64::from(data[(row - first) * stride + x]);
                close(*byte, window, at);
                // Not cut off at 0 and 255.
                let exact = exact(window, at);
                let word = f64::from(results[0].1[x]) / 32.0;
                assert!((word - exact).abs() < 0.1, "{word} for {exact}");
            }
        }
    }
}

#[test]
fn every_step_is_picked() {
    let random = &mut Random(3);
    for step in 1..8 {
        for count in [0, 1, 2, 15, 16, 17, 64, 130] {
            let bytes = random.bytes(count.max(1) * step - step + 1);
            let words: Vec<i16> = bytes.iter().map(|byte| i16::from(*byte) * 64).collect();
            for kernels in all() {
                let (mut a, mut b) = (vec![0; count], vec![0; count]);
                kernels.pick_u8(&bytes, step, &mut a);
                kernels.pick_i16(&words, step, &mut b);
                for i in 0..count {
                    assert_eq!((a[i], b[i]), (i16::from(bytes[i * step]), words[i * step]));
                }
            }
        }
    }
}

#[test]
fn colours_and_floats_are_the_same_everywhere() {
    // BT.601 in full range.
    let weights = YuvWeights {
        black: 0,
        luma: 65_536,
        red_cr: 91_881,
        green_cb: -22_554,
        green_cr: -46_802,
        blue_cb: 116_130,
    };
    let random = &mut Random(4);
    let planes = [0; 3].map(|_| random.bytes(1_003));
    for kernels in all() {
        let [mut y, mut u, mut v] = planes.clone();
        kernels.yuv_to_rgb([&mut y, &mut u, &mut v], &weights);
        for i in 0..y.len() {
            let [luma, cb, cr] = [0, 1, 2].map(|c| f64::from(planes[c][i]));
            let (cb, cr) = (cb - 128.0, cr - 128.0);
            let rgb = [luma + 1.402 * cr, luma - 0.344_14 * cb - 0.714_14 * cr, luma + 1.772 * cb];
            for (byte, exact) in [y[i], u[i], v[i]].into_iter().zip(rgb) {
                assert!((f64::from(byte) - exact.clamp(0.0, 255.0)).abs() < 0.51);
            }
        }
        let mut out = vec![0.0; planes[0].len()];
        kernels.normalize(&planes[0], 123.675, 58.395, &mut out);
        for (out, pixel) in out.iter().zip(&planes[0]) {
            assert_eq!(*out, (f32::from(*pixel) - 123.675) / 58.395);
        }
    }
}

#[test]
fn equal_inputs_keep_their_value() {
    let random = &mut Random(5);
    for value in [0, 1, 127, 128, 254, 255] {
        let taps = Taps::new(90, 8, &windows(random, 90, 40, 20));
        let row = vec![value; 90 + Taps::SLACK];
        for kernels in all() {
            let mut out = vec![0; 40];
            kernels.along(&row, &taps, &mut out);
            assert!(out.iter().all(|byte| i16::from(*byte) == value), "{out:?}");
        }
    }
}

/// Windows of up to 65,536 inputs, whose weights are about one unit of fixed point.
#[test]
fn windows_as_long_as_a_frame() {
    let random = &mut Random(6);
    // 1.64 units a weight at 20,000; the longest side of a frame; the limit.
    for input in [3_000, 6_000, 20_000, 32_766, 32_767, 32_768, 65_536] {
        let flat = vec![1.0; input];
        let tent: Vec<f64> = (0..input).map(|i| (i.min(input - 1 - i) + 1) as f64).collect();
        let windows = [flat, tent].map(|weights| {
            let sum: f64 = weights.iter().sum();
            Window { start: 0, weights: weights.iter().map(|weight| weight / sum).collect() }
        });
        let noise: Vec<u8> = random.bytes(input);
        let step = |at: usize| if at < input / 3 { 250 } else { 5 };
        // One black pixel where all others are white, and where weights are largest.
        let dot = |at: usize| if [input / 2, input - 1].contains(&at) { 0 } else { 255 };
        for row in [noise, (0..input).map(step).collect(), (0..input).map(dot).collect()] {
            // As it is between passes: 6 bits more in values, and as many fewer in weights.
            let scaled = |window: &Window| Window {
                start: 0,
                weights: window.weights.iter().map(|weight| weight / 64.0).collect(),
            };
            let fine = Taps::new(input, 14, &windows.each_ref().map(scaled));
            let coarse = Taps::new(input, 8, &windows);
            let words = row.iter().map(|byte| i16::from(*byte) * 64);
            let words: Vec<i16> = words.chain([0; Taps::SLACK]).collect();
            for kernels in all() {
                let mut out = [0; 2];
                kernels.along(&words, &fine, &mut out);
                for (y, window) in windows.iter().enumerate() {
                    let at = |at: usize| f64::from(row[at]);
                    close(out[y], window, at);
                    let (_, weights) = coarse.window(y);
                    let (mut byte, mut word) = ([0], [0]);
                    kernels.down_u8(&row, 1, weights, coarse.shift(), &mut byte);
                    kernels.down_i16(&row, 1, weights, coarse.shift() - 6, &mut word);
                    close(byte[0], window, at);
                    assert!((f64::from(word[0]) / 64.0 - exact(window, at)).abs() < 0.51);
                }
            }
        }
    }
}
