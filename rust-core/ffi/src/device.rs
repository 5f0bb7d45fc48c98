//! Mirrors of what a phone says about itself.

use biglittle::device::{DeviceReading, ThermalLevel, TraceEvent, UserMode};

#[uniffi::remote(Record)]
pub struct DeviceReading {
    pub at_ms: u64,
    #[uniffi(default = None)]
    pub battery_percent: Option<f32>,
    #[uniffi(default = None)]
    pub charging: Option<bool>,
    #[uniffi(default = None)]
    pub low_power_mode: Option<bool>,
    #[uniffi(default = None)]
    pub thermal_level: Option<ThermalLevel>,
    #[uniffi(default = None)]
    pub thermal_headroom: Option<f32>,
}

#[uniffi::remote(Enum)]
pub enum ThermalLevel {
    None,
    Light,
    Moderate,
    Severe,
    Critical,
    Emergency,
    Shutdown,
}

#[uniffi::remote(Enum)]
pub enum UserMode {
    Saver,
    Balanced,
    Precise,
}

#[uniffi::remote(Enum)]
pub enum TraceEvent {
    Reading(DeviceReading),
    Mode { at_ms: u64, mode: UserMode },
    Restart { at_ms: u64 },
}
