//! Time as a value that is handed in.
//!
//! Decides only the shape of a reading. The cascade and everything after it
//! take times from this trait, so that tests and replays supply their own;
//! [`engine`](crate::engine) holds the one clock that reads the system.

use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// A moment or a duration on two clocks at once, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Times {
    /// On the wall: what a user waits for.
    pub wall_ns: u64,
    /// Of this thread on a processor: what drains the battery. Equal to wall
    /// time on systems without a clock for it.
    pub cpu_ns: u64,
}

impl Add for Times {
    type Output = Times;

    fn add(self, other: Times) -> Times {
        Times {
            wall_ns: self.wall_ns.saturating_add(other.wall_ns),
            cpu_ns: self.cpu_ns.saturating_add(other.cpu_ns),
        }
    }
}

impl Sub for Times {
    type Output = Times;

    /// The duration since `earlier`; 0 where a clock went backwards.
    fn sub(self, earlier: Times) -> Times {
        Times {
            wall_ns: self.wall_ns.saturating_sub(earlier.wall_ns),
            cpu_ns: self.cpu_ns.saturating_sub(earlier.cpu_ns),
        }
    }
}

/// Something that tells the time.
pub trait Clock {
    /// The time since any fixed moment. Neither clock runs backwards.
    fn now(&self) -> Times;
}
