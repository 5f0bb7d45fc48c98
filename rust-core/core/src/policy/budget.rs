//! What an app may spend on the big network.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// A budget, and what frames cost where it is one of energy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// What may be spent.
    pub kind: BudgetKind,
    /// What a frame costs; needed unless the budget is a share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub costs: Option<FrameCosts>,
}

/// What may be spent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BudgetKind {
    /// This share of frames may run the big network, 0 to 1.
    BigShare(f64),
    /// A frame may cost this many millijoules in the mean, above 0.
    EnergyPerFrame(f64),
    /// The battery is to last.
    BatteryUntil {
        /// Until when, on the clock of the readings.
        until_ms: u64,
        /// The percentage that is to be left then, 0 to 100.
        reserve_percent: f64,
        /// What the full battery holds, in joules, above 0.
        capacity_joules: f64,
        /// What everything else on the phone takes, in milliwatts.
        other_milliwatts: f64,
    },
}

/// What one frame costs, in millijoules.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameCosts {
    /// The little network with everything that happens for every frame, 0 or
    /// more.
    pub little_millijoules: f64,
    /// The big network, above 0.
    pub big_millijoules: f64,
}

/// What a budget leaves for a frame now, in a unit of the budget's own: frames
/// of the big network, or millijoules.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Allowance {
    /// What a frame may cost in the mean.
    pub per_frame: f64,
    /// What the little network costs.
    pub little: f64,
    /// What the big network costs.
    pub big: f64,
}

/// A budget that the certified floor does not let be kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BudgetInfeasible {
    /// The share of frames that the budget allows the big network.
    pub allowed_rate: f64,
    /// The lowest share that is possible at the floor.
    pub nearest_rate: f64,
    /// The frame rate at which the same is spent in a second as the budget
    /// would spend at the present one.
    pub suggested_frames_per_second: f64,
}

impl Budget {
    /// Checks every field.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] that names the field, its value and the
    /// limit.
    pub fn validate(&self) -> Result<()> {
        let check = |field: &str, value: f64, good: bool, limit: &str| {
            if good && value.is_finite() {
                return Ok(());
            }
            let message = format!("{field} is {value}: it must be {limit}");
            Err(Error::new(ErrorKind::InvalidArgument, message))
        };
        match self.kind {
            BudgetKind::BigShare(share) => {
                return check("big_share", share, (0.0..=1.0).contains(&share), "0 to 1");
            }
            BudgetKind::EnergyPerFrame(energy) => {
                check("energy_per_frame", energy, energy > 0.0, "above 0")?;
            }
            BudgetKind::BatteryUntil {
                reserve_percent: reserve,
                capacity_joules: capacity,
                other_milliwatts: other,
                ..
            } => {
                check("reserve_percent", reserve, (0.0..=100.0).contains(&reserve), "0 to 100")?;
                check("capacity_joules", capacity, capacity > 0.0, "above 0")?;
                check("other_milliwatts", other, other >= 0.0, "0 or more")?;
            }
        }
        let Some(FrameCosts { little_millijoules: little, big_millijoules: big }) = self.costs
        else {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "costs is missing: a budget of energy needs what a frame costs",
            ));
        };
        check("little_millijoules", little, little >= 0.0, "0 or more")?;
        check("big_millijoules", big, big > 0.0, "above 0")
    }

    /// What it leaves for a frame at `at_ms`; nothing where it does not limit:
    /// the battery is being charged (`battery_percent` is missing) or the time
    /// is over.
    pub(super) fn allowance(
        &self,
        battery: Battery,
        at_ms: u64,
        frames_per_second: f64,
    ) -> Option<Allowance> {
        let (little, big) = match self.costs {
            Some(costs) => (costs.little_millijoules, costs.big_millijoules),
            None => (0.0, 1.0),
        };
        match self.kind {
            BudgetKind::BigShare(per_frame) => Some(Allowance { per_frame, little: 0.0, big: 1.0 }),
            BudgetKind::EnergyPerFrame(per_frame) => Some(Allowance { per_frame, little, big }),
            BudgetKind::BatteryUntil {
                until_ms,
                reserve_percent,
                capacity_joules,
                other_milliwatts,
            } => {
                let seconds = until_ms.saturating_sub(at_ms) as f64 / 1e3;
                let percent = match battery {
                    Battery::Charging => return None,
                    Battery::Unknown => reserve_percent,
                    Battery::Percent(percent) => percent,
                };
                if seconds == 0.0 {
                    return None;
                }
                let left = (percent - reserve_percent).max(0.0) / 100.0 * capacity_joules * 1e3;
                let milliwatts = (left / seconds - other_milliwatts).max(0.0);
                let per_frame = milliwatts / frames_per_second.max(0.01);
                Some(Allowance { per_frame, little, big })
            }
        }
    }
}

/// The battery as a budget sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Battery {
    /// It is being charged.
    Charging,
    /// Nothing is known of it: nothing may be spent above the floor.
    Unknown,
    /// How full it is.
    Percent(f64),
}

impl Allowance {
    /// The share of frames that may run the big network, 0 to 1:
    /// `(per_frame - little) / big`.
    #[must_use]
    pub fn rate(&self) -> f64 {
        ((self.per_frame - self.little) / self.big).clamp(0.0, 1.0)
    }

    /// Whether it can be kept where at least `lowest_rate` of the frames must
    /// run the big network; that is known to within `tolerance`.
    #[must_use]
    pub fn check(
        &self,
        lowest_rate: f64,
        tolerance: f64,
        frames_per_second: f64,
    ) -> Option<BudgetInfeasible> {
        let needed = self.little + lowest_rate * self.big;
        (needed > self.per_frame + tolerance * self.big).then(|| BudgetInfeasible {
            allowed_rate: self.rate(),
            nearest_rate: lowest_rate,
            suggested_frames_per_second: frames_per_second * (self.per_frame / needed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COSTS: FrameCosts = FrameCosts { little_millijoules: 2.0, big_millijoules: 40.0 };

    fn budget(kind: BudgetKind) -> Budget {
        Budget { kind, costs: Some(COSTS) }
    }

    #[test]
    fn rates_by_the_identity() {
        let rate = |kind, battery| {
            let budget = budget(kind);
            budget.validate().unwrap();
            budget.allowance(battery, 0, 10.0).map(|allowance| allowance.rate())
        };
        let full = Battery::Percent(100.0);
        assert_eq!(rate(BudgetKind::BigShare(0.25), full), Some(0.25));
        assert_eq!(rate(BudgetKind::EnergyPerFrame(12.0), full), Some(0.25));
        assert_eq!(rate(BudgetKind::EnergyPerFrame(1.0), full), Some(0.0));
        assert_eq!(rate(BudgetKind::EnergyPerFrame(99.0), full), Some(1.0));
        // 40 kJ of which half may go in 10,000 s: 2 W, less 1.88 W, at 10 frames a second.
        let until = BudgetKind::BatteryUntil {
            until_ms: 10_000_000,
            reserve_percent: 20.0,
            capacity_joules: 40_000.0,
            other_milliwatts: 1_880.0,
        };
        let near = rate(until, Battery::Percent(70.0)).unwrap();
        assert!((near - 0.25).abs() < 1e-12, "{near}");
        assert_eq!(rate(until, Battery::Charging), None);
        assert_eq!(rate(until, Battery::Unknown), Some(0.0));
        assert_eq!(budget(until).allowance(full, 10_000_000, 10.0), None, "the time is over");
    }

    #[test]
    fn says_what_is_possible_instead() {
        let allowance =
            budget(BudgetKind::EnergyPerFrame(12.0)).allowance(Battery::Unknown, 0, 10.0).unwrap();
        assert_eq!(allowance.check(0.25, 0.0, 10.0), None);
        assert_eq!(allowance.check(0.26, 0.02, 10.0), None);
        let found = allowance.check(0.55, 0.02, 10.0).unwrap();
        assert_eq!((found.allowed_rate, found.nearest_rate), (0.25, 0.55));
        assert!((found.suggested_frames_per_second - 5.0).abs() < 1e-12);
    }

    #[test]
    fn a_bad_field_is_named() {
        for (budget, field) in [
            (budget(BudgetKind::BigShare(1.5)), "big_share is 1.5"),
            (budget(BudgetKind::EnergyPerFrame(f64::NAN)), "energy_per_frame is NaN"),
            (Budget { kind: BudgetKind::EnergyPerFrame(1.0), costs: None }, "costs is missing"),
            (
                Budget {
                    kind: BudgetKind::EnergyPerFrame(1.0),
                    costs: Some(FrameCosts { big_millijoules: 0.0, ..COSTS }),
                },
                "big_millijoules is 0",
            ),
        ] {
            let error = budget.validate().unwrap_err().to_string();
            assert!(error.contains(field), "{error}");
        }
    }
}
