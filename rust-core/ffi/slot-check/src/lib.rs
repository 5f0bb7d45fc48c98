//! `rust-core/ffi/src/slot.rs` and its tests without the library around it, which
//! takes Miri minutes to compile. What the slot names of it stands in here.

#![allow(dead_code, reason = "the library uses the rest")]

extern crate self as biglittle;

#[path = "../../src"]
mod ffi {
    mod slot;
}

mod error {
    use std::fmt;

    #[derive(Debug, PartialEq, Eq)]
    pub enum NativeError {
        Busy(&'static str),
        Closed(&'static str),
    }

    impl NativeError {
        pub fn busy() -> Self {
            NativeError::Busy("busy")
        }

        pub fn closed() -> Self {
            NativeError::Closed("closed")
        }
    }

    impl fmt::Display for NativeError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let (NativeError::Busy(text) | NativeError::Closed(text)) = self;
            f.write_str(text)
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct CancelFlag(std::sync::atomic::AtomicBool);

impl CancelFlag {
    pub(crate) fn cancel(&self) {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    pub(crate) fn reset(&self) {
        self.0.store(false, std::sync::atomic::Ordering::Relaxed);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }
}
