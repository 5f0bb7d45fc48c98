//! The caller's wish to stop, heard between one level and the next.
//!
//! Decides nothing about what becomes of a run that was stopped: the
//! [`cascade`](crate::cascade) looks at the flag, and
//! [`engine`](crate::engine) hands it out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, ErrorKind, Result};

/// Stops a run from another thread. Clones are one flag.
///
/// A network that is running is not interrupted; the run ends before the next
/// one begins. The flag stays set, and stops every later run, until
/// [`CancelFlag::reset`].
#[derive(Debug, Clone, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    /// Ends the run in progress with [`ErrorKind::Cancelled`], and every later
    /// one.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Lets runs go on again.
    pub fn reset(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Whether runs are to end.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Nothing, unless runs are to end.
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`] when they are.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            return Err(Error::new(
                ErrorKind::Cancelled,
                "the run was cancelled: give the frame again if its answer is wanted",
            ));
        }
        Ok(())
    }
}
