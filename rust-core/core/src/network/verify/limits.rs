//! How large a network may be.
//!
//! Decides the limits' names and their documented default values; it does not
//! enforce them. Filled in by callers of `load` and `check_model`.

/// Limits on a network file. An error about a limit names the field here.
///
/// The defaults fit any classifier that a phone runs in real time and keep
/// the refusal of a hostile file under 2 s and 256 MB.
///
/// ```
/// let limits = biglittle::network::ModelLimits { max_nodes: 100, ..Default::default() };
/// assert_eq!(limits.max_file_bytes, 64 << 20);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelLimits {
    /// Longest ONNX file, in bytes. Default 64 MiB: while a network is opened its
    /// weights are in memory up to three times.
    pub max_file_bytes: usize,
    /// Most nodes that are left for tract once shapes and other small constants
    /// are computed and unused nodes dropped, a split counted for each output;
    /// the file may hold four times as many. The time to open a network grows with the square. Default 640
    /// (MobileNetV3 has about 150, ResNet-152 about 520, EfficientNet-B7 about
    /// 800).
    pub max_nodes: usize,
    /// Most nodes that only arrange activations anew (reshape, transpose, add or
    /// drop an axis): the time that tract takes to sort them out grows with the
    /// fourth power of their number. Default 96 (ShuffleNetV2 has 48).
    pub max_layout_nodes: usize,
    /// Most elements in one tensor, weight or activation. Default 16 Mi, which
    /// is 64 MiB of 32-bit floats.
    pub max_tensor_elements: usize,
    /// Most bytes that opening and running the network may take, as estimated
    /// from the graph: the file and the copies of its weights while it is
    /// opened, or the prepared weights and the live activations while it runs,
    /// whichever is more. Default 256 MiB.
    pub max_memory_bytes: usize,
    /// Most work in one run: multiply-accumulates of the convolutions and
    /// matrix products plus one for each element of each other operator.
    /// Default 20 G (ResNet-50 at 224 x 224 takes 4 G).
    pub max_macs: u64,
    /// Most elements computed while the network is opened, from constants
    /// only (weights that are transposed, dequantized, multiplied together).
    /// Default 32 Mi.
    pub max_constant_work: u64,
}

impl Default for ModelLimits {
    fn default() -> Self {
        ModelLimits {
            max_file_bytes: 64 << 20,
            max_nodes: 640,
            max_layout_nodes: 96,
            max_tensor_elements: 16 << 20,
            max_memory_bytes: 256 << 20,
            max_macs: 20_000_000_000,
            max_constant_work: 32 << 20,
        }
    }
}
