//! From what is known of the phone to a level of saving.

use serde::{Deserialize, Serialize};

use super::options::PolicyOptions;
use crate::device::{DeviceReading, ThermalLevel, UserMode};

/// What the level of saving is due to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LevelCause {
    /// Nothing is to be saved.
    #[default]
    AllWell,
    /// Battery or heat is unknown: the safe mode.
    Unknown,
    /// The battery is low.
    Battery,
    /// The phone's low-power mode is on.
    LowPowerMode,
    /// The phone is warm.
    Thermal,
    /// The user chose to save.
    UserMode,
    /// A higher level was needed a short while ago.
    Held,
}

/// A value and when it was last given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Seen<T> {
    value: T,
    at_ms: u64,
}

impl<T: Copy> Seen<T> {
    fn fresh(this: Option<Seen<T>>, now_ms: u64, options: &PolicyOptions) -> Option<T> {
        this.filter(|seen| now_ms - seen.at_ms <= options.stale_after_ms).map(|seen| seen.value)
    }
}

/// The last known values, each with its age.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Known {
    battery_percent: Option<Seen<f32>>,
    charging: Option<Seen<bool>>,
    low_power_mode: Option<Seen<bool>>,
    thermal_level: Option<Seen<ThermalLevel>>,
}

impl Known {
    /// Takes over the values of a reading whose battery was checked.
    pub fn take(&mut self, reading: &DeviceReading, now_ms: u64) {
        fn put<T>(place: &mut Option<Seen<T>>, value: Option<T>, at_ms: u64) {
            if let Some(value) = value {
                *place = Some(Seen { value, at_ms });
            }
        }
        put(&mut self.battery_percent, reading.battery_percent, now_ms);
        put(&mut self.charging, reading.charging, now_ms);
        put(&mut self.low_power_mode, reading.low_power_mode, now_ms);
        put(&mut self.thermal_level, reading.thermal_level, now_ms);
    }

    pub fn thermal_is_fresh(&self, now_ms: u64, options: &PolicyOptions) -> bool {
        Seen::fresh(self.thermal_level, now_ms, options).is_some()
    }

    pub fn is_charging(&self, now_ms: u64, options: &PolicyOptions) -> bool {
        Seen::fresh(self.charging, now_ms, options) == Some(true)
    }

    /// The last known battery level, whatever its age.
    pub fn battery_percent(&self) -> Option<f32> {
        self.battery_percent.map(|seen| seen.value)
    }

    /// The level that these values ask for, as if the battery had `less`
    /// points less. What is stale never asks for less than it last did.
    fn wanted(&self, now_ms: u64, options: &PolicyOptions, less: f32) -> (u8, LevelCause) {
        let unknown = (options.unknown_level, LevelCause::Unknown);
        let battery = self
            .battery_percent
            .map(|seen| (battery_level(seen.value - less, options), LevelCause::Battery));
        let battery_is_fresh = Seen::fresh(self.battery_percent, now_ms, options).is_some();
        let battery = match (battery, battery_is_fresh) {
            _ if self.is_charging(now_ms, options) => None,
            (known, true) => known,
            (Some(stale), false) => Some(higher(unknown, stale)),
            (None, false) => Some(unknown),
        };
        let thermal = self.thermal_level.map(|seen| (heat_level(seen.value), LevelCause::Thermal));
        let thermal = match (thermal, self.thermal_is_fresh(now_ms, options)) {
            (Some(known), true) => known,
            (Some(stale), false) => higher(unknown, stale),
            (None, _) => unknown,
        };
        // A mode that was switched on stays on until it is said to be off.
        let saving = self.low_power_mode.is_some_and(|seen| seen.value);
        let saving = if saving { (2, LevelCause::LowPowerMode) } else { (0, LevelCause::AllWell) };
        let wanted = higher(thermal, higher(saving, battery.unwrap_or((0, LevelCause::AllWell))));
        if wanted.0 == 0 { (0, LevelCause::AllWell) } else { wanted }
    }

    pub fn is_valid(&self, now_ms: u64) -> bool {
        let ages = [
            self.battery_percent.map(|seen| seen.at_ms),
            self.charging.map(|seen| seen.at_ms),
            self.low_power_mode.map(|seen| seen.at_ms),
            self.thermal_level.map(|seen| seen.at_ms),
        ];
        ages.into_iter().flatten().all(|at_ms| at_ms <= now_ms)
            && self.battery_percent.is_none_or(|seen| (0.0..=100.0).contains(&seen.value))
    }
}

fn higher(a: (u8, LevelCause), b: (u8, LevelCause)) -> (u8, LevelCause) {
    if b.0 > a.0 { b } else { a }
}

fn battery_level(percent: f32, options: &PolicyOptions) -> u8 {
    let [first, second, third] = options.battery_percent;
    match () {
        () if percent < third => 3,
        () if percent < second => 2,
        () if percent <= first => 1,
        () => 0,
    }
}

fn heat_level(level: ThermalLevel) -> u8 {
    match level {
        ThermalLevel::None => 0,
        ThermalLevel::Light => 1,
        ThermalLevel::Moderate => 2,
        ThermalLevel::Severe
        | ThermalLevel::Critical
        | ThermalLevel::Emergency
        | ThermalLevel::Shutdown => 3,
    }
}

/// The level in force: raised at once, lowered one step at a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LevelControl {
    level: u8,
    cause: LevelCause,
    /// Since when a lower level has been enough, on the policy's own clock.
    clear_since_ms: Option<u64>,
}

impl LevelControl {
    pub const START: LevelControl =
        LevelControl { level: 0, cause: LevelCause::AllWell, clear_since_ms: None };

    pub fn update(&mut self, known: &Known, now_ms: u64, options: &PolicyOptions) {
        let (wanted, cause) = known.wanted(now_ms, options, 0.0);
        let (clear, _) = known.wanted(now_ms, options, options.battery_clear_percent);
        if wanted >= self.level {
            (self.level, self.cause) = (wanted, cause);
        } else {
            self.cause = LevelCause::Held;
        }
        if clear >= self.level {
            self.clear_since_ms = None;
            return;
        }
        let since = *self.clear_since_ms.get_or_insert(now_ms);
        if now_ms - since >= options.relax_hold_ms {
            self.level -= 1;
            self.cause = if self.level == wanted { cause } else { LevelCause::Held };
            self.clear_since_ms = (clear < self.level).then_some(now_ms);
        }
    }

    /// Nobody looked for a long time: what was held has to be held anew.
    pub fn forget_hold(&mut self) {
        self.clear_since_ms = None;
    }

    /// The level and its cause in a mode.
    pub fn in_mode(&self, mode: UserMode) -> (u8, LevelCause) {
        match mode {
            UserMode::Saver if self.level < 2 => (2, LevelCause::UserMode),
            _ => (self.level, self.cause),
        }
    }

    pub fn is_valid(&self, now_ms: u64) -> bool {
        self.level < 4 && self.clear_since_ms.is_none_or(|at| at <= now_ms)
    }
}
