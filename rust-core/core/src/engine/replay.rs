//! A recorded device through the run-time parts, without networks.
//!
//! Decides only the order of things: an event, then a frame for each score.
//! The same recording, options and scores give the same thresholds, bit for
//! bit, in every language and on every platform: this is how that is checked,
//! and how an app looks at a recording from the field.

use serde::Serialize;

use super::runtime::{Frame, Runtime, RuntimeOptions};
use crate::decision::Threshold;
use crate::device::TraceEvent;
use crate::error::{Error, ErrorKind, Result};
use crate::monitor::Answered;
use crate::policy::{Demand, Effective, LevelCause, ThresholdReason};

/// Puts the events of a [`DeviceTrace`](crate::device::DeviceTrace) through a
/// [`Runtime`], with frames of given scores after each.
#[derive(Debug, Clone)]
pub struct DeviceReplay {
    options: RuntimeOptions,
    range: (f32, f32),
    scores: Vec<f32>,
    runtime: Runtime,
}

/// What is in force after an event and the frames that follow it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ReplayStep {
    /// When the event happened.
    pub at_ms: u64,
    /// What the first level's score has to be above.
    pub threshold: Threshold,
    /// Which of the demands decided that.
    pub reason: ThresholdReason,
    /// The level of saving, 0 to 3.
    pub level: u8,
    /// What the level is due to.
    pub level_cause: LevelCause,
    /// The share of frames that may run the big network, 0 to 1.
    pub target_rate: f64,
    /// What the frame rate should be multiplied with, above 0 to 1.
    pub frame_rate_factor: f64,
}

impl DeviceReplay {
    /// A replay in which a frame of each of `scores`, in this order, follows
    /// every event, at its time. The scores of the first level lie in `range`;
    /// the big network always answers where that does not accept.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when an option is out of range, or is about
    /// networks or pictures: audit, gate and storm.
    pub fn new(options: RuntimeOptions, range: (f32, f32), scores: Vec<f32>) -> Result<Self> {
        let runtime = start(&options, range)?;
        Ok(DeviceReplay { options, range, scores, runtime })
    }

    /// The next event, and the frames after it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`] when a restart does not take what was saved
    /// before it.
    pub fn step(&mut self, event: &TraceEvent) -> Result<ReplayStep> {
        match event {
            TraceEvent::Reading(reading) => self.runtime.push_reading(reading),
            TraceEvent::Mode { mode, .. } => self.runtime.set_mode(*mode),
            TraceEvent::Restart { .. } => {
                let saved = self.runtime.save();
                let mut fresh = start(&self.options, self.range)?;
                fresh.restore(&saved)?;
                self.runtime = fresh;
            }
        }
        let at_ms = event.at_ms();
        for &score in &self.scores {
            let plan = self.runtime.begin(at_ms);
            let accepted = plan.effective.threshold.accepts(score);
            let answered = if accepted { Answered::Little } else { Answered::Big };
            self.runtime.finish(&plan, &Frame { score, accepted, answered, ..Frame::default() });
        }
        let status = self.runtime.status();
        let Effective { threshold, reason, .. } = status.effective;
        let Demand { level, level_cause, target_rate, frame_rate_factor, .. } = status.demand;
        Ok(ReplayStep {
            at_ms,
            threshold,
            reason,
            level,
            level_cause,
            target_rate,
            frame_rate_factor,
        })
    }

    /// The run-time parts as they are now.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

fn start(options: &RuntimeOptions, range: (f32, f32)) -> Result<Runtime> {
    let needs = [
        ("audit", "big network to ask", options.audit.is_some()),
        ("gate", "pictures to compare", options.gate.is_some()),
        ("storm", "big network to hold back", options.storm.is_some()),
    ];
    if let Some((field, what, _)) = needs.into_iter().find(|(.., is_set)| *is_set) {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("{field} is set, but a recording has no {what}: leave it out"),
        ));
    }
    Runtime::new(options, "recorded device", range)
}
