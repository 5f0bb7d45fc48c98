//! The clock that reads the system.

use std::time::Instant;

use crate::clock::{Clock, Times};

/// The wall clock and the calling thread's CPU clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock that starts now.
    #[must_use]
    pub fn new() -> Self {
        SystemClock { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Times {
        // u64 nanoseconds last for 584 years.
        let wall_ns = self.start.elapsed().as_nanos() as u64;
        Times { wall_ns, cpu_ns: thread_cpu_ns().unwrap_or(wall_ns) }
    }
}

#[cfg(unix)]
fn thread_cpu_ns() -> Option<u64> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).ok()?;
    Some(seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).ok()?)
}

#[cfg(not(unix))]
fn thread_cpu_ns() -> Option<u64> {
    None
}
