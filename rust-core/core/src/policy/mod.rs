//! Battery, heat and the user's wishes as a demand on the cascade.
//!
//! Decides how much is to be saved ([`Policy`]), what a budget leaves for the
//! big network ([`Budget`]), and how floor, level, rate and mode make one
//! threshold ([`Demand::threshold`]). It does not count frames
//! ([`controller`](crate::controller) does) nor errors
//! ([`monitor`](crate::monitor) does); [`engine`](crate::engine) joins them.
//! Called a few times a minute with readings and cheaply for every frame.
//!
//! Pure: the same readings at the same times give the same demand, bit for bit
//! on every platform: it adds, multiplies and compares.
//!
//! # The certified floor
//! Of a certified threshold `t` it is known that the mean loss stays within
//! `eps` for any rule that never goes below `t`, whatever it looks at: each
//! frame's loss is no larger than at `t` itself. So the floor holds against
//! everything here, unless the app opts into
//! [`accuracy_may_drop`](PolicyOptions::accuracy_may_drop).

mod budget;
mod demand;
mod headroom;
mod levels;
mod options;
#[cfg(test)]
mod tests;

pub use budget::{Allowance, Budget, BudgetInfeasible, BudgetKind, FrameCosts};
pub use demand::{Demand, Effective, FloorCause, RateCause, ThresholdReason};
pub use levels::LevelCause;
pub use options::{CertifiedThreshold, HeadroomOptions, LEVELS, PolicyOptions, SavingLevel};

use serde::{Deserialize, Serialize};

use crate::decision::Threshold;
use crate::device::{DeviceReading, UserMode};
use crate::error::{Error, ErrorKind, Result};
use budget::Battery;
use headroom::HeadroomControl;
use levels::{Known, LevelControl};

/// How often time alone, without a reading, is looked at.
const LOOK_EVERY_MS: u64 = 1_000;

/// Turns readings into a [`Demand`].
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    options: PolicyOptions,
    state: PolicyState,
}

/// Everything that a policy remembers: what is saved when an app is put away.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyState {
    /// The policy's own clock: what passed between readings and frames, never
    /// backwards.
    now_ms: u64,
    /// The caller's clock when it was last told.
    told_ms: Option<u64>,
    /// From where the caller's clock jumped back, until it is there again.
    jumped_from_ms: Option<u64>,
    looked_ms: u64,
    known: Known,
    level: LevelControl,
    headroom: HeadroomControl,
    mode: UserMode,
    /// How many certificates stricter the floor is for accuracy alarms.
    raised: u8,
    /// What a fresh certificate allows instead.
    fresh: Option<Threshold>,
    faults: ReadingFaults,
}

/// What was wrong with readings, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadingFaults {
    /// Values that are no measurement, such as a battery of -1 % or a headroom
    /// of NaN: taken as missing.
    pub ignored: u64,
    /// Values beyond the range: taken as its end.
    pub clamped: u64,
    /// Times before an earlier one: no time was taken to have passed.
    pub backwards: u64,
}

impl Policy {
    /// A policy that knows nothing of the phone yet, and so is in its safe mode.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] as [`PolicyOptions::validate`].
    pub fn new(mut options: PolicyOptions) -> Result<Self> {
        options.validate()?;
        options.certificates.sort_by(|a, b| a.eps.total_cmp(&b.eps));
        let mut state = PolicyState {
            now_ms: 0,
            told_ms: None,
            jumped_from_ms: None,
            looked_ms: 0,
            known: Known::default(),
            level: LevelControl::START,
            headroom: HeadroomControl::START,
            mode: UserMode::Balanced,
            raised: 0,
            fresh: None,
            faults: ReadingFaults::default(),
        };
        state.level.update(&state.known, 0, &options);
        Ok(Policy { options, state })
    }

    /// What it was told once.
    #[must_use]
    pub fn options(&self) -> &PolicyOptions {
        &self.options
    }

    /// Takes a reading. Returns whether the demand may have changed.
    pub fn observe(&mut self, reading: &DeviceReading) -> bool {
        self.tell(reading.at_ms);
        let mut reading = *reading;
        reading.battery_percent = reading.battery_percent.and_then(|value| self.battery(value));
        let now_ms = self.state.now_ms;
        self.state.known.take(&reading, now_ms);
        if let Some(headroom) = reading.thermal_headroom {
            if headroom.is_finite() && headroom >= 0.0 {
                self.state.headroom.observe(&self.options.headroom, headroom, now_ms);
            } else {
                warn_rarely(&mut self.state.faults.ignored, "thermal_headroom", headroom);
            }
        }
        self.look();
        true
    }

    /// Lets time pass until `at_ms`, on the clock of the readings. Cheap enough
    /// for every frame. Returns whether the demand may have changed.
    pub fn advance_to(&mut self, at_ms: u64) -> bool {
        self.tell(at_ms);
        let is_due = self.state.now_ms - self.state.looked_ms >= LOOK_EVERY_MS;
        if is_due {
            self.look();
        }
        is_due
    }

    fn tell(&mut self, at_ms: u64) {
        let told = self.state.told_ms.replace(at_ms).unwrap_or(at_ms);
        if at_ms < told {
            warn_rarely(&mut self.state.faults.backwards, "at_ms", at_ms);
        }
        let passed = at_ms.saturating_sub(told);
        self.state.now_ms = self.state.now_ms.saturating_add(passed);
        let jumped_from = self.state.jumped_from_ms.max((at_ms < told).then_some(told));
        if jumped_from.is_some() && passed >= self.options.relax_hold_ms / 2 {
            // The phone may have slept, or the clock may have jumped forward again:
            // values are that much older, but no lower level was held so long.
            self.state.level.forget_hold();
        }
        self.state.jumped_from_ms = jumped_from.filter(|from| at_ms < *from);
    }

    fn look(&mut self) {
        let PolicyState { now_ms, looked_ms, known, level, headroom, .. } = &mut self.state;
        if *now_ms - *looked_ms > self.options.stale_after_ms {
            level.forget_hold();
        }
        *looked_ms = *now_ms;
        let known_heat = known.thermal_is_fresh(*now_ms, &self.options);
        headroom.advance(&self.options.headroom, *now_ms, known_heat);
        level.update(known, *now_ms, &self.options);
    }

    fn battery(&mut self, percent: f32) -> Option<f32> {
        if percent.is_nan() || percent < 0.0 {
            warn_rarely(&mut self.state.faults.ignored, "battery_percent", percent);
            return None;
        }
        if percent > 100.0 {
            warn_rarely(&mut self.state.faults.clamped, "battery_percent", percent);
        }
        Some(percent.min(100.0))
    }

    /// Sets what the user prefers.
    pub fn set_mode(&mut self, mode: UserMode) {
        self.state.mode = mode;
    }

    /// What the user prefers.
    #[must_use]
    pub fn mode(&self) -> UserMode {
        self.state.mode
    }

    /// Raises the floor to the next stricter certificate, behind the strictest
    /// to the big network for every frame: answers were found to be worse than
    /// promised.
    pub fn raise_floor(&mut self) {
        let most = u8::try_from(self.options.certificates.len()).unwrap_or(u8::MAX);
        self.state.raised = self.state.raised.saturating_add(1).min(most);
        self.state.fresh = None;
    }

    /// A fresh certificate of the promise, made on this phone after an alarm:
    /// the floor need not be higher than `threshold`, nor than before the alarm.
    pub fn set_fresh_floor(&mut self, threshold: Threshold) {
        self.state.fresh = Some(threshold);
    }

    /// By how many certificates alarms have raised the floor.
    #[must_use]
    pub fn raised_by(&self) -> u8 {
        self.state.raised
    }

    /// What was wrong with readings so far.
    #[must_use]
    pub fn faults(&self) -> ReadingFaults {
        self.state.faults
    }

    /// What is asked of the cascade now; with a budget, what it allows.
    #[must_use]
    pub fn demand(&self, allowance: Option<Allowance>) -> Demand {
        Demand::new(&self.options, &self.state, allowance)
    }

    /// What `budget` allows now at `frames_per_second`.
    #[must_use]
    pub fn allowance(&self, budget: &Budget, frames_per_second: f64) -> Option<Allowance> {
        let PolicyState { known, now_ms, told_ms, .. } = &self.state;
        let battery = match known.battery_percent() {
            _ if known.is_charging(*now_ms, &self.options) => Battery::Charging,
            Some(percent) => Battery::Percent(f64::from(percent)),
            None => Battery::Unknown,
        };
        budget.allowance(battery, told_ms.unwrap_or(0), frames_per_second)
    }

    /// What it remembers, to be saved.
    #[must_use]
    pub fn state(&self) -> &PolicyState {
        &self.state
    }

    /// Goes on from what was saved. The clock may have begun anew since.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`] when it contradicts itself or these options.
    pub fn restore(&mut self, state: PolicyState) -> Result<()> {
        let most = self.options.certificates.len();
        let good = state.looked_ms <= state.now_ms
            && state.known.is_valid(state.now_ms)
            && state.level.is_valid(state.now_ms)
            && state.headroom.is_valid(state.now_ms)
            && usize::from(state.raised) <= most;
        if !good {
            return Err(Error::new(
                ErrorKind::InvalidData,
                "the saved state of the policy contradicts itself or these options: start without",
            ));
        }
        self.state = state;
        // How long the app was away is not known: every value is stale, and what
        // was held is held anew.
        let away = self.options.stale_after_ms.saturating_add(1);
        self.state.now_ms = self.state.now_ms.saturating_add(away);
        self.state.told_ms = None;
        self.state.jumped_from_ms = None;
        self.look();
        Ok(())
    }
}

/// Counts, and logs at the 1st, 2nd, 4th, 8th ... time.
fn warn_rarely(count: &mut u64, field: &str, value: impl std::fmt::Display) {
    *count = count.saturating_add(1);
    if count.is_power_of_two() {
        log::warn!(
            "a device reading has {field} {value}, which cannot be used as it is ({count} so far)"
        );
    }
}
