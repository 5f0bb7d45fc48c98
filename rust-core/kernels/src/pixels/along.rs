//! Sums along a row on x86, where each output takes its inputs from another
//! place: the compiler finds no vectors in that.

use std::arch::x86_64::{
    __m128i, __m512i, _mm_add_epi32, _mm_cvtsi32_si128, _mm_cvtsi128_si32, _mm_hadd_epi32,
    _mm_loadu_si128, _mm_madd_epi16, _mm_max_epi32, _mm_packs_epi32, _mm_packus_epi16,
    _mm_set1_epi32, _mm_setzero_si128, _mm_sra_epi32, _mm512_add_epi16, _mm512_add_epi32,
    _mm512_loadu_si512, _mm512_madd_epi16, _mm512_mask_cvtusepi32_storeu_epi8, _mm512_max_epi32,
    _mm512_permutex2var_epi16, _mm512_set1_epi16, _mm512_set1_epi32, _mm512_setzero_si512,
    _mm512_sra_epi32,
};

use super::taps::Taps;

const SLACK: usize = Taps::SLACK;

/// Outputs that [`avx512`] computes at once.
const GROUP: usize = 16;

/// Windows ordered for [`avx512`].
#[derive(Clone, Debug)]
pub(super) struct Groups {
    /// The pairs of inputs of each output.
    pairs: usize,
    /// The first input of each group.
    bases: Vec<usize>,
    /// Where the first pair of each output lies from its group's base on.
    indices: Vec<[i16; 2]>,
    /// For each group and each pair, the weights of every output.
    weights: Vec<[i16; 2]>,
}

impl Groups {
    /// Nothing if the inputs of a group lie too far apart.
    pub fn new(taps: &Taps) -> Option<Self> {
        let pairs = taps.window(0).1.len().div_ceil(2);
        let mut groups = Groups { pairs, bases: vec![], indices: vec![], weights: vec![] };
        for first in (0..taps.output()).step_by(GROUP) {
            let window = |lane| {
                let output = first + lane;
                (output < taps.output()).then(|| taps.window(output))
            };
            let starts = (0..GROUP).filter_map(|lane| window(lane).map(|(start, _)| start));
            let base = starts.clone().min()?;
            if starts.max()? + 2 * pairs > base + SLACK {
                return None;
            }
            groups.bases.push(base);
            groups.indices.extend((0..GROUP).map(|lane| {
                let at = window(lane).map_or(0, |(start, _)| start - base) as i16;
                [at, at + 1]
            }));
            for (pair, lane) in (0..pairs).flat_map(|pair| (0..GROUP).map(move |l| (pair, l))) {
                let weights = window(lane).map_or(&[][..], |(_, weights)| weights);
                let weight = |k| weights.get(k).copied().unwrap_or(0);
                groups.weights.push([weight(2 * pair), weight(2 * pair + 1)]);
            }
        }
        Some(groups)
    }
}

/// Outputs that [`avx2`] adds up together.
const TOGETHER: usize = 4;

/// Sixteen outputs at a time: their inputs lie within two vectors, from which one
/// instruction takes a pair for each of them.
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
    let two = _mm512_set1_epi16(2);
    let indices = groups.indices.chunks_exact(GROUP);
    let weights = groups.weights.chunks_exact(groups.pairs * GROUP);
    let places = groups.bases.iter().zip(out.chunks_mut(GROUP));
    for ((base, out), (indices, weights)) in places.zip(indices.zip(weights)) {
        debug_assert!(base + SLACK <= row.len());
        // SAFETY: a group's base is an input, so that a row with its slack has
        // two vectors from there on; the tables have one and `pairs` vectors a
        // group; the mask has a bit for each output that is there.
        unsafe {
            let from = row.as_ptr().add(*base);
            let low = _mm512_loadu_si512(from.cast());
            let high = _mm512_loadu_si512(from.add(SLACK / 2).cast());
            let mut index = _mm512_loadu_si512(indices.as_ptr().cast());
            let mut sum = half;
            let mut weight = weights.as_ptr();
            for _ in 0..groups.pairs {
                let values = _mm512_permutex2var_epi16(low, index, high);
                let products = _mm512_madd_epi16(values, _mm512_loadu_si512(weight.cast()));
                sum = _mm512_add_epi32(sum, products);
                index = _mm512_add_epi16(index, two);
                weight = weight.add(GROUP);
            }
            let sum: __m512i =
                _mm512_max_epi32(_mm512_sra_epi32(sum, shift), _mm512_setzero_si512());
            let mask = (((1u32 << out.len()) - 1) & 0xFFFF) as u16;
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
