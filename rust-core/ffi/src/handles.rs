//! Numbers for engines, by which JNI finds them. They are there on iOS too, where
//! nobody asks: the bindings of all platforms are made from one library.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock, Weak};

use crate::engine::NativeEngine;
use crate::error::{NativeError, guarded};

type Engines = HashMap<i64, Weak<NativeEngine>>;

static ENGINES: LazyLock<RwLock<Engines>> = LazyLock::new(RwLock::default);
/// Never the same number twice in a process.
static NEXT: AtomicI64 = AtomicI64::new(1);

/// The number of one engine, which is forgotten with it.
#[derive(Debug)]
pub(crate) struct Handle(i64);

impl Handle {
    pub fn new(engine: &Weak<NativeEngine>) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut engines = ENGINES.write().unwrap_or_else(PoisonError::into_inner);
        engines.insert(number, engine.clone());
        Handle(number)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        ENGINES.write().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

/// The engine of that number.
#[cfg_attr(target_os = "ios", allow(dead_code, reason = "only JNI looks engines up"))]
pub(crate) fn engine(number: i64) -> Result<Arc<NativeEngine>, NativeError> {
    let engines = ENGINES.read().unwrap_or_else(PoisonError::into_inner);
    engines.get(&number).and_then(Weak::upgrade).ok_or_else(NativeError::closed)
}

#[uniffi::export]
impl NativeEngine {
    /// The number by which the JNI functions find this engine.
    ///
    /// # Errors
    /// None; a result because every function of this layer gives one.
    pub fn jni_handle(&self) -> Result<i64, NativeError> {
        guarded(|| Ok(self.handle.0))
    }
}
