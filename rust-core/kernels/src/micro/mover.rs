//! Calls that move elements without computing: padding, copies, shuffles, and
//! the network's input and output. The same code on every instruction set and
//! for every type of element.

use super::{Context, Plane};

/// Writes a value to two stretches in each of `rows` rows.
#[derive(Clone, Debug)]
pub(crate) struct FillCall<E = f32> {
    pub off: usize,
    pub row: usize,
    pub rows: usize,
    /// Offset in the row and length of two stretches.
    pub stretches: [(usize, usize); 2],
    pub value: E,
}

/// Runs one call.
///
/// # Safety
/// The plan has verified the call against the context's arena.
pub(crate) unsafe fn fill<E: Copy>(cx: &Context<E>, call: &FillCall<E>) {
    for r in 0..call.rows {
        for (start, n) in call.stretches {
            if n > 0 {
                // SAFETY: the plan proved the stretch inside the arena; debug
                // builds check again.
                unsafe {
                    let p = cx.base.add(call.off + r * call.row + start);
                    cx.check(p, n);
                    std::slice::from_raw_parts_mut(p, n).fill(call.value);
                }
            }
        }
    }
}

/// Copies `channels` elements of each pixel; with `groups` over 1 shuffled.
#[derive(Clone, Debug)]
pub(crate) struct CopyCall {
    pub x: Plane,
    pub out: Plane,
    pub rows: usize,
    pub m: usize,
    pub channels: usize,
    pub groups: usize,
}

/// Runs one call.
///
/// # Safety
/// The plan has verified the call against the context's arena.
pub(crate) unsafe fn copy<E: Copy>(cx: &Context<E>, call: &CopyCall) {
    for r in 0..call.rows {
        for x in 0..call.m {
            // SAFETY: the plan proved all pixels of the call inside the arena,
            // input and output in different tensors; builds with `checks` look again.
            unsafe {
                let p = cx.base.add(call.x.off + r * call.x.row + x * call.x.pix);
                let out = cx.base.add(call.out.off + r * call.out.row + x * call.out.pix);
                cx.check(p, call.channels);
                cx.check(out, call.channels);
                if call.groups == 1 {
                    out.copy_from_nonoverlapping(p, call.channels);
                } else {
                    let per = call.channels / call.groups;
                    for i in 0..per {
                        for j in 0..call.groups {
                            *out.add(i * call.groups + j) = *p.add(j * per + i);
                        }
                    }
                }
            }
        }
    }
}

/// The network's input or output: a dense slice outside the arena.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    pub plane: Plane,
    pub size: [usize; 2],
    pub channels: usize,
    /// Whether the slice is in channel, row, column order.
    pub chw: bool,
}

/// Side of the square blocks that transposes work in.
const BLOCK: usize = 16;

/// Three planes to pixels of three: a colour image, the usual input. A loop that
/// the compiler turns into vectors.
#[inline(always)]
pub(crate) fn interleave<E: Copy>(to: &mut [[E; 3]], from: [&[E]; 3]) {
    let [r, g, b] = from.map(|plane| &plane[..to.len()]);
    for (x, to) in to.iter_mut().enumerate() {
        *to = [r[x], g[x], b[x]];
    }
}

impl Port {
    /// Calls `f(offset in the arena, offset in the slice, length)` for every
    /// stretch that is contiguous in both.
    #[inline(always)]
    pub fn stretches(&self, mut f: impl FnMut(usize, usize, usize)) {
        let ([h, w], c, p) = (self.size, self.channels, self.plane);
        for y in 0..h {
            let row = p.off + y * p.row;
            if !self.chw || c == 1 {
                if p.pix == c {
                    f(row, y * w * c, w * c);
                } else {
                    for x in 0..w {
                        f(row + x * p.pix, (y * w + x) * c, c);
                    }
                }
                continue;
            }
            if c < BLOCK {
                for x in 0..w {
                    for ch in 0..c {
                        f(row + x * p.pix + ch, (ch * h + y) * w + x, 1);
                    }
                }
                continue;
            }
            for x0 in (0..w).step_by(BLOCK) {
                for c0 in (0..c).step_by(BLOCK) {
                    for ch in c0..(c0 + BLOCK).min(c) {
                        for x in x0..(x0 + BLOCK).min(w) {
                            f(row + x * p.pix + ch, (ch * h + y) * w + x, 1);
                        }
                    }
                }
            }
        }
    }

    /// Length of the slice.
    pub fn len(&self) -> usize {
        self.size[0] * self.size[1] * self.channels
    }

    /// Copies the slice to the arena.
    ///
    /// # Safety
    /// The plan has verified the port against the context's arena, and `from`
    /// is [`Port::len`] long.
    pub unsafe fn read<E: Copy>(&self, cx: &Context<E>, from: &[E]) {
        debug_assert_eq!(from.len(), self.len());
        let ([h, w], p) = (self.size, self.plane);
        if self.chw && self.channels == 3 && p.pix == 3 {
            let (r, gb) = from.split_at(h * w);
            let (g, b) = gb.split_at(h * w);
            for y in 0..h {
                // SAFETY: the plan proved the plane inside the arena, and no
                // slice of the caller is in it. Builds with `checks` look again.
                let to = unsafe {
                    let to = cx.base.add(p.off + y * p.row);
                    cx.check(to, 3 * w);
                    std::slice::from_raw_parts_mut(to.cast::<[E; 3]>(), w)
                };
                interleave(to, [r, g, b].map(|plane| &plane[y * w..(y + 1) * w]));
            }
            return;
        }
        self.stretches(|at, i, n| {
            // SAFETY: the plan proved the plane inside the arena; the slice
            // has `h * w * c` elements. Builds with `checks` look again.
            unsafe {
                let (to, p) = (cx.base.add(at), from.as_ptr().add(i));
                cx.check(to, n);
                if n == 1 {
                    *to = *p;
                } else {
                    to.copy_from_nonoverlapping(p, n);
                }
            }
        });
    }

    /// Copies the arena's tensor to the slice.
    ///
    /// # Safety
    /// As for [`Port::read`].
    pub unsafe fn write<E: Copy>(&self, cx: &Context<E>, to: &mut [E]) {
        debug_assert_eq!(to.len(), self.len());
        self.stretches(|at, i, n| {
            // SAFETY: as in `read`.
            unsafe {
                let (p, to) = (cx.base.add(at), to.as_mut_ptr().add(i));
                cx.check(p, n);
                if n == 1 {
                    *to = *p;
                } else {
                    to.copy_from_nonoverlapping(p, n);
                }
            }
        });
    }
}
