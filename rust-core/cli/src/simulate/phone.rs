//! A simple phone: a battery, one body that warms, and a processor that is slowed
//! down when it is hot.
//!
//! Decides only physics; what runs on it is [`compare`](super::compare)'s work. All
//! of it is a model, and so is every joule that comes out of it. It adds,
//! multiplies and compares, so that the same phone gives the same day everywhere.

use std::path::Path;

use biglittle::device::{DeviceReading, ThermalLevel};
use biglittle::{ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::invalid;

/// The largest file of a phone, in bytes.
const MAX_BYTES: u64 = 1 << 16;
/// The phones that need no file.
const BUILT_IN: [(&str, &str); 2] = [
    ("room", include_str!("../../phones/room.json")),
    ("sun", include_str!("../../phones/sun.json")),
];
/// The longest step of the integration, in seconds.
const STEP_S: f64 = 1.0;
/// The kelvins between a headroom of 0 and of 1, as Android has them.
const HEADROOM_KELVINS: f64 = 30.0;
/// How far ahead the headroom looks, in seconds.
const FORECAST_S: f64 = 10.0;

/// The parameters of a phone, as a JSON file has them; every one but the name may
/// be left out. `docs/runtime-policy.md` says where the usual values come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Phone {
    pub name: String,
    pub description: String,
    /// What the full battery holds.
    pub battery_joules: f64,
    /// How full it is at the beginning.
    pub battery_percent: f64,
    /// What everything but the networks takes: camera, screen, radio.
    pub idle_watts: f64,
    /// What a network takes above that while it runs at full speed.
    pub active_watts: f64,
    /// How long big alone takes at full speed, in the mean, in milliseconds; little
    /// in proportion. Left out, both take as long as in the trace.
    pub big_milliseconds: Option<f64>,
    /// Joules that warm the whole phone by a kelvin.
    pub heat_capacity: f64,
    /// Kelvins above the air that a watt makes in the end.
    pub kelvins_per_watt: f64,
    pub ambient_celsius: f64,
    /// What the sun adds.
    pub sun_watts: f64,
    /// At which temperature of the body each thermal level begins, from light
    /// to shutdown.
    pub level_celsius: [f64; 6],
    /// The speed of the processor at each level, from none to emergency, as a
    /// share of the full one.
    pub level_speed: [f64; 6],
}

impl Default for Phone {
    fn default() -> Self {
        Phone {
            name: "phone".into(),
            description: "a phone".into(),
            battery_joules: 55_000.0,
            battery_percent: 100.0,
            idle_watts: 1.6,
            active_watts: 2.5,
            big_milliseconds: None,
            heat_capacity: 150.0,
            kelvins_per_watt: 4.5,
            ambient_celsius: 22.0,
            sun_watts: 0.0,
            level_celsius: [39.0, 42.0, 45.0, 48.0, 51.0, 55.0],
            level_speed: [1.0, 1.0, 0.8, 0.5, 0.3, 0.15],
        }
    }
}

impl Phone {
    /// The phone in a file, or a built-in one by its name.
    ///
    /// # Errors
    /// When there is no such file, or a value is out of range.
    pub fn open(name: &Path) -> Result<Self> {
        let built_in = BUILT_IN.iter().find(|(known, _)| Some(*known) == name.to_str());
        let text = match built_in {
            Some((_, text)) => text.as_bytes().to_vec(),
            None => {
                crate::files::read(name, MAX_BYTES, ErrorKind::InvalidData).map_err(|error| {
                    error.context(name.display()).context("--phone takes room, sun or a JSON file")
                })?
            }
        };
        Phone::parse(&text).map_err(|error| error.context(name.display()))
    }

    fn parse(text: &[u8]) -> Result<Self> {
        let phone: Phone = serde_json::from_slice(text)
            .map_err(|error| invalid(format!("is no phone: {error}")).with_source(error))?;
        phone.validate()?;
        Ok(phone)
    }

    /// # Errors
    /// With the name of a field that is out of range.
    pub fn validate(&self) -> Result<()> {
        for (field, value, low, high) in [
            ("battery_joules", self.battery_joules, 1.0, 1e7),
            ("battery_percent", self.battery_percent, 1.0, 100.0),
            ("idle_watts", self.idle_watts, 0.0, 50.0),
            ("active_watts", self.active_watts, 0.01, 50.0),
            ("big_milliseconds", self.big_milliseconds.unwrap_or(1.0), 1e-3, 1e5),
            // Less would not be stable at a step of a second.
            ("heat_capacity", self.heat_capacity, 5.0, 1e5),
            ("kelvins_per_watt", self.kelvins_per_watt, 0.5, 100.0),
            ("ambient_celsius", self.ambient_celsius, -40.0, 60.0),
            ("sun_watts", self.sun_watts, 0.0, 50.0),
        ] {
            if !(low..=high).contains(&value) {
                return Err(invalid(format!("{field} is {value}: it must be {low} to {high}")));
            }
        }
        let rising = self.level_celsius.windows(2).all(|pair| pair[0] < pair[1]);
        if !(rising && self.level_celsius.iter().all(|t| (-40.0..=150.0).contains(t))) {
            return Err(invalid(format!(
                "level_celsius is {:?}: its values must rise and lie from -40 to 150",
                self.level_celsius
            )));
        }
        let falling = self.level_speed.windows(2).all(|pair| pair[0] >= pair[1]);
        if !(falling && self.level_speed.iter().all(|s| (0.01..=1.0).contains(s))) {
            return Err(invalid(format!(
                "level_speed is {:?}: its values may not rise and must lie from 0.01 to 1",
                self.level_speed
            )));
        }
        Ok(())
    }
}

/// A phone as time passes.
#[derive(Debug, Clone)]
pub struct State {
    phone: Phone,
    pub celsius: f64,
    /// What is left in the battery.
    pub joules: f64,
    /// What it warms by in a second.
    slope: f64,
    /// Seconds on this phone for a second of the trace.
    slowdown: f64,
    /// Processor seconds, at full speed, that the networks still have to run.
    work_s: f64,
    /// Joules that networks have taken.
    pub network_joules: f64,
}

impl State {
    /// As warm as it becomes with camera and screen alone.
    pub fn new(phone: &Phone, slowdown: f64) -> Self {
        let idle = phone.idle_watts + phone.sun_watts;
        State {
            celsius: phone.ambient_celsius + phone.kelvins_per_watt * idle,
            joules: phone.battery_joules * phone.battery_percent / 100.0,
            slope: 0.0,
            slowdown,
            work_s: 0.0,
            network_joules: 0.0,
            phone: phone.clone(),
        }
    }

    /// Gives it networks to run that took `cpu_ns` in the trace.
    pub fn work(&mut self, cpu_ns: u64) {
        self.work_s += cpu_ns as f64 / 1e9 * self.slowdown;
    }

    /// Whether it is still running what it was given.
    pub fn is_busy(&self) -> bool {
        self.work_s > 0.0
    }

    pub fn level(&self) -> ThermalLevel {
        let reached = self.phone.level_celsius.iter().filter(|limit| self.celsius >= **limit);
        let level = i32::try_from(reached.count()).ok().and_then(ThermalLevel::from_android);
        level.expect("there are six limits")
    }

    /// The speed of the processor, as a share of the full one.
    pub fn speed(&self) -> f64 {
        self.phone.level_speed.get(self.level() as usize).copied().unwrap_or(0.0)
    }

    pub fn battery_percent(&self) -> f64 {
        (self.joules / self.phone.battery_joules * 100.0).max(0.0)
    }

    /// As Android's `getThermalHeadroom(10)`: 1 where severe throttling begins,
    /// 0 at 30 kelvins less, forecast by the present slope.
    pub fn headroom(&self) -> f64 {
        let severe = self.phone.level_celsius[ThermalLevel::Severe as usize - 1];
        let ahead = self.celsius + self.slope.max(0.0) * FORECAST_S;
        (1.0 - (severe - ahead) / HEADROOM_KELVINS).max(0.0)
    }

    /// What the app reads: a battery in whole percent, as Android has it.
    pub fn reading(&self, at_ms: u64) -> DeviceReading {
        DeviceReading {
            at_ms,
            battery_percent: Some(self.battery_percent().ceil() as f32),
            charging: Some(false),
            low_power_mode: Some(false),
            thermal_level: Some(self.level()),
            thermal_headroom: Some(self.headroom() as f32),
        }
    }

    /// Lets `seconds` pass. Work is done as fast as the phone is by its heat, at a
    /// power that falls with the square of the speed.
    pub fn pass(&mut self, mut seconds: f64) {
        while seconds > 0.0 {
            let step = seconds.min(STEP_S);
            seconds -= step;
            let speed = self.speed();
            let busy = if speed > 0.0 { (self.work_s / speed).min(step) } else { 0.0 };
            self.work_s = if busy < step { 0.0 } else { (self.work_s - busy * speed).max(0.0) };
            let networks = busy * self.phone.active_watts * speed * speed;
            self.network_joules += networks;
            let drawn = networks + step * self.phone.idle_watts;
            self.joules -= drawn;
            let lost = (self.celsius - self.phone.ambient_celsius) / self.phone.kelvins_per_watt;
            let gained = drawn / step + self.phone.sun_watts;
            let slope = (gained - lost) / self.phone.heat_capacity;
            self.celsius += slope * step;
            // Frames come in bursts of heat: the forecast is of their mean.
            self.slope += (slope - self.slope) * (step / FORECAST_S).min(1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_phones_are_read() {
        for (name, _) in BUILT_IN {
            assert_eq!(Phone::open(Path::new(name)).unwrap().name, name);
        }
    }

    #[test]
    fn it_warms_to_the_watts_times_the_resistance_and_cools_as_slowly() {
        let phone = Phone { battery_joules: 1e7, ..Phone::default() };
        let mut state = State::new(&phone, 1.0);
        let cool = state.celsius;
        assert!((cool - (22.0 + 4.5 * 1.6)).abs() < 1e-9);
        // Networks for half of the time: 1.25 W more.
        let half = |state: &mut State, seconds: u32| {
            for _ in 0..seconds {
                state.work_s += 0.5;
                state.pass(1.0);
            }
        };
        half(&mut state, 675);
        let warm = cool + 1.25 * 4.5;
        // After one time constant all but 1/e of the way.
        let way = (state.celsius - cool) / (warm - cool);
        assert!((way - 0.632).abs() < 0.002, "{way}");
        half(&mut state, 10_000);
        assert!((state.celsius - warm).abs() < 0.01, "{}", state.celsius);
        assert!((state.network_joules - 1.25 * 10_675.0).abs() < 1e-6);
        let drawn = 1e7 - state.joules;
        assert!((drawn - (1.25 + 1.6) * 10_675.0).abs() < 1e-3, "{drawn}");
        state.pass(20_000.0);
        assert!((state.celsius - cool).abs() < 0.01);
    }

    #[test]
    fn heat_slows_it_down_and_headroom_says_so_before() {
        let phone = Phone { ambient_celsius: 36.0, ..Phone::default() };
        let mut state = State::new(&phone, 1.0);
        assert_eq!((state.level(), state.speed()), (ThermalLevel::Moderate, 0.8));
        assert!((state.headroom() - (1.0 - 1.8 / 30.0)).abs() < 1e-9);
        state.work_s = 1e6;
        state.pass(3_600.0);
        assert!(state.level() >= ThermalLevel::Severe && state.headroom() >= 1.0);
        let before = state.work_s;
        state.pass(1.0);
        assert!(before - state.work_s < 0.51, "half as fast");
        state.celsius = 56.0;
        assert_eq!((state.level(), state.speed()), (ThermalLevel::Shutdown, 0.0));
    }

    #[test]
    fn a_bad_field_is_named() {
        for (text, words) in [
            (r#"{"idle_watts":-1}"#, "idle_watts is -1: it must be 0 to 50"),
            (r#"{"heat":1}"#, "unknown field `heat`"),
            (r#"{"level_celsius":[1,2,3,4,5,5]}"#, "level_celsius"),
            (r#"{"level_speed":[1,1,1,1,1,2]}"#, "level_speed"),
            ("", "is no phone"),
        ] {
            let error = Phone::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
