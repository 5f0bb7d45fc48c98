//! The network's input and output: slices outside the arena.

use super::elementwise::byte;
use crate::int8::Quantization;
use crate::micro::Context;
use crate::micro::mover::{Port, interleave};

/// The network's input.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub port: Port,
    pub quantization: Quantization,
    /// One over the scale.
    pub steps: f32,
}

/// The network's output.
#[derive(Clone, Debug)]
pub(crate) struct Exit {
    pub port: Port,
    /// How its bytes stand for numbers; `None` where it is floats, and the
    /// port counts in them.
    pub quantization: Option<Quantization>,
}

/// Pixels that are quantized at a time where planes are interleaved.
const CHUNK: usize = 128;

/// Quantizes a slice into the arena.
///
/// # Safety
/// The plan has verified the port against the context's arena, and `from` has
/// its length.
#[inline(always)]
pub(crate) unsafe fn read_floats<const FLIP: u8>(cx: &Context<u8>, entry: &Entry, from: &[f32]) {
    let (steps, zero) = (entry.steps, f32::from(entry.quantization.zero_point));
    let quantize = |v: f32| byte(v.mul_add(steps, zero), 0.0, 255.0) ^ FLIP;
    let port = &entry.port;
    let ([h, w], p) = (port.size, port.plane);
    if port.chw && port.channels == 3 && p.pix == 3 {
        let mut planes = [[0u8; CHUNK]; 3];
        for y in 0..h {
            for x in (0..w).step_by(CHUNK) {
                let n = CHUNK.min(w - x);
                for (c, plane) in planes.iter_mut().enumerate() {
                    let from = &from[(c * h + y) * w + x..][..n];
                    for (to, &v) in plane.iter_mut().zip(from) {
                        *to = quantize(v);
                    }
                }
                // SAFETY: the plan proved the plane inside the arena. Debug
                // builds check again.
                let to = unsafe {
                    let to = cx.base.add(p.off + y * p.row + 3 * x);
                    cx.check(to, 3 * n);
                    std::slice::from_raw_parts_mut(to.cast::<[u8; 3]>(), n)
                };
                let [r, g, b] = &planes;
                interleave(to, [r, g, b]);
            }
        }
        return;
    }
    port.stretches(|at, i, n| {
        // SAFETY: the plan proved the plane inside the arena. Builds with
        // `checks` look again.
        let to = unsafe {
            let to = cx.base.add(at);
            cx.check(to, n);
            std::slice::from_raw_parts_mut(to, n)
        };
        for (to, &v) in to.iter_mut().zip(&from[i..i + n]) {
            *to = quantize(v);
        }
    });
}

/// Copies quantized bytes into the arena.
///
/// # Safety
/// As for [`read_floats`].
#[inline(always)]
pub(crate) unsafe fn read_bytes<const FLIP: u8>(cx: &Context<u8>, entry: &Entry, from: &[u8]) {
    // SAFETY: the caller's contract.
    unsafe { entry.port.read(cx, from) };
    if FLIP != 0 {
        let (p, [h, w], n) = (entry.port.plane, entry.port.size, entry.port.channels);
        // pixels without gaps are one long pixel
        let (w, n) = if p.pix == n { (1, w * n) } else { (w, n) };
        for y in 0..h {
            for x in 0..w {
                // SAFETY: as above.
                unsafe {
                    let pixel = cx.base.add(p.off + y * p.row + x * p.pix);
                    cx.check(pixel, n);
                    let pixel = std::slice::from_raw_parts_mut(pixel, n);
                    pixel.iter_mut().for_each(|v| *v ^= FLIP);
                }
            }
        }
    }
}

/// Copies the output to a slice, as floats.
///
/// # Safety
/// As for [`read_floats`].
#[inline(always)]
pub(crate) unsafe fn write<const FLIP: u8>(cx: &Context<u8>, exit: &Exit, to: &mut [f32]) {
    let Some(q) = exit.quantization else {
        let Context { base, len, rows, weights } = *cx;
        let cx = Context { base: base.cast(), len: len / 4, rows, weights: weights.cast() };
        // SAFETY: the plan verified the port in floats, and all its offsets
        // are multiples of 4 bytes.
        return unsafe { exit.port.write(&cx, to) };
    };
    exit.port.stretches(|at, i, n| {
        // SAFETY: as in `read_floats`.
        let from = unsafe {
            let from = cx.base.add(at);
            cx.check(from, n);
            std::slice::from_raw_parts(from, n)
        };
        for (to, &v) in to[i..i + n].iter_mut().zip(from) {
            *to = q.real(v ^ FLIP);
        }
    });
}
