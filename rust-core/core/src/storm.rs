//! The storm guard: keeps a burst of unsure frames from starving the app.
//!
//! Decides whether the big network may run for this frame, by a token bucket
//! and a deadline, and what happens where it may not. Called by
//! [`engine`](crate::engine) when a frame escalates, and only where an app asks
//! for it. Time is a value.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// How much of the big network is allowed at once, and what happens else.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StormOptions {
    /// Runs of the big network a second in the long run, above 0. Audits take
    /// part of them but are never denied.
    pub runs_per_second: f64,
    /// Runs that may be saved up for a burst, at least 1.
    pub burst: f64,
    /// The longest time from a frame's arrival to its answer, by how long the
    /// big network took lately. 0 for no deadline. An audited frame's answer may
    /// come later.
    pub deadline_ms: f64,
    /// What gives way.
    pub priority: StormPriority,
}

/// What happens to an unsure frame for which the big network may not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StormPriority {
    /// It is dropped and counted: every answer that is given is within the
    /// certificate.
    #[default]
    CertificateFirst,
    /// The little network's answer is given, marked degraded and counted apart:
    /// it is outside the certificate.
    LatencyFirst,
}

/// A token bucket with a deadline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StormGuard {
    options: StormOptions,
    tokens: f64,
    /// When tokens were last added, nanoseconds.
    filled_ns: Option<u64>,
    /// How long the big network takes: a mean that forgets over 8 runs.
    big_ns: f64,
}

impl StormGuard {
    /// A guard with a full bucket.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] that names the field, its value and the
    /// limit.
    pub fn new(options: StormOptions) -> Result<Self> {
        for (field, value, good, limit) in [
            (
                "runs_per_second",
                options.runs_per_second,
                options.runs_per_second > 0.0 && options.runs_per_second.is_finite(),
                "above 0",
            ),
            (
                "burst",
                options.burst,
                options.burst >= 1.0 && options.burst.is_finite(),
                "at least 1",
            ),
            (
                "deadline_ms",
                options.deadline_ms,
                options.deadline_ms >= 0.0 && options.deadline_ms.is_finite(),
                "0 or more",
            ),
        ] {
            if !good {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("storm.{field} is {value}: it must be {limit}"),
                ));
            }
        }
        Ok(StormGuard { options, tokens: options.burst, filled_ns: None, big_ns: 0.0 })
    }

    /// What gives way.
    #[must_use]
    pub fn priority(&self) -> StormPriority {
        self.options.priority
    }

    /// Whether the big network may run at `now_ns` for a frame that has taken
    /// `spent_ns` so far; takes a token if so.
    pub fn may_run(&mut self, now_ns: u64, spent_ns: u64) -> bool {
        self.fill(now_ns);
        let deadline_ns = self.options.deadline_ms * 1e6;
        let in_time = deadline_ns == 0.0 || spent_ns as f64 + self.big_ns <= deadline_ns;
        let good = in_time && self.tokens >= 1.0;
        if good {
            self.tokens -= 1.0;
        } else if !in_time {
            // One slow run must not shut it out for good.
            self.big_ns *= 0.99;
        }
        good
    }

    /// The big network runs at `now_ns` for an audit, which is never denied: what
    /// is audited must not depend on what is on the frames. Its token is owed,
    /// if there is none, so that fewer frames escalate later.
    pub fn audits(&mut self, now_ns: u64) {
        self.fill(now_ns);
        self.tokens = (self.tokens - 1.0).max(-self.options.burst);
    }

    fn fill(&mut self, now_ns: u64) {
        let passed = now_ns.saturating_sub(self.filled_ns.unwrap_or(now_ns));
        self.filled_ns = Some(now_ns);
        let gained = passed as f64 / 1e9 * self.options.runs_per_second;
        self.tokens = (self.tokens + gained).min(self.options.burst);
    }

    /// Takes how long the big network took.
    pub fn took(&mut self, big_ns: u64) {
        let big_ns = big_ns as f64;
        let weight = if self.big_ns == 0.0 { 1.0 } else { 0.125 };
        self.big_ns += weight * (big_ns - self.big_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OPTIONS: StormOptions = StormOptions {
        runs_per_second: 2.0,
        burst: 4.0,
        deadline_ms: 0.0,
        priority: StormPriority::CertificateFirst,
    };

    proptest! {
        /// In any span of time at most `burst + rate * span` runs, whatever the
        /// clock does.
        #[test]
        fn never_more_than_the_bucket_holds(
            steps in prop::collection::vec((0u64..400_000_000, any::<bool>()), 1..400)
        ) {
            let mut guard = StormGuard::new(OPTIONS).unwrap();
            let (mut now, mut passed, mut runs) = (10_000_000_000u64, 0u64, 0u32);
            for (step, back) in steps {
                if back && step % 7 == 0 {
                    now -= step.min(now);
                } else {
                    now += step;
                    passed += step;
                }
                runs += u32::from(guard.may_run(now, 0));
                prop_assert!(f64::from(runs) <= 4.0 + 2.0 * passed as f64 / 1e9 + 1e-6);
            }
        }
    }

    #[test]
    fn audits_take_tokens_and_owe_at_most_a_bucket() {
        let mut guard = StormGuard::new(OPTIONS).unwrap();
        (0..4).for_each(|_| guard.audits(0));
        assert!(!guard.may_run(0, 0), "audits took all four");
        (0..100).for_each(|_| guard.audits(0));
        // 4 are owed: at 2 a second the first is there after 2.5 seconds.
        assert!(!guard.may_run(2_400_000_000, 0));
        assert!(guard.may_run(2_600_000_000, 0));
    }

    #[test]
    fn keeps_the_deadline_and_forgets_one_slow_run() {
        let options = StormOptions { runs_per_second: 1e6, deadline_ms: 50.0, ..OPTIONS };
        let mut guard = StormGuard::new(options).unwrap();
        assert!(guard.may_run(0, 49_000_000), "nothing is known yet");
        guard.took(30_000_000);
        assert!(guard.may_run(1_000_000, 20_000_000));
        assert!(!guard.may_run(2_000_000, 21_000_000));
        guard.took(1_000_000_000);
        let frames = (3..).take_while(|frame| !guard.may_run(frame * 1_000_000, 1_000_000)).count();
        assert!((10..400).contains(&frames), "{frames}");
    }

    #[test]
    fn a_bad_field_is_named() {
        for (options, field) in [
            (StormOptions { runs_per_second: 0.0, ..OPTIONS }, "storm.runs_per_second is 0"),
            (StormOptions { burst: 0.5, ..OPTIONS }, "storm.burst is 0.5"),
            (StormOptions { deadline_ms: f64::NAN, ..OPTIONS }, "storm.deadline_ms is NaN"),
        ] {
            let error = StormGuard::new(options).unwrap_err().to_string();
            assert!(error.contains(field), "{error}");
        }
    }
}
