//! What a phone says about itself: plain data, pushed in by the app.
//!
//! Decides only the shape of a reading and of a recording of many
//! ([`DeviceTrace`]). What a reading leads to is [`policy`](crate::policy)'s
//! work. Nothing here is pulled from the platform.

mod trace;

pub use trace::{DeviceTrace, TraceEvent, TraceHeader};

use serde::{Deserialize, Serialize};

/// One look at the phone. Every value may be missing: an older system, a
/// sensor that is not there, or simply not read this time. A value that was
/// given stands until the next one, or until it is stale.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceReading {
    /// When, in milliseconds of a clock that runs on while the phone sleeps
    /// (`SystemClock.elapsedRealtime()`, `mach_continuous_time()`), on which
    /// readings and frames are compared. Should it jump back, no time is taken
    /// to have passed.
    pub at_ms: u64,
    /// How full the battery is, 0 to 100. Below 0 (iOS says -1 for unknown) and
    /// NaN count as missing; above 100 counts as 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub battery_percent: Option<f32>,
    /// Whether the phone is on a charger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charging: Option<bool>,
    /// Whether the user or the system has asked apps to save energy
    /// (`isPowerSaveMode`, `isLowPowerModeEnabled`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_power_mode: Option<bool>,
    /// How hot the system says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thermal_level: Option<ThermalLevel>,
    /// Android's `getThermalHeadroom`: 0 is cool, 1 the start of severe
    /// throttling, more is possible. NaN (in JSON `"nan"`), infinite and
    /// negative count as missing; Android gives NaN when asked too often.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "not_a_number")]
    pub thermal_headroom: Option<f32>,
}

/// How hot the system says it is, from cool to shutting down. The names are
/// Android's; iOS has four of these seven.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ThermalLevel {
    /// Not throttled; `nominal` on iOS.
    #[default]
    None,
    /// Slightly warm, not noticed by the user; `fair` on iOS.
    Light,
    /// Warm, the system begins to slow down; `serious` on iOS.
    Moderate,
    /// Hot, much is slowed down; `critical` on iOS.
    Severe,
    /// All that can be slowed down is.
    Critical,
    /// Parts are being switched off.
    Emergency,
    /// The phone is about to switch itself off.
    Shutdown,
}

impl ThermalLevel {
    /// The level for Android's `PowerManager.THERMAL_STATUS_*`, 0 to 6.
    #[must_use]
    pub fn from_android(status: i32) -> Option<Self> {
        use ThermalLevel::{Critical, Emergency, Light, Moderate, None as Cool, Severe, Shutdown};
        let levels = [Cool, Light, Moderate, Severe, Critical, Emergency, Shutdown];
        levels.get(usize::try_from(status).ok()?).copied()
    }

    /// The level for iOS' `ProcessInfo.ThermalState`, 0 to 3.
    #[must_use]
    pub fn from_ios(state: i32) -> Option<Self> {
        if state <= 3 { Self::from_android(state) } else { None }
    }
}

/// What the user prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserMode {
    /// Save energy, even on a full and cool phone.
    Saver,
    /// As the phone's state allows.
    #[default]
    Balanced,
    /// The strictest certificate, whatever the state of the phone.
    Precise,
}

/// JSON has no NaN: it is the word `"nan"`.
mod not_a_number {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum NumberOrWord {
        Number(f32),
        Word(String),
    }

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
    pub fn serialize<S: Serializer>(value: &Option<f32>, serializer: S) -> Result<S::Ok, S::Error> {
        let value = value.map(|number| match number.is_finite() {
            true => NumberOrWord::Number(number),
            false => NumberOrWord::Word("nan".into()),
        });
        value.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<f32>, D::Error> {
        match Option::<NumberOrWord>::deserialize(deserializer)? {
            None => Ok(None),
            Some(NumberOrWord::Number(number)) => Ok(Some(number)),
            Some(NumberOrWord::Word(word)) if word == "nan" => Ok(Some(f32::NAN)),
            Some(NumberOrWord::Word(word)) => {
                Err(de::Error::custom(format!("{word:?} is neither a number nor \"nan\"")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_platforms() {
        assert_eq!(ThermalLevel::from_android(0), Some(ThermalLevel::None));
        assert_eq!(ThermalLevel::from_android(3), Some(ThermalLevel::Severe));
        assert_eq!(ThermalLevel::from_android(6), Some(ThermalLevel::Shutdown));
        assert_eq!(ThermalLevel::from_ios(3), Some(ThermalLevel::Severe));
        for code in [-1, 7, i32::MIN, i32::MAX] {
            assert_eq!(ThermalLevel::from_android(code), None);
        }
        assert_eq!(ThermalLevel::from_ios(4), None);
        assert_eq!(ThermalLevel::from_ios(-1), None);
    }

    #[test]
    fn a_reading_keeps_nan_apart_from_missing() {
        let json = r#"{"at_ms":5,"thermal_headroom":"nan"}"#;
        let reading: DeviceReading = serde_json::from_str(json).unwrap();
        assert!(reading.thermal_headroom.unwrap().is_nan());
        assert_eq!(serde_json::to_string(&reading).unwrap(), json);
        let missing: DeviceReading = serde_json::from_str(r#"{"at_ms":5}"#).unwrap();
        assert_eq!(missing.thermal_headroom, None);
        for bad in [
            r#"{"at_ms":-1}"#,
            "{}",
            r#"{"at_ms":1,"heat":2}"#,
            r#"{"at_ms":1,"thermal_headroom":"x"}"#,
        ] {
            assert!(serde_json::from_str::<DeviceReading>(bad).is_err(), "{bad}");
        }
    }
}
