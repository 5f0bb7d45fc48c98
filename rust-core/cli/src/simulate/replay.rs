//! A recorded phone: its readings in their order, and frames between them.

use biglittle::Result;
use biglittle::device::{DeviceReading, DeviceTrace, TraceEvent};
use biglittle::engine::RuntimeOptions;
use biglittle::monitor::FleetSummary;
use biglittle::policy::{BudgetInfeasible, ReadingFaults, ThresholdReason};

use super::app::App;
use super::day::{Day, Seen, Sums};
use super::samples::{Draw, Samples};
use super::{bad_argument, invalid};

/// A longer pause between two events is sleep: the app does not run.
const SLEEP_MS: u64 = 600_000;
/// The most frames of a day: a week at 100 a second, and some.
const MOST_FRAMES: f64 = 1e8;
/// The longest recording, in milliseconds: ten years. Times are kept to the
/// fraction of a millisecond in numbers with room for that and not for all.
const LONGEST_MS: f64 = 3.156e11;
/// The most moments of a day.
pub const MOMENTS: usize = 2_000;

/// When frames come.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How many in a second.
    pub frames_per_second: f64,
    /// Whether the app slows down where the policy advises it.
    pub heeds_advice: bool,
}

/// What came of a replay, besides the day.
#[derive(Debug)]
pub struct Replayed {
    pub day: Day,
    pub summary: FleetSummary,
    pub faults: ReadingFaults,
    /// Seconds in which the app did not run.
    pub asleep_s: f64,
    /// Seconds in which the budget could not be kept, and the last advice.
    pub infeasible_s: f64,
    pub infeasible: Option<BudgetInfeasible>,
    /// Frames by what decided their threshold.
    pub reasons: Vec<(ThresholdReason, u64)>,
}

/// The milliseconds from each event to the next, and whether they are sleep.
/// Where a clock jumps back no time passes.
fn pauses(events: &[TraceEvent]) -> impl Iterator<Item = (u64, bool)> {
    let next = events.iter().skip(1).map(|event| Some(event.at_ms())).chain([None]);
    events.iter().zip(next).map(|(event, next)| {
        let pause = next.map_or(0, |next| next.saturating_sub(event.at_ms()));
        (pause, pause > SLEEP_MS)
    })
}

/// Puts `device` through the run-time parts, with frames out of `samples`.
///
/// # Errors
/// When the recording lasts no time or more than ten years, or there would be too
/// many frames.
pub fn replay(
    device: &DeviceTrace,
    samples: &Samples,
    draw: Draw,
    options: &RuntimeOptions,
    bundle: &str,
    pace: Pace,
) -> Result<Replayed> {
    let events = &device.events[..];
    let spans = pauses(events).fold([0.0f64; 2], |[awake, asleep], (pause, sleeps)| {
        let pause = pause as f64;
        if sleeps { [awake, asleep + pause] } else { [awake + pause, asleep] }
    });
    let [awake_ms, asleep_ms] = spans;
    if awake_ms == 0.0 {
        return Err(invalid(match events.len() {
            0 => "has no events: record readings of a phone, one a line".to_owned(),
            count => format!(
                "has {count} events but lasts no time: there must be two less than 10 minutes \
                 apart, between which frames can come"
            ),
        }));
    }
    let span_ms = awake_ms + asleep_ms;
    if span_ms > LONGEST_MS {
        return Err(invalid(format!(
            "lasts {:.0} years: at most 10 are simulated, so look for a clock that jumped and \
             correct its at_ms",
            span_ms / 3.156e10
        )));
    }
    let frames = awake_ms / 1e3 * pace.frames_per_second;
    if frames > MOST_FRAMES {
        return Err(bad_argument(format!(
            "at {} frames a second it would be {frames:.0} frames: at most {MOST_FRAMES:.0} are \
             simulated, so give fewer with --fps",
            pace.frames_per_second
        )));
    }
    let app = App::new(samples, options.clone(), bundle)?;
    let span_s = span_ms / 1e3;
    let mut day = Day::new(span_s, MOMENTS);
    day.span_s = span_s;
    let mut run = Run {
        app,
        samples,
        draw,
        pace,
        day,
        elapsed_ms: 0.0,
        next_ms: 0.0,
        level: 0,
        seen: Seen::default(),
        infeasible_s: 0.0,
        infeasible: None,
        reasons: Vec::new(),
        alarms: [0; 3],
    };
    for (event, (pause_ms, sleeps)) in events.iter().zip(pauses(events)) {
        run.event(event)?;
        run.pass(event.at_ms(), pause_ms, sleeps);
    }
    run.stop();
    let Run { app, day, infeasible_s, infeasible, mut reasons, .. } = run;
    reasons.sort_by_key(|(_, frames)| std::cmp::Reverse(*frames));
    Ok(Replayed {
        day,
        summary: app.runtime.summary().clone(),
        faults: app.runtime.status().faults,
        asleep_s: asleep_ms / 1e3,
        infeasible_s,
        infeasible,
        reasons,
    })
}

struct Run<'a> {
    app: App<'a>,
    samples: &'a Samples,
    draw: Draw,
    pace: Pace,
    day: Day,
    /// Since the day began.
    elapsed_ms: f64,
    /// When the next frame comes.
    next_ms: f64,
    /// The level of saving of the last frame.
    level: u8,
    seen: Seen,
    infeasible_s: f64,
    infeasible: Option<BudgetInfeasible>,
    reasons: Vec<(ThresholdReason, u64)>,
    /// Accuracy and drift alarms and clock jumps so far.
    alarms: [u64; 3],
}

impl Run<'_> {
    fn event(&mut self, event: &TraceEvent) -> Result<()> {
        let at = self.elapsed_ms / 1e3;
        match event {
            TraceEvent::Reading(reading) => {
                self.app.runtime.push_reading(reading);
                take(&mut self.seen, reading);
            }
            TraceEvent::Mode { mode, .. } => {
                self.app.runtime.set_mode(*mode);
                let mode = format!("{mode:?}").to_lowercase();
                self.day.happened(at, format!("the user chose {mode}"));
            }
            TraceEvent::Restart { .. } => {
                self.app.restart()?;
                self.seen = Seen::default();
                self.day.happened(at, "the app was started again");
            }
        }
        self.day.see(at, self.seen);
        self.note_alarms();
        Ok(())
    }

    /// Frames until the next event.
    fn pass(&mut self, at_ms: u64, pause_ms: u64, sleeps: bool) {
        let end_ms = self.elapsed_ms + pause_ms as f64;
        if sleeps {
            let (from, to) = (self.elapsed_ms / 1e3, end_ms / 1e3);
            self.day.happened(
                from,
                format!("no reading for {:.0} minutes: asleep", (to - from) / 60.0),
            );
            self.stop();
            self.next_ms = end_ms;
        }
        while self.next_ms < end_ms {
            let since_ms = self.next_ms - self.elapsed_ms;
            let level = self.frame(at_ms.saturating_add(since_ms as u64));
            let status = self.app.runtime.status();
            let factor = if self.pace.heeds_advice { status.demand.frame_rate_factor } else { 1.0 };
            let step_ms = 1e3 / (self.pace.frames_per_second * factor);
            let seconds = step_ms / 1e3;
            self.day.seconds_at_level[usize::from(level)] += seconds;
            self.level = level;
            if let Some(infeasible) = status.budget_infeasible {
                self.infeasible_s += seconds;
                self.infeasible = Some(infeasible);
            }
            self.next_ms += step_ms;
        }
        self.elapsed_ms = end_ms;
    }

    /// The app stops before the next frame would have come.
    fn stop(&mut self) {
        let over_s = (self.next_ms - self.elapsed_ms).max(0.0) / 1e3;
        let seconds = &mut self.day.seconds_at_level[usize::from(self.level)];
        *seconds = (*seconds - over_s).max(0.0);
    }

    fn frame(&mut self, at_ms: u64) -> u8 {
        let sample = self.draw.next(self.samples);
        let came = self.app.frame(sample, at_ms, self.next_ms);
        let alone = (self.samples.big_alone_ns(sample), self.samples.big_alone_macs());
        let level = self.app.runtime.status().demand.level;
        let sums = Sums::of(&came, alone);
        self.day.frame(self.next_ms / 1e3, level, self.samples.range, &came, &sums);
        let reason = came.plan.effective.reason;
        match self.reasons.iter_mut().find(|(found, _)| *found == reason) {
            Some((_, frames)) => *frames += 1,
            None => self.reasons.push((reason, 1)),
        }
        self.note_alarms();
        level
    }

    fn note_alarms(&mut self) {
        let summary = self.app.runtime.summary();
        let jumps = self.app.runtime.status().faults.backwards;
        let now = [summary.accuracy_alarms, summary.drift_alarms, jumps];
        let at = self.elapsed_ms.max(self.next_ms.min(self.elapsed_ms + 1.0)) / 1e3;
        for ((before, now), what) in self.alarms.iter_mut().zip(now).zip([
            "accuracy alarm: audited answers differ too often, the floor is raised",
            "drift alarm: scores no longer lie as in calibration",
            "the clock jumped back: nothing is relaxed",
        ]) {
            if now > *before {
                self.day.happened(at, what);
            }
            *before = now;
        }
    }
}

/// What is drawn of a reading.
fn take(seen: &mut Seen, reading: &DeviceReading) {
    let good = |value: &f32| value.is_finite() && *value >= 0.0;
    if let Some(percent) = reading.battery_percent.filter(good) {
        seen.battery_percent = Some(f64::from(percent.min(100.0)));
    }
    if let Some(charging) = reading.charging {
        seen.charging = charging;
    }
    if let Some(level) = reading.thermal_level {
        seen.thermal_level = Some(level);
    }
    if let Some(headroom) = reading.thermal_headroom.filter(good) {
        seen.thermal_headroom = Some(f64::from(headroom));
    }
}
