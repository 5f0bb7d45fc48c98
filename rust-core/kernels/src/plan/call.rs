//! The instructions of a compiled model: kernel calls with every offset
//! resolved.

use crate::micro::depthwise::DepthwiseCall;
use crate::micro::elementwise::{InterleaveCall, MapCall, SoftmaxCall};
use crate::micro::gemm::GemmCall;
use crate::micro::mover::{CopyCall, FillCall};
use crate::micro::pool::{GlobalCall, PoolCall};
use crate::winograd::WinogradCall;

/// One kernel call.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Gemm(GemmCall),
    Depthwise(DepthwiseCall),
    Winograd(WinogradCall),
    Pool(PoolCall),
    Global(GlobalCall),
    Map(MapCall),
    Softmax(SoftmaxCall),
    Interleave(InterleaveCall),
    Fill(FillCall),
    Copy(CopyCall),
}

/// A call and the layer it is part of.
#[derive(Clone, Debug)]
pub(crate) struct Step<C = Call> {
    pub layer: usize,
    pub call: C,
}

/// A call as one of an enum of calls.
macro_rules! calls {
    ($all:ident: $($variant:ident($call:ty)),*) => { $(
        impl From<$call> for $all {
            fn from(call: $call) -> Self {
                Self::$variant(call)
            }
        }
    )* };
}
pub(crate) use calls;

calls!(Call: Interleave(InterleaveCall), Fill(FillCall), Copy(CopyCall));
