//! Layers in floats inside an int8 network: fully connected ones with 8-bit
//! weights, and activations, which also convert between bytes and floats.
//!
//! Plain loops over 16 numbers, which the compiler turns into vectors of each
//! set. The order of every sum is written out and every step rounded as IEEE
//! 754 says, so that all sets give the same floats.

use super::BLOCK;
use super::elementwise::byte;
use crate::graph::Activation;
use crate::int8::functions::activate;
use crate::int8::quantization::Stored;
use crate::micro::{Context, Plane};

/// Numbers of a block of channels.
type Floats = [f32; BLOCK];

/// Partial sums of an output: input channel `c` is added to number `c % PARTS`.
const PARTS: usize = 4;

/// A fully connected layer over an image of `size` with `inputs` floats a pixel.
#[derive(Clone, Debug)]
pub(crate) struct DenseCall {
    pub x: Plane,
    pub size: [usize; 2],
    pub inputs: usize,
    /// Offset of the first output, and how many there are, a multiple of 16.
    pub out: usize,
    pub outputs: usize,
    /// Offset of the packed weights; see [`dense_bytes`].
    pub weights: usize,
    /// Bounds of what is stored.
    pub lo: f32,
    pub hi: f32,
}

/// Bytes of 16 packed outputs with `products` products each: scales, biases,
/// then 16 weights a product.
pub(crate) fn dense_bytes(products: usize) -> Option<usize> {
    products.checked_add(8)?.checked_mul(BLOCK)
}

/// Blocks of outputs that are summed side by side, so that their additions
/// need not wait for each other.
const BLOCKS: usize = 4;

/// The sums of `N` blocks, whose weights are at `weights` and each `block` bytes
/// further.
///
/// # Safety
/// As for [`dense`].
#[inline(always)]
unsafe fn sums<const N: usize>(
    cx: &Context<u8>,
    call: &DenseCall,
    mut weights: *const u8,
    block: usize,
) -> [Floats; N] {
    let [h, w] = call.size;
    let mut parts = [[[0.0f32; BLOCK]; N]; PARTS];
    for (y, x) in (0..h).flat_map(|y| (0..w).map(move |x| (y, x))) {
        // SAFETY: the plan proved the image inside the arena, aligned for
        // floats, and the weights of each block; builds with `checks` look at
        // the arena again.
        unsafe {
            let pixel = cx.base.add(call.x.off + y * call.x.row + x * call.x.pix);
            cx.check(pixel, 4 * call.inputs);
            let pixel = std::slice::from_raw_parts(pixel.cast::<f32>(), call.inputs);
            for some in pixel.chunks(PARTS) {
                for (&v, part) in some.iter().zip(&mut parts) {
                    for (n, part) in part.iter_mut().enumerate() {
                        let w = weights.add(n * block).cast::<[i8; BLOCK]>().read_unaligned();
                        *part = std::array::from_fn(|i| f32::from(w[i]).mul_add(v, part[i]));
                    }
                    weights = weights.add(BLOCK);
                }
            }
        }
    }
    let [a, b, c, d] = parts;
    std::array::from_fn(|n| std::array::from_fn(|i| (a[n][i] + b[n][i]) + (c[n][i] + d[n][i])))
}

/// Computes `N` blocks of outputs from number `first` on.
///
/// # Safety
/// As for [`dense`].
#[inline(always)]
unsafe fn blocks<const N: usize>(cx: &Context<u8>, call: &DenseCall, first: usize) {
    let block = (call.size[0] * call.size[1] * call.inputs + 8) * BLOCK;
    // SAFETY: the plan proved as many blocks of weights as outputs, and the
    // outputs inside the arena; builds with `checks` look again.
    unsafe {
        let at = cx.weights.add(call.weights + first * block);
        let sums = sums::<N>(cx, call, at.add(8 * BLOCK), block);
        for (n, sum) in sums.iter().enumerate() {
            let [scale, bias] = at.add(n * block).cast::<[Floats; 2]>().read_unaligned();
            let value = |i: usize| {
                let v = sum[i].mul_add(scale[i], bias[i]);
                let v = if v > call.lo { v } else { call.lo };
                if v < call.hi { v } else { call.hi }
            };
            let out = cx.base.add(call.out + 4 * BLOCK * (first + n));
            cx.check(out, 4 * BLOCK);
            out.cast::<Floats>().write_unaligned(std::array::from_fn(value));
        }
    }
}

/// Runs one call.
///
/// # Safety
/// The plan has verified the call against the context's arena and weights.
#[inline(always)]
pub(crate) unsafe fn dense(cx: &Context<u8>, call: &DenseCall) {
    let (mut first, count) = (0, call.outputs / BLOCK);
    while first < count {
        let n = if count - first >= BLOCKS { BLOCKS } else { 1 };
        // SAFETY: passed on from the caller.
        unsafe {
            match n {
                BLOCKS => blocks::<BLOCKS>(cx, call, first),
                _ => blocks::<1>(cx, call, first),
            }
        }
        first += n;
    }
}

/// An activation from bytes or floats to bytes or floats, not both bytes, over
/// `rows` rows of `m` pixels of `channels` numbers, a multiple of 16. `None` only
/// converts.
#[derive(Clone, Debug)]
pub(crate) struct ActivateCall {
    pub activation: Activation,
    pub from: Stored,
    pub to: Stored,
    pub x: Plane,
    pub out: Plane,
    pub rows: usize,
    pub m: usize,
    pub channels: usize,
}

#[inline(always)]
unsafe fn each<const FLIP: u8>(cx: &Context<u8>, call: &ActivateCall, f: impl Fn(f64) -> f64) {
    for (r, x) in (0..call.rows).flat_map(|r| (0..call.m).map(move |x| (r, x))) {
        for c in (0..call.channels).step_by(BLOCK) {
            // SAFETY: the plan proved all pixels of the call inside the arena;
            // builds with `checks` look again.
            unsafe {
                let at = |p: Plane, stored: Stored| {
                    let size = if stored == Stored::Floats { 4 } else { 1 };
                    let p = cx.base.add(p.off + r * p.row + x * p.pix + size * c);
                    cx.check(p, size * BLOCK);
                    p
                };
                let v: Floats = match (at(call.x, call.from), call.from) {
                    (p, Stored::Floats) => p.cast::<Floats>().read_unaligned(),
                    (p, Stored::Bytes(q)) => {
                        let bytes = p.cast::<[u8; BLOCK]>().read_unaligned();
                        bytes.map(|b| q.real(b ^ FLIP))
                    }
                };
                let v = v.map(|v| f(f64::from(v)) as f32);
                match (at(call.out, call.to), call.to) {
                    (p, Stored::Floats) => p.cast::<Floats>().write_unaligned(v),
                    (p, Stored::Bytes(q)) => {
                        let (steps, zero) = (q.steps(), f32::from(q.zero_point));
                        let bytes = v.map(|v| byte(v.mul_add(steps, zero), 0.0, 255.0) ^ FLIP);
                        p.cast::<[u8; BLOCK]>().write_unaligned(bytes);
                    }
                }
            }
        }
    }
}

/// Runs one call; stored bytes are XORed with `FLIP`.
///
/// # Safety
/// The plan has verified the call against the context's arena.
#[inline(always)]
pub(crate) unsafe fn map<const FLIP: u8>(cx: &Context<u8>, call: &ActivateCall) {
    // each activation by itself, so that it is known inside the loop
    macro_rules! with {
        ($($a:pat => $known:expr),*) => {
            match call.activation {
                // SAFETY: passed on from the caller.
                $( $a => unsafe { each::<FLIP>(cx, call, |v| activate($known, v)) }, )*
            }
        };
    }
    with!(
        Activation::None => Activation::None,
        Activation::Sigmoid => Activation::Sigmoid,
        Activation::Silu => Activation::Silu,
        other => other
    );
}
