//! The loops themselves, in portable code written so that the compiler makes
//! vectors of it. Inlined into one instance an instruction set.

use super::taps::Taps;

/// What luma and chroma add to red, green and blue, with 16 fractional bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct YuvWeights {
    /// The luma of black; what lies below counts as black.
    pub black: u8,
    /// Luma, to each colour.
    pub luma: i32,
    /// Cr to red.
    pub red_cr: i32,
    /// Cb to green.
    pub green_cb: i32,
    /// Cr to green.
    pub green_cr: i32,
    /// Cb to blue.
    pub blue_cb: i32,
}

/// The sums of `N` columns from `x` on, before the shift.
#[inline(always)]
fn sums<const N: usize>(
    data: &[u8],
    stride: usize,
    weights: &[i16],
    shift: u32,
    x: usize,
) -> [i32; N] {
    let mut sums = [(1 << shift) >> 1; N];
    for (k, weight) in weights.iter().enumerate() {
        let row = data[k * stride + x..].first_chunk::<N>().expect("the caller has these rows");
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += i32::from(*value) * i32::from(*weight);
        }
    }
    sums
}

/// Writes `finish` of every column's sum, in blocks as large as the row allows.
#[inline(always)]
fn down<T: Copy>(
    data: &[u8],
    stride: usize,
    weights: &[i16],
    shift: u32,
    out: &mut [T],
    finish: impl Fn(i32) -> T + Copy,
) {
    if out.len() >= 64 {
        blocks::<T, 64>(data, stride, weights, shift, out, finish);
    } else if out.len() >= 16 {
        blocks::<T, 16>(data, stride, weights, shift, out, finish);
    } else {
        blocks::<T, 1>(data, stride, weights, shift, out, finish);
    }
}

/// [`down`] in blocks of `N` columns, of which the last overlaps the one before.
#[inline(always)]
fn blocks<T: Copy, const N: usize>(
    data: &[u8],
    stride: usize,
    weights: &[i16],
    shift: u32,
    out: &mut [T],
    finish: impl Fn(i32) -> T + Copy,
) {
    let last = out.len() - N.min(out.len());
    for x in (0..out.len()).step_by(N) {
        let x = x.min(last);
        let sums = sums::<N>(data, stride, weights, shift, x);
        out[x..x + N].iter_mut().zip(sums).for_each(|(out, sum)| *out = finish(sum));
    }
}

#[inline(always)]
pub(super) fn down_u8(data: &[u8], stride: usize, weights: &[i16], shift: u32, out: &mut [u8]) {
    down(data, stride, weights, shift, out, |sum| (sum >> shift).clamp(0, 255) as u8);
}

#[inline(always)]
pub(super) fn down_i16(data: &[u8], stride: usize, weights: &[i16], shift: u32, out: &mut [i16]) {
    down(data, stride, weights, shift, out, |sum| (sum >> shift) as i16);
}

#[inline(always)]
pub(super) fn pick<T: Copy + Into<i16>>(row: &[T], step: usize, out: &mut [i16]) {
    match step {
        1 => each::<T, 1>(row, out),
        2 => each::<T, 2>(row, out),
        3 => each::<T, 3>(row, out),
        4 => each::<T, 4>(row, out),
        _ => {
            assert!(out.is_empty() || row.len() > (out.len() - 1) * step, "the row is this long");
            out.iter_mut().zip(row.iter().step_by(step)).for_each(|(out, v)| *out = (*v).into());
        }
    }
}

pub(super) use pick as pick_u8;
pub(super) use pick as pick_i16;

#[inline(always)]
fn each<T: Copy + Into<i16>, const STEP: usize>(row: &[T], out: &mut [i16]) {
    let Some(last) = out.len().checked_sub(1) else { return };
    // The last value need not have whole steps behind it.
    for (out, values) in out[..last].iter_mut().zip(row[..last * STEP].as_chunks::<STEP>().0) {
        *out = values[0].into();
    }
    out[last] = row[last * STEP].into();
}

#[inline(always)]
pub(super) fn yuv_to_rgb([y, u, v]: [&mut [u8]; 3], weights: &YuvWeights) {
    assert!(y.len() == u.len() && y.len() == v.len(), "planes are equally long");
    for ((y, u), v) in y.iter_mut().zip(u).zip(v) {
        let luma = i32::from(y.saturating_sub(weights.black)) * weights.luma + (1 << 15);
        let (cb, cr) = (i32::from(*u) - 128, i32::from(*v) - 128);
        let byte = |sum: i32| (sum >> 16).clamp(0, 255) as u8;
        *y = byte(luma + cr * weights.red_cr);
        *u = byte(luma + cb * weights.green_cb + cr * weights.green_cr);
        *v = byte(luma + cb * weights.blue_cb);
    }
}

#[inline(always)]
pub(super) fn normalize(pixels: &[u8], mean: f32, std: f32, out: &mut [f32]) {
    assert_eq!(pixels.len(), out.len(), "one value a pixel");
    for (out, pixel) in out.iter_mut().zip(pixels) {
        *out = (f32::from(*pixel) - mean) / std;
    }
}

pub(super) fn along(row: &[i16], taps: &Taps, out: &mut [u8]) {
    let half = (1 << taps.shift()) >> 1;
    let (starts, weights) = taps.padded();
    for ((out, start), weights) in out.iter_mut().zip(starts).zip(weights) {
        let mut lanes = [0i32; 8];
        let values = row[*start..][..weights.len()].as_chunks::<8>().0;
        for (values, weights) in values.iter().zip(weights.as_chunks::<8>().0) {
            for ((lane, value), weight) in lanes.iter_mut().zip(values).zip(weights) {
                *lane += i32::from(*value) * i32::from(*weight);
            }
        }
        let sum = lanes.iter().sum::<i32>() + half;
        *out = (sum >> taps.shift()).clamp(0, 255) as u8;
    }
}
