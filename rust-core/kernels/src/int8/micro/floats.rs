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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::Buffer;
    use crate::graph::Shape;
    use crate::int8::micro::table::kernels;
    use crate::int8::pack::Packer;
    use crate::isa::Isa;

    /// Several pixels, channels that are no multiple of four, blocks side by side
    /// and one by itself.
    #[test]
    fn fully_connected_layers_of_images() {
        let (shape, outputs) = (Shape::new(2, 3, 5), 70);
        let number = |i: usize| ((i * 37 + 11) % 255) as i8;
        let weights: Vec<i8> = (0..outputs * shape.len()).map(|i| number(i).max(-127)).collect();
        let scales: Vec<f32> = (0..outputs).map(|o| 0.01 + o as f32 / 1e4).collect();
        let bias: Vec<f32> = (0..outputs).map(|o| o as f32 - 30.0).collect();
        let x: Vec<f32> = (0..shape.len()).map(|i| f32::from(number(i)) / 7.0).collect();
        for isa in Isa::available().into_iter().filter(|isa| isa.has_int8()) {
            let kernels = kernels(isa);
            let mut packer = Packer::new(kernels.set);
            let weights_at = packer.float_dense(&weights, &scales, &bias, shape);
            let mut arena = Buffer::zeros(6 * 16 + 80);
            for (to, from) in arena.as_mut_slice().chunks_mut(16).zip(x.chunks(5)) {
                to[..5].copy_from_slice(from);
            }
            let call = DenseCall {
                x: Plane { off: 0, row: 3 * 64, pix: 64 },
                size: [2, 3],
                inputs: 5,
                out: 6 * 64,
                outputs: 80,
                weights: weights_at,
                lo: -60.0,
                hi: 60.0,
            };
            let cx = Context {
                base: arena.as_mut_ptr().cast(),
                len: arena.len() * 4,
                rows: std::ptr::null(),
                weights: packer.buffer.as_ptr().cast(),
            };
            // SAFETY: six pixels of 16 floats and 80 outputs are in the arena, the
            // packed weights are those of the call, and the set is available.
            unsafe { (kernels.float_dense)(&cx, &call) };
            for (o, &got) in arena.as_slice()[96..96 + outputs].iter().enumerate() {
                let mut parts = [0.0f32; PARTS];
                for (i, &v) in x.iter().enumerate() {
                    let (pixel, channel) = (i / 5, i % 5);
                    let w = f32::from(weights[(o * 5 + channel) * 6 + pixel]);
                    parts[channel % PARTS] = w.mul_add(v, parts[channel % PARTS]);
                }
                let sum = (parts[0] + parts[1]) + (parts[2] + parts[3]);
                let want = sum.mul_add(scales[o], bias[o]).clamp(-60.0, 60.0);
                assert_eq!(got.to_bits(), want.to_bits(), "{isa}, output {o}");
            }
        }
    }
}
