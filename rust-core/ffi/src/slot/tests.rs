//! Many threads at one slot. Small enough for Miri and ThreadSanitizer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use super::*;

/// An engine that notices two threads at once, and counts how many there are.
struct Engine {
    alive: Arc<AtomicUsize>,
    runs: usize,
    readings: usize,
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, SeqCst);
    }
}

fn slot() -> (Arc<Slot<Engine>>, Arc<AtomicUsize>) {
    let alive = Arc::new(AtomicUsize::new(1));
    let engine = Engine { alive: alive.clone(), runs: 0, readings: 0 };
    (Arc::new(Slot::new(engine, CancelFlag::default())), alive)
}

/// Trials of a race: fewer where every memory access is looked at.
const TRIALS: usize = if cfg!(miri) { 10 } else { 1_000 };

#[test]
fn a_second_thread_is_told_that_the_engine_is_busy() {
    let (slot, _) = slot();
    let run = slot.take().unwrap();
    assert_eq!(slot.take().err().unwrap(), NativeError::busy());
    drop(run);
    assert!(slot.take().is_ok());
}

#[test]
fn changes_wait_for_the_run_and_keep_their_order() {
    let (slot, _) = slot();
    let mut run = slot.take().unwrap();
    for _ in 0..3 {
        slot.change(|engine| engine.readings = engine.readings * 10 + 1).unwrap();
    }
    assert_eq!(run.engine().readings, 0);
    drop(run);
    assert_eq!(slot.look(|engine| engine.readings).unwrap(), 111);
}

#[test]
fn closed_during_a_run_it_is_freed_when_the_run_ends() {
    let (slot, alive) = slot();
    let run = slot.take().unwrap();
    slot.close();
    slot.close();
    assert!(slot.cancel.is_cancelled(), "the run is to end early");
    assert_eq!(alive.load(SeqCst), 1, "still running");
    for error in [slot.take().err(), slot.look(|_| ()).err(), slot.change(|_| unreachable!()).err()]
    {
        assert_eq!(error.unwrap(), NativeError::closed());
    }
    drop(run);
    assert_eq!(alive.load(SeqCst), 0);
    assert!(slot.is_closed());
}

#[test]
fn cancelling_without_a_run_does_not_touch_the_next() {
    let (slot, _) = slot();
    slot.cancel();
    assert!(!slot.cancel.is_cancelled());
    let run = slot.take().unwrap();
    slot.cancel();
    assert!(slot.cancel.is_cancelled());
    drop(run);
    let _run = slot.take().unwrap();
    assert!(!slot.cancel.is_cancelled(), "the next run begins without");
}

#[test]
fn a_panic_puts_the_engine_back() {
    let (slot, _) = slot();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut run = slot.take().unwrap();
        run.engine().runs += 1;
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    assert_eq!(slot.look(|engine| engine.runs).unwrap(), 1);
}

#[test]
fn a_panic_in_a_change_that_waited_puts_the_engine_back() {
    let (slot, _) = slot();
    let run = slot.take().unwrap();
    slot.change(|_| panic!("on purpose")).unwrap();
    slot.change(|engine| engine.readings += 1).unwrap();
    drop(run);
    assert_eq!(slot.look(|engine| engine.readings).unwrap(), 1);
    assert!(slot.take().is_ok());
}

#[test]
fn racing_threads_never_share_the_engine_and_it_is_freed_once() {
    for trial in 0..TRIALS {
        let (slot, alive) = slot();
        let workers: Vec<_> = (0..3)
            .map(|worker| {
                let slot = slot.clone();
                thread::spawn(move || {
                    for _ in 0..4 {
                        match slot.take() {
                            // A data race here is what the sanitizers look for.
                            Ok(mut run) => run.engine().runs += 1,
                            Err(NativeError::Busy(_) | NativeError::Closed(_)) => {}
                            Err(other) => panic!("{other}"),
                        }
                        let _ = slot.change(|engine| engine.readings += 1);
                        slot.cancel();
                        if worker == 0 {
                            let _ = slot.look(|engine| engine.readings);
                        }
                    }
                })
            })
            .collect();
        if trial % 2 == 0 {
            thread::yield_now();
        }
        slot.close();
        for worker in workers {
            worker.join().unwrap();
        }
        assert_eq!(alive.load(SeqCst), 0, "trial {trial}");
    }
}
