//! Memory of 64-byte lines, for arenas and packed weights.
//!
//! Decides alignment only. Used by [`pack`](crate::pack) and
//! [`session`](crate::session).

/// A cache line: the unit of allocation, so that vectors may be aligned.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// A zeroed, 64-byte aligned buffer of f32.
pub(crate) struct Buffer {
    lines: Vec<Line>,
}

impl Buffer {
    /// At least `n` zeros.
    pub fn zeros(n: usize) -> Self {
        Self { lines: vec![Line([0.0; 16]); n.div_ceil(16)] }
    }

    /// Floats that may be read.
    pub fn len(&self) -> usize {
        self.lines.len() * 16
    }

    pub fn as_ptr(&self) -> *const f32 {
        self.lines.as_ptr().cast()
    }

    pub fn as_mut_ptr(&mut self) -> *mut f32 {
        self.lines.as_mut_ptr().cast()
    }

    pub fn as_slice(&self) -> &[f32] {
        // SAFETY: `lines` holds `len` initialised floats without padding.
        unsafe { std::slice::from_raw_parts(self.as_ptr(), self.len()) }
    }

    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        // SAFETY: as above, and borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.as_mut_ptr(), self.len()) }
    }

    pub fn as_bytes_mut(&mut self) -> &mut [u8] {
        let n = self.len() * size_of::<f32>();
        // SAFETY: any byte may stand in a float, and a byte needs no alignment;
        // borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.as_mut_ptr().cast(), n) }
    }

    /// Appends `n` zeros, rounded up to whole lines, and returns where they
    /// start.
    pub fn grow(&mut self, n: usize) -> usize {
        let start = self.len();
        self.lines.resize(self.lines.len() + n.div_ceil(16), Line([0.0; 16]));
        start
    }

    /// Makes room for `n` floats to be appended without moving the rest.
    pub fn reserve(&mut self, n: usize) {
        self.lines.reserve_exact(n.div_ceil(16));
    }

    /// Gives spare capacity back where it is worth a copy.
    pub fn shrink(&mut self) {
        if self.lines.capacity() - self.lines.len() > self.lines.len() / 8 {
            self.lines.shrink_to_fit();
        }
    }
}
