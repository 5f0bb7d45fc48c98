//! What tract does not find out by itself on Android.

use std::sync::Once;

use tract_onnx::tract_core::tract_linalg::knobs::TRACT_CPU_ISA;

/// Tells tract of the processor's dot product instructions, before the first
/// network is opened: it looks for them only where the system is called Linux.
/// NEON and half precision it finds by itself.
pub(super) fn tell_tract_the_processor() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if TRACT_CPU_ISA.get().is_none() && std::arch::is_aarch64_feature_detected!("dotprod") {
            TRACT_CPU_ISA.set(Some("+dotprod".into()));
        }
    });
}
