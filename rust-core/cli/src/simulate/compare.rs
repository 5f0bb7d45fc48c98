//! The closed loop: policies on the same phone with the same frames.

use biglittle::calibrate::Loss;
use biglittle::device::{ThermalLevel, UserMode};
use biglittle::engine::RuntimeOptions;
use biglittle::monitor::FleetSummary;
use biglittle::policy::ThresholdReason;
use biglittle::{Result, Threshold};
use serde::Serialize;

use super::app::App;
use super::bad_argument;
use super::day::{Day, Seen, Sums};
use super::phone::{Phone, State};
use super::replay::{MOMENTS, Pace};
use super::samples::{Draw, Sample, Samples};

/// How often the app reads the phone, in seconds.
const READ_EVERY_S: f64 = 10.0;
/// The most frames of a day of one policy.
const MOST_FRAMES: f64 = 2e7;

/// Who decides whether the big network runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The run-time policy of the core.
    Biglittle,
    /// The bundle's threshold, whatever the phone says.
    FixedThreshold,
    AlwaysBig,
    AlwaysLittle,
}

impl Who {
    pub const ALL: [Who; 4] =
        [Who::Biglittle, Who::FixedThreshold, Who::AlwaysBig, Who::AlwaysLittle];

    pub fn name(self) -> &'static str {
        match self {
            Who::Biglittle => "biglittle",
            Who::FixedThreshold => "fixed threshold",
            Who::AlwaysBig => "always big",
            Who::AlwaysLittle => "always little",
        }
    }
}

/// Why a day ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The hours were over.
    Hours,
    BatteryEmpty,
    /// The phone switched itself off.
    TooHot,
}

/// A day of one policy.
#[derive(Debug)]
pub struct Lived {
    pub who: Who,
    pub day: Day,
    pub ended: Ended,
    pub battery_percent: f64,
    /// Seconds at each thermal level, from none to shutdown.
    pub seconds_at_heat: [f64; 7],
    /// Seconds in which the processor was slowed down.
    pub throttled_s: f64,
    pub hottest_celsius: f64,
    /// Frames that came while a network was still running.
    pub missed: u64,
    /// Modelled: of networks alone, and of the whole phone.
    pub joules: [f64; 2],
    /// Of biglittle: its books, and what decided its thresholds.
    pub summary: Option<FleetSummary>,
    pub reasons: Vec<(ThresholdReason, u64)>,
    /// Answers that the certified floor would not have accepted.
    pub below_certificate: u64,
}

/// What a comparison is made of.
pub struct World<'a> {
    pub phone: &'a Phone,
    pub samples: &'a Samples,
    pub draw: Draw,
    pub options: &'a RuntimeOptions,
    pub bundle: &'a str,
    pub mode: UserMode,
    /// The threshold that stays, and the certified floor.
    pub fixed: Threshold,
    pub floor: Threshold,
    pub pace: Pace,
    pub hours: f64,
}

impl World<'_> {
    /// A day of every policy.
    ///
    /// # Errors
    /// When the trace has no times, or there would be too many frames.
    pub fn live(&self) -> Result<Vec<Lived>> {
        if !self.samples.has_times {
            return Err(super::invalid(
                "has no times (cpu_ns), of which a phone's work is made: record it with \
                 `biglittle trace`",
            ));
        }
        let frames = self.hours * 3600.0 * self.pace.frames_per_second;
        if frames > MOST_FRAMES {
            return Err(bad_argument(format!(
                "at {} frames a second, {} hours are {frames:.0} frames for each policy: at most \
                 {MOST_FRAMES:.0} are simulated, so give fewer with --fps or --hours",
                self.pace.frames_per_second, self.hours
            )));
        }
        Who::ALL.into_iter().map(|who| self.day_of(who)).collect()
    }

    fn day_of(&self, who: Who) -> Result<Lived> {
        let mut app = match who {
            Who::Biglittle => Some(App::new(self.samples, self.options.clone(), self.bundle)?),
            _ => None,
        };
        if let Some(app) = &mut app {
            app.runtime.set_mode(self.mode);
        }
        let mut draw = self.draw.clone();
        let mut state = State::new(self.phone, self.slowdown());
        let end_s = self.hours * 3600.0;
        let mut lived = Lived {
            who,
            day: Day::new(end_s, MOMENTS),
            ended: Ended::Hours,
            battery_percent: 0.0,
            seconds_at_heat: [0.0; 7],
            throttled_s: 0.0,
            hottest_celsius: state.celsius,
            missed: 0,
            joules: [0.0; 2],
            summary: None,
            reasons: Vec::new(),
            below_certificate: 0,
        };
        let (mut elapsed_s, mut read_s) = (0.0, 0.0);
        while elapsed_s < end_s {
            let at_ms = (elapsed_s * 1e3) as u64;
            if elapsed_s >= read_s {
                let reading = state.reading(at_ms);
                if let Some(app) = &mut app {
                    app.runtime.push_reading(&reading);
                }
                lived.day.see(
                    elapsed_s,
                    Seen {
                        battery_percent: Some(state.battery_percent()),
                        charging: false,
                        thermal_level: Some(state.level()),
                        thermal_headroom: Some(state.headroom()),
                        celsius: Some(state.celsius),
                    },
                );
                read_s += READ_EVERY_S;
            }
            // The camera goes on, whether anybody looks or not.
            let sample = draw.next(self.samples);
            let advice = match &mut app {
                Some(app) => self.by_policy(app, sample, at_ms, elapsed_s, &mut state, &mut lived),
                None => self.by_rule(who, sample, elapsed_s, &mut state, &mut lived),
            };
            let factor = if self.pace.heeds_advice { advice } else { 1.0 };
            let step_s = (1.0 / (self.pace.frames_per_second * factor)).min(end_s - elapsed_s);
            if let Some(app) = &app {
                let level = usize::from(app.runtime.status().demand.level);
                lived.day.seconds_at_level[level] += step_s;
            }
            let (heat, speed) = (state.level(), state.speed());
            lived.seconds_at_heat[heat as usize] += step_s;
            lived.throttled_s += if speed < 1.0 { step_s } else { 0.0 };
            let before = state.joules;
            state.pass(step_s);
            lived.joules[1] += before - state.joules;
            lived.hottest_celsius = lived.hottest_celsius.max(state.celsius);
            elapsed_s += step_s;
            if state.joules <= 0.0 {
                lived.ended = Ended::BatteryEmpty;
                break;
            }
            if state.level() == ThermalLevel::Shutdown {
                lived.ended = Ended::TooHot;
                break;
            }
        }
        lived.day.span_s = elapsed_s;
        lived.battery_percent = state.battery_percent();
        lived.joules[0] = state.network_joules;
        lived.reasons.sort_by_key(|(_, frames)| std::cmp::Reverse(*frames));
        if let Some(app) = app {
            let frames = app.runtime.summary().accounting.frames;
            lived.below_certificate = frames.below_certificate + frames.degraded;
            lived.summary = Some(app.runtime.summary().clone());
        }
        Ok(lived)
    }

    /// Processor seconds on this phone, at full speed, for a second of the trace.
    fn slowdown(&self) -> f64 {
        let all = &self.samples.all;
        let alone = all.iter().map(|sample| self.samples.big_alone_ns(sample) as f64);
        let mean_ms = alone.sum::<f64>() / all.len() as f64 / 1e6;
        match self.phone.big_milliseconds {
            Some(milliseconds) if mean_ms > 0.0 => milliseconds / mean_ms,
            _ => 1.0,
        }
    }

    /// A frame by the run-time policy. Returns what the frame rate should be
    /// multiplied with.
    fn by_policy(
        &self,
        app: &mut App<'_>,
        sample: &Sample,
        at_ms: u64,
        elapsed_s: f64,
        state: &mut State,
        lived: &mut Lived,
    ) -> f64 {
        let demand = app.runtime.status().demand;
        if state.is_busy() {
            lived.missed += 1;
            return demand.frame_rate_factor;
        }
        let came = app.frame(sample, at_ms, elapsed_s * 1e3);
        state.work(came.cpu_ns);
        let demand = app.runtime.status().demand;
        let alone = (self.samples.big_alone_ns(sample), self.samples.big_alone_macs());
        let sums = Sums::of(&came, alone);
        lived.day.frame(elapsed_s, demand.level, self.samples.range, &came, &sums);
        let reason = came.plan.effective.reason;
        match lived.reasons.iter_mut().find(|(found, _)| *found == reason) {
            Some((_, frames)) => *frames += 1,
            None => lived.reasons.push((reason, 1)),
        }
        demand.frame_rate_factor
    }

    /// A frame by a rule that does not look at the phone.
    fn by_rule(
        &self,
        who: Who,
        sample: &Sample,
        elapsed_s: f64,
        state: &mut State,
        lived: &mut Lived,
    ) -> f64 {
        if state.is_busy() {
            lived.missed += 1;
            return 1.0;
        }
        let [little, big] = sample.cpu_ns;
        let alone_ns = self.samples.big_alone_ns(sample);
        let [little_macs, big_macs] = self.samples.macs;
        let accepted = match who {
            Who::AlwaysLittle => true,
            _ => self.fixed.accepts(sample.score),
        };
        let (by_little, cpu_ns, macs) = match (who, accepted) {
            (Who::AlwaysBig, _) => (false, alone_ns, self.samples.big_alone_macs()),
            (_, true) => (true, little, little_macs),
            (_, false) => (false, little + big, little_macs + big_macs),
        };
        state.work(cpu_ns);
        lived.below_certificate += u64::from(by_little && !self.floor.accepts(sample.score));
        let sums = Sums {
            frames: 1,
            escalated: u64::from(!by_little),
            answered: 1,
            right: u64::from(sample.right[usize::from(!by_little)]),
            bad: u64::from(by_little && sample.bad),
            cpu_ns,
            little_ns: if who == Who::AlwaysBig && !self.samples.is_committee { 0 } else { little },
            macs,
            alone_ns,
            alone_macs: self.samples.big_alone_macs(),
        };
        lived.day.count(elapsed_s, &sums);
        1.0
    }
}

/// What a comparison says of one policy.
#[derive(Debug, Serialize)]
pub struct PolicyFigures {
    pub policy: Who,
    pub hours: f64,
    pub ended: Ended,
    pub battery_percent_left: f64,
    /// Seconds at each thermal level: none, light, moderate, severe, critical,
    /// emergency, shutdown.
    pub seconds_at_thermal_level: [f64; 7],
    pub throttled_seconds: f64,
    pub hottest_celsius: f64,
    pub frames: u64,
    /// Frames that came while a network was still running: not looked at.
    pub missed: u64,
    pub escalation: f64,
    pub accuracy: f64,
    /// The share of answers that are a loss.
    pub loss: f64,
    /// Answers outside of the certificate.
    pub below_certificate: u64,
    /// Modelled, as all joules here.
    pub network_joules: f64,
    pub phone_joules: f64,
    /// Modelled joules of networks an answer.
    pub millijoules_per_answer: f64,
}

impl PolicyFigures {
    pub fn of(lived: &Lived) -> Self {
        let sums = &lived.day.sums;
        let share = |count: u64, all: u64| Sums::share(count, all).unwrap_or(0.0);
        PolicyFigures {
            policy: lived.who,
            hours: lived.day.span_s / 3600.0,
            ended: lived.ended,
            battery_percent_left: lived.battery_percent,
            seconds_at_thermal_level: lived.seconds_at_heat,
            throttled_seconds: lived.throttled_s,
            hottest_celsius: lived.hottest_celsius,
            frames: sums.frames,
            missed: lived.missed,
            escalation: share(sums.escalated, sums.frames),
            accuracy: share(sums.right, sums.answered),
            loss: share(sums.bad, sums.answered),
            below_certificate: lived.below_certificate,
            network_joules: lived.joules[0],
            phone_joules: lived.joules[1],
            millijoules_per_answer: 1e3 * lived.joules[0] / sums.answered.max(1) as f64,
        }
    }
}

/// What a loss is, in words.
pub fn loss_name(loss: Loss) -> &'static str {
    match loss {
        Loss::Harm => "wrong where big alone is right",
        Loss::Disagree => "not what big alone says",
    }
}
