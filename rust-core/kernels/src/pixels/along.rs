//! Sums along a row on x86, where each output takes its inputs from another
//! place: the compiler finds no vectors in that.

use std::arch::x86_64::{
    __m128i, __m512i, _mm_add_epi32, _mm_cvtsi32_si128, _mm_cvtsi128_si32, _mm_hadd_epi32,
    _mm_loadu_si128, _mm_madd_epi16, _mm_max_epi32, _mm_packs_epi32, _mm_packus_epi16,
    _mm_set1_epi32, _mm_setzero_si128, _mm_sra_epi32, _mm512_add_epi16, _mm512_add_epi32,
    _mm512_loadu_si512, _mm512_madd_epi16, _mm512_mask_cvtusepi32_storeu_epi8, _mm512_max_epi32,
    _mm512_permutex2var_epi16, _mm512_set1_epi16, _mm512_set1_epi32, _mm512_setzero_si512,
    _mm512_shuffle_i32x4, _mm512_sra_epi32,
};

use super::taps::Taps;

const SLACK: usize = Taps::SLACK;

/// Pairs of inputs that a vector holds.
const LANES: usize = 16;

/// Windows ordered for [`avx512`]: outputs in groups whose inputs all lie within two
/// vectors. With 8 or 4 outputs a group, a vector holds 2 or 4 pairs of each.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    /// Outputs of a group: 16, 8 or 4.
    size: usize,
    /// Vectors of weights of a group.
    steps: usize,
    /// The first input of each group.
    bases: Vec<usize>,
    /// Where the first pair of each lane lies from its group's base on.
    indices: Vec<[i16; 2]>,
    /// For each group and each step, the weights of every lane.
    weights: Vec<[i16; 2]>,
}

impl Groups {
    /// The largest groups that are possible, or nothing if none are.
    pub fn new(taps: &Taps) -> Option<Self> {
        [16, 8, 4].into_iter().find_map(|size| Groups::of_size(size, taps))
    }

    fn of_size(size: usize, taps: &Taps) -> Option<Self> {
        let each = LANES / size;
        let steps = taps.window(0).1.len().div_ceil(2 * each);
        let mut groups = Groups { size, steps, bases: vec![], indices: vec![], weights: vec![] };
        for first in (0..taps.output()).step_by(size) {
            let window = |lane| {
                let output = first + lane % size;
                (output < taps.output()).then(|| taps.window(output))
            };
            let starts = (0..size).filter_map(|lane| window(lane).map(|(start, _)| start));
            let base = starts.clone().min()?;
            if starts.max()? + 2 * each * steps > base + SLACK {
                return None;
            }
            groups.bases.push(base);
            groups.indices.extend((0..LANES).map(|lane| {
                let at = window(lane).map_or(0, |(start, _)| start - base) + 2 * (lane / size);
                [at as i16, at as i16 + 1]
            }));
            for (step, lane) in (0..steps).flat_map(|step| (0..LANES).map(move |l| (step, l))) {
                let weights = window(lane).map_or(&[][..], |(_, weights)| weights);
                let weight = |k: usize| weights.get(k).copied().unwrap_or(0);
                let k = 2 * (step * each + lane / size);
                groups.weights.push([weight(k), weight(k + 1)]);
            }
        }
        Some(groups)
    }
}

/// Outputs that [`avx2`] adds up together.
const TOGETHER: usize = 4;

/// A group of outputs at a time: their inputs lie within two vectors, from which
/// one instruction takes the pairs of all of them.
///
/// # Safety
/// `row` has `taps.input() + SLACK` values, `out` has `taps.output()`.
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2")]
pub(super) unsafe fn avx512(row: &[i16], taps: &Taps, out: &mut [u8]) {
    let Some(groups) = taps.groups() else {
        // SAFETY: the same contract.
        return unsafe { avx2(row, taps, out) };
    };
    let half = _mm512_set1_epi32((1 << taps.shift()) >> 1);
    let shift = _mm_cvtsi32_si128(taps.shift() as i32);
    let advance = _mm512_set1_epi16(2 * (LANES / groups.size) as i16);
    let indices = groups.indices.chunks_exact(LANES);
    let weights = groups.weights.chunks_exact(groups.steps * LANES);
    let places = groups.bases.iter().zip(out.chunks_mut(groups.size));
    for ((base, out), (indices, weights)) in places.zip(indices.zip(weights)) {
        debug_assert!(base + SLACK <= row.len());
        // SAFETY: a group's base is an input, so that a row with its slack has
        // two vectors from there on; the tables have one and `steps` vectors a
        // group; the mask has a bit for each output that is there.
        unsafe {
            let from = row.as_ptr().add(*base);
            let low = _mm512_loadu_si512(from.cast());
            let high = _mm512_loadu_si512(from.add(SLACK / 2).cast());
            let mut index = _mm512_loadu_si512(indices.as_ptr().cast());
            let mut sum = _mm512_setzero_si512();
            for weights in weights.chunks_exact(LANES) {
                let values = _mm512_permutex2var_epi16(low, index, high);
                let weights = _mm512_loadu_si512(weights.as_ptr().cast());
                sum = _mm512_add_epi32(sum, _mm512_madd_epi16(values, weights));
                index = _mm512_add_epi16(index, advance);
            }
            if groups.size <= 8 {
                sum = _mm512_add_epi32(sum, _mm512_shuffle_i32x4::<0b01_00_11_10>(sum, sum));
            }
            if groups.size <= 4 {
                sum = _mm512_add_epi32(sum, _mm512_shuffle_i32x4::<0b10_11_00_01>(sum, sum));
            }
            let sum = _mm512_sra_epi32(_mm512_add_epi32(sum, half), shift);
            let sum: __m512i = _mm512_max_epi32(sum, _mm512_setzero_si512());
            let mask = ((1u32 << out.len()) - 1) as u16;
            _mm512_mask_cvtusepi32_storeu_epi8(out.as_mut_ptr().cast(), mask, sum);
        }
    }
}

/// One output after the other, the sums of four of them added up together.
///
/// # Safety
/// `row` has `taps.input() + SLACK` values, `out` has `taps.output()`.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn avx2(row: &[i16], taps: &Taps, out: &mut [u8]) {
    let half = _mm_set1_epi32((1 << taps.shift()) >> 1);
    let shift = _mm_cvtsi32_si128(taps.shift() as i32);
    let (starts, mut weights) = taps.padded();
    for (starts, out) in starts.chunks(TOGETHER).zip(out.chunks_mut(TOGETHER)) {
        let mut sums = [_mm_setzero_si128(); TOGETHER];
        for ((sum, start), weights) in sums.iter_mut().zip(starts).zip(weights.by_ref()) {
            debug_assert!(start + weights.len() <= row.len());
            for k in (0..weights.len()).step_by(8) {
                // SAFETY: a window starts at an input and is at most 7 longer
                // than the inputs from there on, which the slack has; weights
                // are a multiple of 8.
                let products = unsafe {
                    let values = _mm_loadu_si128(row.as_ptr().add(start + k).cast::<__m128i>());
                    let weights = _mm_loadu_si128(weights.as_ptr().add(k).cast::<__m128i>());
                    _mm_madd_epi16(values, weights)
                };
                *sum = _mm_add_epi32(*sum, products);
            }
        }
        let [a, b, c, d] = sums;
        let sum = _mm_hadd_epi32(_mm_hadd_epi32(a, b), _mm_hadd_epi32(c, d));
        let sum = _mm_sra_epi32(_mm_add_epi32(sum, half), shift);
        let words = _mm_packs_epi32(_mm_max_epi32(sum, _mm_setzero_si128()), sum);
        let bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words)).to_le_bytes();
        out.copy_from_slice(&bytes[..out.len()]);
    }
}
