//! An engine that many threads may hold and one at a time may run.
//!
//! The lock is held only to take the engine out and to put it back, never while
//! networks run: to push a reading, to cancel and to close never wait for one.
//! A change that comes during a run waits in the inbox, and is made when the
//! engine is back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use biglittle::CancelFlag;

use crate::error::NativeError;

/// A change that waits for the engine to be back.
type Change<E> = Box<dyn FnOnce(&mut E) + Send>;

/// A place for one engine.
pub(crate) struct Slot<E> {
    state: Mutex<State<E>>,
    /// Told when a run ends.
    back: Condvar,
    cancel: CancelFlag,
}

enum State<E> {
    Idle(E),
    Running { inbox: Vec<Change<E>> },
    Closed,
}

/// The engine while it is out. Puts it back when it is dropped, after a panic
/// too; if the slot was closed meanwhile, drops it.
pub(crate) struct Run<'a, E> {
    slot: &'a Slot<E>,
    engine: Option<E>,
}

impl<E> Slot<E> {
    /// A slot for `engine`, whose runs `cancel` stops.
    pub fn new(engine: E, cancel: CancelFlag) -> Self {
        Slot { state: Mutex::new(State::Idle(engine)), back: Condvar::new(), cancel }
    }

    fn lock(&self) -> MutexGuard<'_, State<E>> {
        // Every change of the state is one assignment: a panic leaves no half.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state once no run is in progress.
    fn when_back(&self) -> MutexGuard<'_, State<E>> {
        let is_running = |state: &mut State<E>| matches!(state, State::Running { .. });
        let state = self.back.wait_while(self.lock(), is_running);
        state.unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the engine out to run it.
    ///
    /// # Errors
    /// `Busy` when it is out already, `Closed` when there is none any more.
    pub fn take(&self) -> Result<Run<'_, E>, NativeError> {
        self.take_from(self.lock())
    }

    /// Takes the engine out after the run in progress.
    ///
    /// # Errors
    /// `Closed` when there is none any more.
    pub fn take_when_back(&self) -> Result<Run<'_, E>, NativeError> {
        self.take_from(self.when_back())
    }

    fn take_from(&self, mut state: MutexGuard<'_, State<E>>) -> Result<Run<'_, E>, NativeError> {
        match std::mem::replace(&mut *state, State::Running { inbox: Vec::new() }) {
            State::Idle(engine) => {
                self.cancel.reset();
                Ok(Run { slot: self, engine: Some(engine) })
            }
            State::Running { inbox } => {
                *state = State::Running { inbox };
                Err(NativeError::busy())
            }
            State::Closed => {
                *state = State::Closed;
                Err(NativeError::closed())
            }
        }
    }

    /// Looks at the engine, after the run in progress.
    ///
    /// # Errors
    /// `Closed` when there is none any more.
    pub fn look<T>(&self, look: impl FnOnce(&mut E) -> T) -> Result<T, NativeError> {
        match &mut *self.when_back() {
            State::Idle(engine) => Ok(look(engine)),
            State::Running { .. } | State::Closed => Err(NativeError::closed()),
        }
    }

    /// Makes a change: now, or when the run in progress ends.
    ///
    /// # Errors
    /// `Closed` when there is no engine any more.
    pub fn change(&self, change: impl FnOnce(&mut E) + Send + 'static) -> Result<(), NativeError> {
        match &mut *self.lock() {
            State::Idle(engine) => change(engine),
            State::Running { inbox } => inbox.push(Box::new(change)),
            State::Closed => return Err(NativeError::closed()),
        }
        Ok(())
    }

    /// Stops the run in progress between levels. Nothing where there is none:
    /// the next run is not touched.
    pub fn cancel(&self) {
        // Under the lock, so that the flag is not set after the next run took
        // the engine.
        if let State::Running { .. } = &*self.lock() {
            self.cancel.cancel();
        }
    }

    /// Frees the engine: now, or when the run in progress has ended between
    /// levels. A second time changes nothing.
    pub fn close(&self) {
        let mut state = self.lock();
        if let State::Running { .. } = &*state {
            self.cancel.cancel();
        }
        let before = std::mem::replace(&mut *state, State::Closed);
        drop(state);
        self.back.notify_all();
        // Freeing networks takes a while: not under the lock.
        drop(before);
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        matches!(&*self.lock(), State::Closed)
    }
}

impl<E> Run<'_, E> {
    /// The engine.
    pub fn engine(&mut self) -> &mut E {
        self.engine.as_mut().expect("it is put back only when the run is dropped")
    }
}

impl<E> Drop for Run<'_, E> {
    fn drop(&mut self) {
        let Some(mut engine) = self.engine.take() else { return };
        let mut state = self.slot.lock();
        if let State::Running { inbox } = &mut *state {
            for change in inbox.drain(..) {
                // A defect in one must not leave the engine out for good.
                if catch_unwind(AssertUnwindSafe(|| change(&mut engine))).is_err() {
                    log::error!("a change of the engine stopped half-way: please report it");
                }
            }
            *state = State::Idle(engine);
        }
        // Else it was closed, and `engine` is freed after the lock is.
        drop(state);
        self.slot.back.notify_all();
    }
}

#[cfg(test)]
mod tests;
