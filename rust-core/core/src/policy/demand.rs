//! Floor, level, rate and mode as one threshold, with the reason.

use serde::{Deserialize, Serialize};

use super::budget::Allowance;
use super::levels::LevelCause;
use super::options::{PolicyOptions, SavingLevel};
use super::{PolicyState, UserMode};
use crate::decision::Threshold;

/// What is asked of the cascade. It changes with readings, modes and alarms,
/// not with frames.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Demand {
    /// The level of saving, 0 to 3.
    pub level: u8,
    /// What the level is due to.
    pub level_cause: LevelCause,
    /// The threshold of the level's certificate.
    pub wanted: Threshold,
    /// The certified floor in force.
    pub floor: Threshold,
    /// What the floor is due to.
    pub floor_cause: FloorCause,
    /// Whether the threshold may go below the floor.
    pub accuracy_may_drop: bool,
    /// The share of frames that may run the big network, 0 to 1.
    pub target_rate: f64,
    /// What that share is due to.
    pub rate_cause: RateCause,
    /// What the frame rate should be multiplied with, above 0 to 1.
    pub frame_rate_factor: f64,
}

/// What the certified floor is due to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FloorCause {
    /// The certificate that the app promises to keep.
    Promise,
    /// An accuracy alarm: a stricter certificate, or a fresh one.
    AccuracyAlarm,
    /// The user chose the strictest certificate.
    PreciseMode,
}

/// What the share of the big network is due to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateCause {
    /// The level of saving.
    Level,
    /// The thermal headroom.
    Headroom,
    /// The app's budget.
    Budget,
}

/// The threshold in force for a frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Effective {
    /// What the first level's score has to be above.
    pub threshold: Threshold,
    /// The certified floor. The threshold is never below it, unless
    /// [`accuracy_may_drop`](PolicyOptions::accuracy_may_drop).
    pub floor: Threshold,
    /// Which of the demands decided.
    pub reason: ThresholdReason,
}

/// Which of the demands decided the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdReason {
    /// The certificate of the level of saving.
    Level,
    /// The level's share of the big network.
    LevelRate,
    /// The share of the big network that thermal headroom allows.
    HeadroomRate,
    /// The share of the big network that the budget allows.
    BudgetRate,
    /// The promise: less was wanted.
    CertifiedFloor,
    /// A floor raised by an accuracy alarm: less was wanted.
    AccuracyAlarm,
    /// The user's wish for precision: less was wanted.
    PreciseMode,
}

impl Demand {
    pub(super) fn new(
        options: &PolicyOptions,
        state: &PolicyState,
        allowance: Option<Allowance>,
    ) -> Demand {
        let (level, level_cause) = state.level.in_mode(state.mode);
        let SavingLevel { eps, target_rate, frame_rate_factor } =
            options.levels[usize::from(level)];
        let certified = |eps| {
            let place = options.position("eps", eps).expect("checked when the policy was made");
            (place, options.certificates[place].threshold)
        };
        let (promised, promise) = certified(options.promise_eps);
        let raised = usize::from(state.raised);
        let alarmed = match promised.checked_sub(raised) {
            Some(place) => options.certificates[place].threshold,
            None => Threshold::ALWAYS_ESCALATE,
        };
        let alarmed = match state.fresh {
            Some(fresh) => least(alarmed, greatest(fresh, promise)),
            None => alarmed,
        };
        let strictest = options.certificates[0].threshold;
        let is_precise = state.mode == UserMode::Precise;
        let (floor, floor_cause) = match () {
            () if is_precise && strictest >= alarmed => (strictest, FloorCause::PreciseMode),
            () if raised > 0 => (alarmed, FloorCause::AccuracyAlarm),
            () => (promise, FloorCause::Promise),
        };
        let mut rate = (target_rate, RateCause::Level);
        let rates = [
            (state.headroom.rate(), RateCause::Headroom),
            (allowance.map_or(1.0, |allowance| allowance.rate()), RateCause::Budget),
        ];
        for other in rates {
            if other.0 < rate.0 {
                rate = other;
            }
        }
        Demand {
            level,
            level_cause,
            wanted: certified(eps).1,
            floor,
            floor_cause,
            accuracy_may_drop: options.accuracy_may_drop && !is_precise,
            target_rate: rate.0,
            rate_cause: rate.1,
            frame_rate_factor,
        }
    }

    /// The least threshold that is allowed to hold the rate with scores of at
    /// least `least_score`.
    #[must_use]
    pub fn lower_bound(&self, least_score: f32) -> f32 {
        let bound = if self.accuracy_may_drop { least_score } else { self.floor.value() };
        bound.max(least_score)
    }

    /// The threshold in force, where `controlled` is what holds the rate.
    #[must_use]
    pub fn threshold(&self, controlled: Threshold) -> Effective {
        let asked = least(self.wanted, controlled);
        let by_floor = match self.floor_cause {
            FloorCause::Promise => ThresholdReason::CertifiedFloor,
            FloorCause::AccuracyAlarm => ThresholdReason::AccuracyAlarm,
            FloorCause::PreciseMode => ThresholdReason::PreciseMode,
        };
        let by_rate = match self.rate_cause {
            RateCause::Level => ThresholdReason::LevelRate,
            RateCause::Headroom => ThresholdReason::HeadroomRate,
            RateCause::Budget => ThresholdReason::BudgetRate,
        };
        let floor = self.floor;
        let (threshold, reason) = match () {
            () if asked < floor && !self.accuracy_may_drop => (floor, by_floor),
            // The controller came to rest on the floor.
            () if asked == floor && controlled < self.wanted => (floor, by_floor),
            () if controlled < self.wanted => (asked, by_rate),
            () => (asked, ThresholdReason::Level),
        };
        Effective { threshold, floor, reason }
    }
}

fn least(a: Threshold, b: Threshold) -> Threshold {
    if b < a { b } else { a }
}

fn greatest(a: Threshold, b: Threshold) -> Threshold {
    if b > a { b } else { a }
}
