//! Element by element: sums, products, scale and shift, activations, softmax,
//! interleave.

use super::{Context, Epilogue, Plane};
use crate::simd::Simd;

/// A function of one or two vectors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Function {
    /// `a + b`, then the epilogue.
    Add(Epilogue),
    /// `a * b`, then the epilogue.
    Mul(Epilogue),
    /// `a * scale + shift`, then the epilogue; the constants are two vectors a
    /// channel block at this offset of the weights.
    Affine(usize, Epilogue),
    /// The epilogue alone.
    Clamp(Epilogue),
    /// `clamp(alpha * a + beta, 0, 1)`.
    HardSigmoid(f32, f32),
    /// `1 / (1 + exp(-a))`.
    Sigmoid,
    /// `a / (1 + exp(-a))`.
    Silu,
    /// `a` or `slope * a`.
    Leaky(f32),
}

/// One call over `rows` rows of `m` pixels of `vectors` vectors.
#[derive(Clone, Debug)]
pub(crate) struct MapCall {
    pub function: Function,
    pub a: Plane,
    /// The second input; strides of 0 repeat one pixel. `a` again for
    /// functions of one input.
    pub b: Plane,
    pub out: Plane,
    pub rows: usize,
    pub m: usize,
    pub vectors: usize,
}

/// [`map`], out of line: one instance serves all callers.
pub(crate) type MapFn = unsafe fn(&Context, &MapCall);

/// A function that a kernel applies to what it has just stored, while that is
/// in the first cache.
#[derive(Clone, Copy)]
pub(crate) struct Finish {
    pub function: Function,
    pub map: MapFn,
}

impl Finish {
    /// Applies the function in place to `m` pixels of `vectors` vectors from
    /// the arena's offset `off` on.
    ///
    /// # Safety
    /// The CPU has the instruction set of `map`, and the pixels lie inside the
    /// context's arena.
    #[inline(always)]
    pub unsafe fn pixels(&self, cx: &Context, off: usize, pix: usize, m: usize, vectors: usize) {
        let at = Plane { off, row: 0, pix };
        let function = self.function;
        // SAFETY: the caller vouches for all pixels of the call.
        unsafe {
            (self.map)(cx, &MapCall { function, a: at, b: at, out: at, rows: 1, m, vectors });
        };
    }
}

/// `e` to the power of `sign * x`, as a product of two factors: one between
/// 0.7 and 1.5, and a power of two. Infinite from about 88.4 on, at least
/// 1.17e-38, NaN for NaN. Relative error under 3e-7 where `|x| < 10`, growing
/// to 1.4e-6 at the ends.
#[inline(always)]
unsafe fn exp<S: Simd>(x: S::V, sign: f32) -> (S::V, S::V) {
    // SAFETY: register arithmetic; the caller vouches for the CPU.
    unsafe {
        // adding 1.5 * 2^23 rounds to an integer, 127 more is an exponent
        const MAGIC: f32 = 12_582_912.0 + 127.0;
        let (lo, hi) = if sign > 0.0 { (-87.336_54, 88.8) } else { (-88.8, 87.336_54) };
        let x = S::min(S::splat(hi), S::max(S::splat(lo), x));
        let scale = S::splat(sign * std::f32::consts::LOG2_E);
        let t = S::fma(x, scale, S::splat(MAGIC));
        let f = S::fma(x, scale, S::sub(S::splat(MAGIC), t));
        // 2^f on -0.5..=0.5, minimax with relative error 9e-8; in this order
        // because latency is what limits it
        let square = S::mul(f, f);
        #[allow(clippy::approx_constant, reason = "a minimax coefficient, not ln 2")]
        let a = S::fma(f, S::splat(0.693_147), S::splat(1.0));
        let b = S::fma(f, S::splat(0.055_507_336), S::splat(0.240_222_42));
        let c = S::fma(f, S::splat(0.001_326_472_7), S::splat(0.009_671_513));
        let p = S::fma(S::fma(c, square, b), square, a);
        (p, S::to_exponent(t))
    }
}

#[inline(always)]
unsafe fn sigmoid<S: Simd>(v: S::V) -> S::V {
    // SAFETY: register arithmetic; the caller vouches for the CPU.
    unsafe {
        let one = S::splat(1.0);
        let (p, power) = exp::<S>(v, -1.0);
        S::div(one, S::fma(p, power, one))
    }
}

/// One function as a type, so that loops are compiled per function.
trait Body<S: Simd> {
    /// # Safety
    /// The CPU has `S`; `channel` is a vector index below the call's.
    unsafe fn apply(&self, a: S::V, b: S::V, channel: usize) -> S::V;
}

macro_rules! body {
    ($name:ident($($field:ident: $ty:ty),*), |$a:ident, $b:ident, $c:ident| $e:expr) => {
        struct $name { $($field: $ty),* }
        impl<S: Simd> Body<S> for $name {
            #[inline(always)]
            unsafe fn apply(&self, $a: S::V, $b: S::V, $c: usize) -> S::V {
                let Self { $($field),* } = self;
                // SAFETY: register arithmetic, and for `Affine` constants that
                // the plan has checked; the caller vouches for the CPU.
                unsafe { $e }
            }
        }
    };
}
body!(AddBody(e: Epilogue), |a, b, _c| e.apply::<S>(S::add(a, b)));
body!(MulBody(e: Epilogue), |a, b, _c| e.apply::<S>(S::mul(a, b)));
body!(AffineBody(w: *const f32, e: Epilogue), |a, _b, c| {
    let w = w.add(c * 2 * S::L);
    e.apply::<S>(S::fma(a, S::load(w), S::load(w.add(S::L))))
});
body!(ClampBody(e: Epilogue), |a, _b, _c| e.apply::<S>(a));
body!(HardSigmoidBody(alpha: f32, beta: f32), |a, _b, _c| S::min(
    S::splat(1.0),
    S::max(S::splat(0.0), S::fma(a, S::splat(*alpha), S::splat(*beta)))
));
body!(SigmoidBody(), |a, _b, _c| sigmoid::<S>(a));
body!(SiluBody(), |a, _b, _c| S::mul(a, sigmoid::<S>(a)));
body!(LeakyBody(slope: f32), |a, _b, _c| {
    let zero = S::splat(0.0);
    S::fma(S::min(zero, a), S::splat(*slope), S::max(zero, a))
});

#[inline(always)]
unsafe fn each<S: Simd, B: Body<S>>(cx: &Context, call: &MapCall, body: &B) {
    for r in 0..call.rows {
        for x in 0..call.m {
            // SAFETY: the plan proved all pixels of the call inside the arena;
            // builds with `checks` look again.
            unsafe {
                let a = cx.base.add(call.a.off + r * call.a.row + x * call.a.pix);
                let b = cx.base.add(call.b.off + r * call.b.row + x * call.b.pix);
                let out = cx.base.add(call.out.off + r * call.out.row + x * call.out.pix);
                for p in [a, b, out] {
                    cx.check(p, call.vectors * S::L);
                }
                for c in 0..call.vectors {
                    let v = body.apply(S::load(a.add(c * S::L)), S::load(b.add(c * S::L)), c);
                    S::store(out.add(c * S::L), v);
                }
            }
        }
    }
}

/// Runs one call.
///
/// # Safety
/// The CPU has `S`, and the plan has verified the call against the context's
/// arena and weights.
#[inline(always)]
pub(crate) unsafe fn map<S: Simd>(cx: &Context, call: &MapCall) {
    // SAFETY: passed on from the caller; the offset of affine constants was
    // checked against the weights.
    unsafe {
        match call.function {
            Function::Add(e) => each::<S, _>(cx, call, &AddBody { e }),
            Function::Mul(e) => each::<S, _>(cx, call, &MulBody { e }),
            Function::Affine(off, e) => {
                each::<S, _>(cx, call, &AffineBody { w: cx.weights.add(off), e });
            }
            Function::Clamp(e) => each::<S, _>(cx, call, &ClampBody { e }),
            Function::HardSigmoid(alpha, beta) => {
                each::<S, _>(cx, call, &HardSigmoidBody { alpha, beta });
            }
            Function::Sigmoid => each::<S, _>(cx, call, &SigmoidBody {}),
            Function::Silu => each::<S, _>(cx, call, &SiluBody {}),
            Function::Leaky(slope) => each::<S, _>(cx, call, &LeakyBody { slope }),
        }
    }
}

/// Softmax over `channels` of each pixel.
#[derive(Clone, Debug)]
pub(crate) struct SoftmaxCall {
    pub x: Plane,
    pub out: Plane,
    pub rows: usize,
    pub m: usize,
    pub channels: usize,
    pub vectors: usize,
}

/// Runs one call.
///
/// # Safety
/// The CPU has `S`, and the plan has verified the call against the context's
/// arena.
#[inline(always)]
pub(crate) unsafe fn softmax<S: Simd>(cx: &Context, call: &SoftmaxCall) {
    for r in 0..call.rows {
        for x in 0..call.m {
            // SAFETY: the plan proved all pixels of the call inside the arena;
            // builds with `checks` look again.
            unsafe {
                let p = cx.base.add(call.x.off + r * call.x.row + x * call.x.pix);
                let out = cx.base.add(call.out.off + r * call.out.row + x * call.out.pix);
                cx.check(p, call.vectors * S::L);
                cx.check(out, call.vectors * S::L);
                let mut largest = f32::NEG_INFINITY;
                for c in 0..call.channels {
                    largest = largest.max(*p.add(c));
                }
                let shift = S::splat(largest);
                for c in 0..call.vectors {
                    let (e, power) = exp::<S>(S::sub(S::load(p.add(c * S::L)), shift), 1.0);
                    S::store(out.add(c * S::L), S::mul(e, power));
                }
                let mut sum = 0.0;
                for c in 0..call.channels {
                    sum += *out.add(c);
                }
                let scale = S::splat(1.0 / sum);
                for c in 0..call.vectors {
                    S::store(out.add(c * S::L), S::mul(S::load(out.add(c * S::L)), scale));
                }
            }
        }
    }
}

/// Channels of two tensors alternately, `channels` of each.
#[derive(Clone, Debug)]
pub(crate) struct InterleaveCall {
    pub a: Plane,
    pub b: Plane,
    pub out: Plane,
    pub rows: usize,
    pub m: usize,
    pub channels: usize,
}

/// Runs one call.
///
/// # Safety
/// The CPU has `S`, and the plan has verified the call against the context's
/// arena.
#[inline(always)]
pub(crate) unsafe fn interleave<S: Simd>(cx: &Context, call: &InterleaveCall) {
    let n = call.channels;
    for r in 0..call.rows {
        for x in 0..call.m {
            // SAFETY: the plan proved `n` channels of every input pixel and
            // `2 * n` of every output pixel inside the arena; vectors stay
            // within them, the last one overlapping its neighbour. Debug
            // builds check again.
            unsafe {
                let a = cx.base.add(call.a.off + r * call.a.row + x * call.a.pix);
                let b = cx.base.add(call.b.off + r * call.b.row + x * call.b.pix);
                let out = cx.base.add(call.out.off + r * call.out.row + x * call.out.pix);
                cx.check(a, n);
                cx.check(b, n);
                cx.check(out, 2 * n);
                if n < S::L {
                    for c in 0..n {
                        *out.add(2 * c) = *a.add(c);
                        *out.add(2 * c + 1) = *b.add(c);
                    }
                    continue;
                }
                let mut c = 0;
                while c < n {
                    let at = c.min(n - S::L);
                    let (lo, hi) = S::zip(S::load(a.add(at)), S::load(b.add(at)));
                    S::store(out.add(2 * at), lo);
                    S::store(out.add(2 * at + S::L), hi);
                    c += S::L;
                }
            }
        }
    }
}
