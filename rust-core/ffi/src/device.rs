//! Mirrors of what a phone says about itself.

use biglittle::device::{DeviceReading, ThermalLevel, TraceEvent, UserMode};

/// One look at the phone. Every value may be missing: an older system, a
/// sensor that is not there, or simply not read this time. A value that was
/// given stands until the next one, or until it is stale.
#[uniffi::remote(Record)]
pub struct DeviceReading {
    /// When, in milliseconds of a clock that runs on while the phone sleeps
    /// (`SystemClock.elapsedRealtime()`, `mach_continuous_time()`), on which
    /// readings and frames are compared. Should it jump back, no time is taken
    /// to have passed.
    pub at_ms: u64,
    /// How full the battery is, 0 to 100. Below 0 (iOS says -1 for unknown) and
    /// NaN count as missing; above 100 counts as 100.
    #[uniffi(default = None)]
    pub battery_percent: Option<f32>,
    /// Whether the phone is on a charger.
    #[uniffi(default = None)]
    pub charging: Option<bool>,
    /// Whether the user or the system has asked apps to save energy
    /// (`isPowerSaveMode`, `isLowPowerModeEnabled`).
    #[uniffi(default = None)]
    pub low_power_mode: Option<bool>,
    /// How hot the system says it is.
    #[uniffi(default = None)]
    pub thermal_level: Option<ThermalLevel>,
    /// Android's `getThermalHeadroom`: 0 is cool, 1 the start of severe
    /// throttling, more is possible. NaN (in JSON `"nan"`), infinite and
    /// negative count as missing; Android gives NaN when asked too often.
    #[uniffi(default = None)]
    pub thermal_headroom: Option<f32>,
}

/// How hot the system says it is, from cool to shutting down. The names are
/// Android's; iOS has four of these seven.
#[uniffi::remote(Enum)]
pub enum ThermalLevel {
    /// Not throttled; `nominal` on iOS.
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

/// What the user prefers.
#[uniffi::remote(Enum)]
pub enum UserMode {
    /// Save energy, even on a full and cool phone.
    Saver,
    /// As the phone's state allows.
    Balanced,
    /// The strictest certificate, whatever the state of the phone.
    Precise,
}

/// One line of a recording.
#[uniffi::remote(Enum)]
pub enum TraceEvent {
    /// The app pushed a reading.
    Reading(DeviceReading),
    /// The user chose a mode.
    Mode { at_ms: u64, mode: UserMode },
    /// The app was started again: what it had saved comes back, everything else
    /// is gone. After a reboot the clock begins anew.
    Restart { at_ms: u64 },
}
