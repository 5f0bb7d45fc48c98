//! What a caller may choose when a model is compiled.

use crate::isa::Isa;

/// Order of the floats of the network's input or output slice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataLayout {
    /// Row, column, channel: how the kernels work.
    Nhwc,
    /// Channel, row, column: ONNX's order. Transposed inside the run.
    #[default]
    Chw,
}

/// Whether 3x3 and 5x5 convolutions of stride 1 use Winograd's algorithm, which
/// takes about half the time and rounds a little more (some 5e-6 of the
/// largest value instead of 1e-6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WinogradUse {
    /// Where it pays: at least 16 channels on both sides, at least a tile of
    /// pixels (4x4; 2x2 for 5x5 kernels) and transformed weights that fit the
    /// cache.
    #[default]
    Auto,
    /// Never.
    Off,
    /// Wherever it is possible, for tests.
    Always,
}

/// How a model is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The instruction set; `None` for the fastest of this machine.
    pub isa: Option<Isa>,
    /// Whether nodes are merged and blocks computed strip by strip.
    pub fuse: bool,
    /// Bytes of intermediate rows that a fused block may hold; at least one
    /// row is computed at a time. A little under the size of the level 2 cache
    /// is best.
    pub strip_bytes: usize,
    /// Whether Winograd is used.
    pub winograd: WinogradUse,
    /// Largest transformed weights, in bytes, of a layer for
    /// [`WinogradUse::Auto`].
    pub winograd_bytes: usize,
    /// Order of the input slice.
    pub input_layout: DataLayout,
    /// Order of the output slice.
    pub output_layout: DataLayout,
    /// Most bytes that the arena, the packed weights and the plan's tables may
    /// take, each.
    pub memory_limit: usize,
}

impl Default for Options {
    /// Fastest instruction set, fused, strips of 640 KiB (256 KiB on arm64),
    /// Winograd up to 10 MiB (2 MiB on arm64), slices in CHW order, 1 GiB.
    fn default() -> Self {
        let phone = cfg!(target_arch = "aarch64");
        Self {
            isa: None,
            fuse: true,
            strip_bytes: if phone { 256 << 10 } else { 640 << 10 },
            winograd: WinogradUse::Auto,
            winograd_bytes: if phone { 2 << 20 } else { 10 << 20 },
            input_layout: DataLayout::Chw,
            output_layout: DataLayout::Chw,
            memory_limit: 1 << 30,
        }
    }
}
