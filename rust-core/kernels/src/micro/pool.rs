//! Max, average and global average pools.
//!
//! Windows are cut at the tensor's border, so padding is never read and needs
//! no value.

use super::{Context, Plane, unroll};
use crate::simd::Simd;

/// One call of a windowed pool, over all of its output.
#[derive(Clone, Debug)]
pub(crate) struct PoolCall {
    pub x: Plane,
    /// Rows and columns of the input.
    pub size: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    /// Above and to the left.
    pub padding: [usize; 2],
    pub out: Plane,
    /// Rows and columns of the output.
    pub out_size: [usize; 2],
    pub vectors: usize,
    pub kind: crate::graph::PoolKind,
}

/// One call of a global average.
#[derive(Clone, Debug)]
pub(crate) struct GlobalCall {
    pub x: Plane,
    pub size: [usize; 2],
    pub out: usize,
    pub vectors: usize,
}

/// The part of window `i` that lies on the tensor: first element and count.
#[inline(always)]
fn cut(i: usize, stride: usize, padding: usize, kernel: usize, size: usize) -> (usize, usize) {
    let start = (i * stride).saturating_sub(padding);
    let end = (i * stride + kernel).saturating_sub(padding).min(size);
    (start, end - start)
}

/// Runs a windowed pool.
///
/// # Safety
/// The CPU has `S`, and the plan has verified the call against the context's
/// arena.
#[inline(always)]
pub(crate) unsafe fn run<S: Simd>(cx: &Context, call: &PoolCall) {
    let include = match call.kind {
        crate::graph::PoolKind::Max => None,
        crate::graph::PoolKind::Average { count_include_pad } => Some(count_include_pad),
    };
    for y in 0..call.out_size[0] {
        let (y0, ny) = cut(y, call.stride[0], call.padding[0], call.kernel[0], call.size[0]);
        for x in 0..call.out_size[1] {
            let (x0, nx) = cut(x, call.stride[1], call.padding[1], call.kernel[1], call.size[1]);
            // SAFETY: the plan proved both tensors inside the arena, and the
            // window is cut to the input; debug builds check again.
            unsafe {
                let p = cx.base.add(call.x.off + y0 * call.x.row + x0 * call.x.pix);
                let out = cx.base.add(call.out.off + y * call.out.row + x * call.out.pix);
                cx.check(p, (ny - 1) * call.x.row + (nx - 1) * call.x.pix + call.vectors * S::L);
                cx.check(out, call.vectors * S::L);
                match include {
                    None => {
                        for c in 0..call.vectors {
                            let p = p.add(c * S::L);
                            let mut m = S::load(p);
                            for dy in 0..ny {
                                for dx in 0..nx {
                                    let v = S::load(p.add(dy * call.x.row + dx * call.x.pix));
                                    m = S::max_nan(m, v);
                                }
                            }
                            S::store(out.add(c * S::L), m);
                        }
                    }
                    Some(include) => {
                        let n = if include { call.kernel[0] * call.kernel[1] } else { ny * nx };
                        let scale = S::splat(1.0 / n as f32);
                        for c in 0..call.vectors {
                            let p = p.add(c * S::L);
                            let mut sum = S::splat(0.0);
                            for dy in 0..ny {
                                for dx in 0..nx {
                                    let v = S::load(p.add(dy * call.x.row + dx * call.x.pix));
                                    sum = S::add(sum, v);
                                }
                            }
                            S::store(out.add(c * S::L), S::mul(sum, scale));
                        }
                    }
                }
            }
        }
    }
}

/// Runs a global average.
///
/// # Safety
/// The CPU has `S`, and the plan has verified the call against the context's
/// arena.
#[inline(always)]
pub(crate) unsafe fn global<S: Simd>(cx: &Context, call: &GlobalCall) {
    let [h, w] = call.size;
    // SAFETY: the plan proved input and output inside the arena; debug builds
    // check again.
    unsafe {
        let scale = S::splat(1.0 / (h * w) as f32);
        for c in 0..call.vectors {
            let mut sum = [S::splat(0.0); 4];
            for y in 0..h {
                let p = cx.base.add(call.x.off + y * call.x.row + c * S::L);
                cx.check(p, (w - 1) * call.x.pix + S::L);
                let mut x = 0;
                while x + 4 <= w {
                    unroll!(4: I < 4, {
                        sum[I] = S::add(sum[I], S::load(p.add((x + I) * call.x.pix)));
                    });
                    x += 4;
                }
                while x < w {
                    sum[0] = S::add(sum[0], S::load(p.add(x * call.x.pix)));
                    x += 1;
                }
            }
            let all = S::add(S::add(sum[0], sum[1]), S::add(sum[2], sum[3]));
            cx.check(cx.base.add(call.out + c * S::L), S::L);
            S::store(cx.base.add(call.out + c * S::L), S::mul(all, scale));
        }
    }
}
